//! What sources, lookups and attempts have brought, and which peers are reported without an attempt.

use crate::dial::attempt::Attempt;
use crate::dial::peer_error::PeerError;
use crate::dial::rest::{Closed, Done};
use crate::dial::story;
use crate::discovery::host_lookups::{LookedUp, outcome_of};
use crate::discovery::introduction::Introduction;
use crate::discovery::pex::inbox::NamedCount;
use crate::discovery::source::{Activity, Found, NamedPeers, count};
use crate::swarm::Swarm;
use report::{Event, Outcome, PexReport, Stage};
use std::net::SocketAddr;
use tracker::PeerAddress;

impl Swarm {
    /// Takes in what a source has found.
    pub(super) fn found(&mut self, found: Found) {
        match found {
            Found::Peers(named) => self.named(named),
            Found::WebSeed(report) => self.tally.web_seed(*report),
            Found::Dht(report) => self.tally.dht(*report),
        }
    }

    /// Takes in the peers of one step, then its report.
    pub(super) fn named(&mut self, named: NamedPeers) {
        let NamedPeers { peers, takes_utp, source, policy, info_hash, own_addresses, mut report } = named;
        let (ours, port) = (&self.shared.identity().peer_ids, self.shared.endpoint().port);
        own_addresses.into_iter().for_each(|ip| self.peers.own(SocketAddr::new(ip, port)));
        self.peers.expect(peers.len());
        for peer in peers.into_iter().filter(|peer| !peer.peer_id.is_some_and(|id| ours.is_ours(id))) {
            let requires_crypto = peer.requires_crypto == Some(true);
            let takes_utp = matches!(&peer.address, PeerAddress::Socket(address) if takes_utp.contains(address));
            let introduction = Introduction { source: &source, policy, info_hash, requires_crypto, takes_utp };
            let added = self.peers.add(&peer.address, introduction);
            if let Some(report) = &mut report {
                count(report, &peer.address, added);
            }
        }
        if let Some(report) = report {
            self.tally.tracker(*report);
        }
    }

    pub(super) fn looked_up(&mut self, LookedUp { name, addresses }: LookedUp) {
        let error = match addresses {
            Some(Ok(addresses)) => {
                self.peers.resolved(name, &addresses, |address| self.lookups.allows(address));
                return;
            }
            Some(Err(error)) => Some(error),
            None => None,
        };
        let (host, port) = name;
        let outcome = error.as_ref().map_or(Outcome::Interrupted, outcome_of);
        self.unreached(PeerAddress::Host(host, port), outcome, Stage::Resolve, error.map(PeerError::Resolve));
    }

    /// Takes in the end of an attempt, or of the connection that one left open.
    pub(super) fn done(&mut self, done: Done) {
        let (attempt, goes_on) = match done {
            Done::Attempt(attempt) => (attempt, false),
            Done::GoesOn(attempt) => (attempt, true),
            Done::Closed(closed) => return self.closed(&closed),
        };
        if let Some(port) = attempt.progress.session.advertised.dht_port {
            self.discovery.learn_node(SocketAddr::new(attempt.request.address.ip(), port));
        }
        let is_over = attempt.outcome == Outcome::Ok && !goes_on;
        let closed = is_over.then(|| Closed::of(&attempt)).flatten();
        if let Some(last) = self.dialler.settle(attempt, &mut self.peers) {
            self.report_attempt(last);
        }
        closed.iter().for_each(|closed| self.closed(closed));
    }

    /// Takes in that a connection is over to a peer that shook hands.
    fn closed(&mut self, closed: &Closed) {
        self.dialler.dial_for_layers(closed);
        if let Some(named) = closed.named.as_ref().and_then(NamedCount::get) {
            self.tally.pex(PexReport::new(closed.address, named, closed.received));
        }
    }

    fn report_attempt(&mut self, last: Box<Attempt>) {
        let sources = self.peers.sources(&PeerAddress::Socket(last.request.address));
        let story = story::tell(last, sources, &self.torrent, &self.secrets);
        self.tally.story(story);
    }

    /// Reports a peer that was never connected to.
    pub(super) fn unreached(&mut self, address: PeerAddress, outcome: Outcome, stage: Stage, error: Option<PeerError>) {
        let sources = self.peers.sources(&address);
        self.tally.peers([story::unreached(address, sources, outcome, stage, error.as_ref(), &self.secrets)]);
    }

    /// An event that needs no waiting.
    pub(super) fn ready(&mut self) -> Option<Event> {
        if self.tally.is_empty() {
            self.report_one_that_is_not_dialled();
        }
        self.tally.next()
    }

    /// Reports one peer, if any is certain not to be dialled.
    fn report_one_that_is_not_dialled(&mut self) {
        let is_over = self.stop.is_set();
        // Where none is dialled, one that a node named waits for the other nodes that name it.
        let is_complete = !self.config.sources.dht || self.discovery.activity() == Activity::Idle;
        if (is_over || (!self.config.dial && is_complete))
            && let Some(address) = self.peers.next()
        {
            return self.unreached(address, Outcome::NotTried, Stage::Queued, None);
        }
        // A second attempt that will not come leaves the first one to report, and the census may withhold that.
        while is_over
            && self.tally.is_empty()
            && let Some((peer, earlier)) = self.dialler.give_up()
        {
            match earlier {
                Some(earlier) => self.report_attempt(earlier),
                None => self.unreached(PeerAddress::Socket(peer), Outcome::NotTried, Stage::Queued, None),
            }
        }
        // As long as a source or a host name is left, it may allow a peer that was refused or left out.
        let is_final =
            self.discovery.activity() == Activity::Idle && self.lookups.is_empty() && !self.peers.has_names();
        if !self.tally.is_empty() || !is_final {
            return;
        }
        if let Some((address, limit)) = self.peers.next_over_quota() {
            let error = Some(PeerError::Crowded { limit });
            self.unreached(PeerAddress::Socket(address), Outcome::AddressQuota, Stage::Queued, error);
        } else if let Some((address, refusal)) = self.peers.next_refused() {
            let error = Some(refusal.into());
            self.unreached(PeerAddress::Socket(address), Outcome::InvalidAddress, Stage::Queued, error);
        }
    }
}
