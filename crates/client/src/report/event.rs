//! What a run says: one report for each tracker and each peer, then the summary.

use crate::census::role::Role;
use crate::report::client_name::client_name;
use crate::report::outcome::Outcome;
use crate::report::peer::PeerReport;
use crate::report::seen_as::SeenAs;
use crate::report::swarm_view::SwarmView;
use crate::report::tracker::TrackerReport;
use crate::report::tracker_status::Standing;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Most different names of clients that are counted. A swarm has some dozen; peers choose the names, and each could have its
/// own.
const MOST_CLIENTS: usize = 1000;

/// Something happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A tracker has answered or failed.
    Tracker(TrackerReport),
    /// A peer's story has ended; each peer is reported once.
    Peer(PeerReport),
    /// The run is over; always the last event.
    Summary(Summary),
}

/// Who named a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The user.
    User,
    /// The tracker at this URL, its secrets hidden.
    Tracker(Arc<str>),
    /// The magnet link (`x.pe`).
    Magnet,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Tracker(url) => f.write_str(url),
            Self::Magnet => f.write_str("magnet"),
        }
    }
}

/// The run as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Peers reported.
    pub peers: usize,
    /// Those of them that we chose not to dial, on the word that we had for them: a port below 1024, a local address, or one
    /// with enough other ports. They are no losses.
    pub declined: usize,
    /// Valid handshakes among them. A client that answers at two addresses has two.
    pub ok: usize,
    /// Those of them that are of a client which is counted at another address.
    pub repeated: usize,
    /// Those that may be, which cannot be known: in no count of clients either.
    pub maybe_repeated: usize,
    /// Peers by outcome.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Clients by name, as [`PeerReport::client`] has it; `None` for those without one.
    pub clients: BTreeMap<Option<String>, usize>,
    /// Clients that are not among [`clients`](Self::clients), because there are 1,000 different names there.
    pub other_clients: usize,
    /// Reports of trackers.
    pub trackers: usize,
    /// Those of them that gave what they were asked for.
    pub trackers_ok: usize,
    /// Reports of trackers by the code of their status.
    pub tracker_statuses: BTreeMap<&'static str, usize>,
    /// Which addresses of ours trackers and peers see.
    pub seen_as: SeenAs,
    /// Reports of trackers by what their ending says.
    pub standings: BTreeMap<Standing, usize>,
    /// Whether trackers were asked for counts only, so that none could name a peer.
    pub scraped: bool,
    /// Clients by what they are to their swarm.
    pub roles: BTreeMap<Role, usize>,
    /// What the peers that were reached have between them.
    pub swarm: SwarmView,
    /// Whether the run was cut short, and by what.
    pub cut_short: Option<CutShort>,
    /// From the first step to the last report.
    pub elapsed: Duration,
}

/// What ended a run before all peers were heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutShort {
    /// The run's deadline.
    Deadline,
    /// [`Swarm::interrupt`](crate::Swarm::interrupt).
    Interrupt,
}

impl Summary {
    pub(crate) fn count_tracker(&mut self, report: &TrackerReport) {
        self.trackers += 1;
        self.trackers_ok += usize::from(report.status.is_ok());
        *self.tracker_statuses.entry(report.status.code()).or_default() += 1;
        report.external_ip.into_iter().for_each(|ip| self.seen_as.add_tracker(ip));
        *self.standings.entry(report.status.standing()).or_default() += 1;
    }

    pub(crate) fn count_peer(&mut self, report: &PeerReport) {
        self.peers += 1;
        *self.outcomes.entry(report.outcome).or_default() += 1;
        self.declined += usize::from(report.is_declined());
        if report.outcome != Outcome::Ok {
            return;
        }
        self.ok += 1;
        // A client with several addresses is one witness.
        let extension = report.extension.as_ref().filter(|_| report.same_as.is_none());
        let yourip = extension.and_then(|extension| extension.yourip);
        yourip.into_iter().for_each(|ip| self.seen_as.add_peer(ip));
        self.repeated += usize::from(report.same_as.is_some());
        self.maybe_repeated += usize::from(report.maybe_same_as.is_some());
        if report.counts_instead {
            self.forget_mute(report);
        }
        if report.counts_instead || (report.same_as, report.maybe_same_as) == (None, None) {
            self.count_client(report.client());
            *self.roles.entry(report.role).or_default() += 1;
        }
    }

    /// Takes back the same client's endpoint that said nothing: only its peer id told what it is.
    fn forget_mute(&mut self, report: &PeerReport) {
        let name = client_name(None, report.theirs.map(|theirs| theirs.peer_id));
        match self.clients.get_mut(&name) {
            Some(1) => _ = self.clients.remove(&name),
            Some(count) => *count -= 1,
            None => self.other_clients = self.other_clients.saturating_sub(1),
        }
        match self.roles.get_mut(&Role::Unknown) {
            Some(1) => _ = self.roles.remove(&Role::Unknown),
            count => count.into_iter().for_each(|count| *count -= 1),
        }
    }

    fn count_client(&mut self, client: Option<String>) {
        let full = self.clients.len() >= MOST_CLIENTS;
        match self.clients.get_mut(&client) {
            Some(count) => *count += 1,
            None if full => self.other_clients += 1,
            None => _ = self.clients.insert(client, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_peers_choose_do_not_pile_up() {
        let mut summary = Summary::default();
        for n in 0..MOST_CLIENTS + 500 {
            summary.count_client(Some(n.to_string()));
        }
        summary.count_client(Some("7".to_owned()));
        assert_eq!((summary.clients.len(), summary.other_clients), (MOST_CLIENTS, 500));
        assert_eq!(summary.clients.get(&Some("7".to_owned())), Some(&2));
    }
}
