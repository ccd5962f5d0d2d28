//! The run as a whole, counted from its reports.

use crate::client_name::client_name;
use crate::code::codes;
use crate::dht::{DhtReport, DhtView};
use crate::json_forms::Ms;
use crate::outcome::Outcome;
use crate::peer::PeerReport;
use crate::role::Role;
use crate::seen_as::SeenAs;
use crate::status::{Standing, TrackerStatus};
use crate::swarm_view::SwarmView;
use crate::tracker::TrackerReport;
use crate::web_seed::{WebSeedReport, WebSeedView};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// Most different names of clients that are counted. A swarm has some dozen; peers choose the names, and each could have its
/// own.
const MOST_CLIENTS: usize = 1000;

/// The run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Summary {
    /// Peers reported
    pub peers: usize,
    /// Those of them that we chose not to dial on the word of an untrusted source; no losses
    pub declined: usize,
    /// Valid handshakes among them; a client that answers at two addresses has two
    pub ok: usize,
    /// Those of them of a client that is counted at another address
    pub repeated: usize,
    /// Those of them of a client that may be counted at another address, which cannot be known: in no count of clients either
    pub maybe_repeated: usize,
    /// Peers by outcome
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Clients by name, at most 1,000 names; `unknown` for those without one
    #[serde(with = "Clients")]
    pub clients: BTreeMap<Option<String>, usize>,
    /// Clients beyond those names
    pub other_clients: usize,
    /// Clients by role
    pub roles: BTreeMap<Role, usize>,
    /// Reports of trackers
    #[serde(skip)]
    pub trackers: usize,
    /// Those of them that gave what they were asked for, in this run or in an announce whose interval has not passed
    #[serde(skip)]
    pub trackers_ok: usize,
    /// Reports of trackers by status
    #[serde(skip)]
    pub tracker_statuses: BTreeMap<TrackerStatus, usize>,
    /// Reports of trackers by what their ending says about the tracker
    #[serde(skip)]
    pub tracker_standings: BTreeMap<Standing, usize>,
    /// Whether trackers were asked for counts only, so that none could name a peer
    pub scraped: bool,
    /// What lookups in the DHT found
    #[serde(skip)]
    pub dht: DhtView,
    /// Peers that only nodes of the DHT named
    pub only_dht: usize,
    /// Valid handshakes among them
    pub only_dht_ok: usize,
    /// Peers that only other peers named (PEX)
    pub only_pex: usize,
    /// Valid handshakes among them
    pub only_pex_ok: usize,
    /// Valid handshakes over uTP with peers whose TCP had failed: refused, unreachable, reset, closed, or silent until uTP
    /// answered; not those that were reached over uTP first, because PEX or --transport had it so
    pub only_utp: usize,
    /// Valid handshakes that were encrypted, with peers that had turned away plaintext over the same transport; not those that were
    /// tried encrypted first
    pub only_encrypted: usize,
    /// What the checks of its web seeds found
    pub web_seeds: WebSeedView,
    /// What the peers that were reached have between them
    #[serde(flatten)]
    pub swarm: SwarmView,
    /// Our addresses as trackers, peers and nodes of the DHT see them, the most frequent first, at most 16
    pub seen_as: SeenAs,
    /// What ended the run before all peers were heard
    pub cut_short: Option<CutShort>,
    /// From the first step to the last report
    #[serde(rename = "elapsed_ms", with = "Ms")]
    pub elapsed: Duration,
}

codes! {
    /// What ended a run before all peers were heard.
    pub enum CutShort {
        /// The run's deadline.
        Deadline = "deadline",
        /// An interrupt.
        Interrupt = "interrupt",
        /// The metadata of a link says that the torrent is private (BEP 27), which was not allowed.
        Private = "private",
    }
}

impl Summary {
    /// Counts a tracker.
    pub fn count_tracker(&mut self, report: &TrackerReport) {
        self.trackers += 1;
        self.trackers_ok += usize::from(report.standing == Standing::Answered);
        *self.tracker_statuses.entry(report.status).or_default() += 1;
        report.external_ip.into_iter().for_each(|ip| self.seen_as.add_tracker(ip));
        *self.tracker_standings.entry(report.standing).or_default() += 1;
    }

    /// Counts a web seed.
    pub fn count_web_seed(&mut self, report: &WebSeedReport) {
        self.web_seeds.count(report);
    }

    /// Counts a lookup in the DHT.
    pub fn count_dht(&mut self, report: &DhtReport) {
        self.dht.count(report);
        report.seen_as.iter().for_each(|ip| self.seen_as.add_node(*ip));
    }

    /// Counts a peer.
    pub fn count_peer(&mut self, report: &PeerReport) {
        self.peers += 1;
        *self.outcomes.entry(report.outcome).or_default() += 1;
        self.declined += usize::from(report.is_declined());
        if report.outcome != Outcome::Ok {
            return;
        }
        self.ok += 1;
        self.only_utp += usize::from(report.is_utp_only());
        self.only_encrypted += usize::from(report.wants_encryption());
        // A client with several addresses is one witness.
        let extension = report.extension.as_ref().filter(|_| report.same_as.is_none());
        let yourip = extension.and_then(|extension| extension.yourip);
        yourip.into_iter().for_each(|ip| self.seen_as.add_peer(ip));
        self.repeated += usize::from(report.same_as.is_some());
        self.maybe_repeated += usize::from(report.maybe_same_as.is_some());
        if report.counts_instead {
            self.forget_mute(report);
        }
        if report.counts_as_client() {
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

/// Counts by name.
pub(crate) struct Clients;

impl Clients {
    fn serialize<S: Serializer>(clients: &BTreeMap<Option<String>, usize>, serializer: S) -> Result<S::Ok, S::Error> {
        // A peer may call itself what those are called that have no name.
        let mut named: BTreeMap<&str, usize> = BTreeMap::new();
        for (client, count) in clients {
            *named.entry(client.as_deref().unwrap_or("unknown")).or_default() += count;
        }
        named.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::AttemptReport;
    use crate::outcome::{Detail, Stage};
    use crate::transport::{Encryption, Transport};
    use tracker::PeerAddress;

    /// How each attempt at a peer ended, the valid handshake last; whether that counts as over uTP alone, and as encrypted alone.
    #[test]
    fn what_one_way_alone_reached_is_counted() {
        use Encryption::{None as Clear, Rc4};
        use Outcome::{
            ClosedBeforeHandshake as Closed, ConnectRefused as Refused, ConnectTimeout as TimedOut, EncryptionFailed,
            Interrupted, LocalLimit, NoUtpAnswer, Ok,
        };
        use Transport::{Tcp, Utp};
        for (attempts, only_utp, only_encrypted) in [
            (&[(Tcp, Clear, Ok)][..], 0, 0),
            (&[(Tcp, Clear, Closed), (Tcp, Rc4, Ok)], 0, 1),
            (&[(Tcp, Rc4, EncryptionFailed), (Tcp, Clear, Ok)], 0, 0),
            (&[(Tcp, Rc4, Ok)], 0, 0),
            (&[(Tcp, Clear, Refused), (Utp, Clear, Ok)], 1, 0),
            (&[(Tcp, Clear, TimedOut), (Utp, Clear, Ok)], 1, 0),
            (&[(Tcp, Clear, Closed), (Tcp, Rc4, EncryptionFailed), (Utp, Clear, Ok)], 1, 0),
            (&[(Tcp, Clear, Refused), (Utp, Clear, Closed), (Utp, Rc4, Ok)], 1, 1),
            // Plaintext was turned away over TCP alone, as everything was.
            (&[(Tcp, Clear, Closed), (Tcp, Rc4, EncryptionFailed), (Utp, Rc4, Ok)], 1, 0),
            // First over uTP, on the word of PEX or the user.
            (&[(Utp, Clear, Ok)], 0, 0),
            (&[(Utp, Clear, Closed), (Utp, Rc4, Ok)], 0, 1),
            (&[(Utp, Clear, NoUtpAnswer), (Tcp, Clear, Ok)], 0, 0),
            // Nothing is known of its TCP.
            (&[(Tcp, Clear, LocalLimit), (Utp, Clear, Ok)], 0, 0),
            (&[(Tcp, Clear, Interrupted), (Utp, Clear, Ok)], 0, 0),
            // No handshake.
            (&[(Tcp, Clear, Refused), (Utp, Clear, Refused)], 0, 0),
        ] {
            let attempt = |&(transport, encryption, outcome)| {
                AttemptReport::new(transport, encryption, outcome, Stage::Handshake)
            };
            let &(transport, encryption, outcome) = attempts.last().unwrap();
            let address = PeerAddress::Socket(([192, 0, 2, 7], 6881).into());
            let report = PeerReport {
                transport,
                encryption,
                attempts: attempts.iter().map(attempt).collect(),
                ..PeerReport::new(address, outcome, Stage::Done)
            };
            let mut summary = Summary::default();
            summary.count_peer(&report);
            assert_eq!((summary.only_utp, summary.only_encrypted), (only_utp, only_encrypted), "{attempts:?}");
        }
    }

    #[test]
    fn a_peer_that_was_full_did_not_refuse_plaintext() {
        let (utp, closed) = (Transport::Utp, Outcome::ClosedBeforeHandshake);
        let full = AttemptReport {
            detail: Some(Detail::Full),
            ..AttemptReport::new(utp, Encryption::None, closed, Stage::Handshake)
        };
        assert!(!full.was_refused() && AttemptReport { detail: None, ..full }.was_refused());
    }

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
