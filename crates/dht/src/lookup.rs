//! A lookup: which nodes are asked for the peers of a torrent, in which order, and when that is enough.
//!
//! Start from [`Lookup`]. One lookup is for one torrent in one family of addresses.

mod asking;
mod candidates;
mod choice;
mod exchanges;
mod full;
pub mod limits;
mod news;
mod options;
mod packed;
mod peer_set;
mod round_trips;
mod starts;
mod view;

pub use news::{Ignored, News};
pub use options::{Family, Options, Start};
pub use view::{End, View};

use crate::contact::Contact;
use crate::id::NodeId;
use crate::krpc::{Method, Query, Refusal, Reply};
use candidates::{Candidate, Candidates, State};
use choice::Choice;
use exchanges::{Exchange, Exchanges};
use full::may_have_more;
use guard::AddressPolicy;
use ids::InfoHash;
use peer_set::{Added, PeerSet};
use round_trips::RoundTrips;
use starts::Starts;
use std::net::SocketAddr;
use std::time::Instant;

/// A lookup of the peers of a torrent: a state machine that is fed with nodes, answers and times, and drained of queries.
///
/// After each call that feeds it, take queries with [`poll_query`](Self::poll_query) until there is none; then
/// [`ended`](Self::ended) tells whether the lookup is over, and [`next_wake`](Self::next_wake) when it has to be called next if
/// nothing arrives before. Answers that come after the end are still used: feed them for another 15 s, if the socket stays open.
#[derive(Clone, Debug)]
pub struct Lookup {
    target: NodeId,
    options: Options,
    started: Instant,
    /// The latest time that a call named.
    latest: Instant,
    starts: Starts,
    candidates: Candidates,
    exchanges: Exchanges,
    round_trips: RoundTrips,
    peers: PeerSet,
    second_queries: usize,
    end: Option<End>,
    view: View,
}

impl Lookup {
    /// A lookup of a torrent's peers. It has no nodes to ask yet.
    #[must_use]
    pub fn new(info_hash: InfoHash, options: Options, now: Instant) -> Self {
        let target = info_hash.into();
        Self {
            target,
            options,
            started: now,
            latest: now,
            starts: Starts::default(),
            candidates: Candidates::new(target),
            exchanges: Exchanges::default(),
            round_trips: RoundTrips::default(),
            peers: PeerSet::default(),
            second_queries: 0,
            end: None,
            view: View::default(),
        }
    }

    /// Adds a node to start from, at any time. Those of the other family are left out, and those at addresses that their source
    /// may not name. A lookup that ended for lack of nodes goes on if the node is a new one and there is time left.
    pub fn add_contact(&mut self, start: Start) {
        if !self.accepts_node(start.address, start.policy) {
            return;
        }
        let is_new = match start.id {
            Some(id) => self.offer(&id, start.address),
            None => !self.candidates.is_asked(start.address.ip()) && self.starts.add(start.address),
        };
        if is_new && self.age() < limits::LONGEST && matches!(self.end, Some(End::NoAnswer | End::Exhausted)) {
            (self.end, self.view.done) = (None, None);
        }
    }

    /// The next query, and where it goes. `transaction` is used as its transaction id: four random bytes, new for each call, so that
    /// an answer cannot be forged without having seen the query. `None` if there is nothing to send before the next answer or
    /// [`next_wake`](Self::next_wake); what is returned has to be sent, or given back with [`unsent`](Self::unsent).
    pub fn poll_query(&mut self, now: Instant, transaction: [u8; 4]) -> Option<(SocketAddr, Query)> {
        self.time_out(now);
        if self.end.is_some() {
            return None;
        }
        let choice = if self.view.queries < self.most_queries() { self.choose() } else { None };
        let Some(choice) = choice else {
            self.conclude();
            return None;
        };
        if self.exchanges.open().count() >= limits::IN_FLIGHT {
            return None;
        }
        self.ask(choice);
        let Choice { address: to, named, .. } = choice;
        self.exchanges.add(Exchange { to: to.into(), transaction, sent: self.latest, named, is_open: true });
        let method = Method::GetPeers { info_hash: InfoHash(self.target.0), scrape: false };
        Some((to, Query { transaction, id: self.options.id, method }))
    }

    /// Takes a node's reply.
    ///
    /// # Errors
    /// Why nothing of it is used.
    pub fn reply(&mut self, now: Instant, from: SocketAddr, reply: &Reply) -> Result<News, Ignored> {
        let exchange = self.take(now, from, &reply.transaction)?;
        let round_trip = self.latest.saturating_duration_since(exchange.sent);
        self.identify(&exchange, Some(reply.id))?;
        self.round_trips.add(round_trip);
        self.view.late += usize::from(!exchange.is_open);
        // A node may name addresses of the network in which it was reached itself.
        let policy = AddressPolicy::for_peers_of(from.ip());
        self.take_nodes(reply, policy);
        let distance = self.target.distance(&reply.id);
        let is_storer = self.candidates.get(distance, from).is_some_and(|known| known.is_storer);
        let (peers, new_peers) = self.take_peers(reply, policy, !is_storer);
        if let Some(known) = self.candidates.find(distance, from) {
            let is_worth_it = may_have_more(reply) && new_peers * 100 >= reply.peers.len() * limits::WORTH_ASKING;
            known.due = if is_worth_it { limits::QUERIES_TO_STORER.saturating_sub(known.queries) } else { 0 };
            known.is_storer |= !reply.peers.is_empty();
        }
        Ok(News { node: Contact { id: reply.id, address: from }, round_trip, peers, new_peers })
    }

    /// Takes a node's error: it is alive, and knows nothing. rTorrent sends one instead of an empty answer.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn refused(&mut self, now: Instant, from: SocketAddr, refusal: &Refusal) -> Result<(), Ignored> {
        let exchange = self.take(now, from, &refusal.transaction)?;
        let is_first = self.identify(&exchange, refusal.id)?;
        self.view.refused += usize::from(is_first);
        self.round_trips.add(self.latest.saturating_duration_since(exchange.sent));
        Ok(())
    }

    /// Takes a query back that could not be sent. Its node is not asked again, but for a starting node without an id, a second later.
    pub fn unsent(&mut self, to: SocketAddr) {
        let Some(exchange) = self.exchanges.take_unsent(to) else { return };
        self.view.queries -= 1;
        self.view.unsent += 1;
        self.close(&exchange);
        if let Some(distance) = exchange.named
            && let Some(known) = self.candidates.find(distance, to)
        {
            // As if it had been asked as often as it may be.
            known.queries = limits::QUERIES_TO_STORER;
        }
    }

    /// Frees the places of queries that were waited for long enough, and ends a lookup that takes too long.
    /// [`poll_query`](Self::poll_query) does so too.
    pub fn time_out(&mut self, now: Instant) {
        self.latest = self.latest.max(now);
        let slot = self.round_trips.slot();
        while let Some(exchange) = self.exchanges.close_next(self.latest, slot) {
            self.close(&exchange);
        }
        if self.age() >= limits::LONGEST {
            self.finish(End::TooLong);
        }
    }

    /// When [`poll_query`](Self::poll_query) has to be called next if nothing arrives before; `None` after the end. Any call may
    /// change it.
    #[must_use]
    pub fn next_wake(&self) -> Option<Instant> {
        if self.end.is_some() {
            return None;
        }
        let slot = self.round_trips.slot();
        let closing = self.exchanges.open().map(|exchange| exchange.sent + slot);
        let doubtful = self.exchanges.open().map(|exchange| exchange.sent + slot / 2);
        let again = self.start_again().map(|(due, _)| due);
        let last = self.started + limits::LONGEST;
        let later = doubtful.chain(again).filter(|time| *time > self.latest);
        closing.chain(later).chain([last]).min()
    }

    /// Why the lookup ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    /// The numbers so far.
    #[must_use]
    pub fn view(&self) -> View {
        View { peers: self.peers.len(), round_trip: self.round_trips.median(), ..self.view }
    }

    /// The id with which the node at an address was named, if it was asked as a node with an id.
    #[must_use]
    pub fn named(&self, address: SocketAddr) -> Option<NodeId> {
        let is_it = |known: &&Candidate| known.queries > 0 && known.address.get() == address;
        self.candidates.iter().find(is_it).map(|known| self.candidates.id(known.distance))
    }

    /// The nodes that answered with the id that they were named with, the closest first: worth keeping for later lookups.
    pub fn nodes(&self) -> impl Iterator<Item = Contact> {
        let answered = |known: &&Candidate| known.state == State::Answered;
        let nodes = self.candidates.iter().filter(answered);
        nodes.map(|known| Contact { id: self.candidates.id(known.distance), address: known.address.get() })
    }
}

impl Lookup {
    /// The query that an answer belongs to.
    fn take(&mut self, now: Instant, from: SocketAddr, transaction: &[u8]) -> Result<Exchange, Ignored> {
        self.latest = self.latest.max(now);
        let exchange = self.exchanges.take(self.latest, from, transaction);
        self.view.unasked += usize::from(exchange.is_none());
        exchange.ok_or(Ignored::Unasked)
    }

    /// Checks the id of an answer, and notes that its node answered; gives whether for the first time. Without an id, as in an error,
    /// it is the one that the node was named with.
    fn identify(&mut self, exchange: &Exchange, id: Option<NodeId>) -> Result<bool, Ignored> {
        let to = exchange.to.get();
        let answered = id.map(|id| self.target.distance(&id)).or(exchange.named);
        let was_wrong = self.state_of(exchange).is_some_and(|state| *state == State::Misnamed);
        let is_right = !was_wrong
            && answered.is_none_or(|distance| {
                // libtorrent takes a new id when it learns its address; one that is valid there (BEP 42) cannot be chosen.
                let is_named = exchange.named.is_none()
                    || self.candidates.get(distance, to).is_some()
                    || self.candidates.is_proven(distance, to);
                is_named && !self.candidates.is_taken(distance, to)
            });
        let is_as_asked = is_right && exchange.named.is_none_or(|_| exchange.named == answered);
        let is_first = self.settle(exchange, if is_as_asked { State::Answered } else { State::Misnamed });
        if !is_right {
            self.view.misnamed += usize::from(is_first);
            return Err(Ignored::Misnamed);
        }
        let queries = self.starts.queries(to);
        if let Some(distance) = answered
            && let Some(known) = self.candidates.confirm(distance, to, queries)
        {
            self.view.silent -= usize::from(known.state == State::Silent);
            known.state = State::Answered;
        }
        self.view.answered += usize::from(is_first);
        Ok(is_first)
    }

    /// Sets the state of the node that was asked; gives whether it had not answered.
    fn settle(&mut self, exchange: &Exchange, state: State) -> bool {
        let before = self.state_of(exchange).map(|known| std::mem::replace(known, state));
        self.view.silent -= usize::from(before == Some(State::Silent));
        matches!(before, Some(State::Waiting(_) | State::Silent))
    }

    /// Notes that a query has no place any more.
    fn close(&mut self, exchange: &Exchange) {
        if let Some(state @ State::Waiting(_)) = self.state_of(exchange) {
            *state = State::Silent;
            self.view.silent += 1;
            if let Some(distance) = exchange.named {
                self.candidates.silence(distance, exchange.to.get());
            }
        }
    }

    /// The state of the node that was asked.
    fn state_of(&mut self, exchange: &Exchange) -> Option<&mut State> {
        match exchange.named {
            Some(distance) => self.candidates.find(distance, exchange.to.get()).map(|known| &mut known.state),
            None => self.starts.state(exchange.to.get()),
        }
    }

    fn accepts_node(&mut self, address: SocketAddr, policy: AddressPolicy) -> bool {
        let is_accepted = self.options.accepts(address, policy);
        self.view.dropped_nodes += usize::from(!is_accepted && self.options.is_of_family(address));
        is_accepted
    }

    /// Gives whether it is a candidate now that was none before.
    fn offer(&mut self, id: &NodeId, address: SocketAddr) -> bool {
        let is_asked = self.starts.is_asked(address.ip());
        self.candidates.offer(self.target.distance(id), address, is_asked)
    }

    /// Takes the closest nodes of a reply.
    fn take_nodes(&mut self, reply: &Reply, policy: AddressPolicy) {
        let mut nodes = reply.nodes.clone();
        nodes.retain(|node| self.accepts_node(node.address, policy));
        nodes.sort_by_key(|node| self.target.distance(&node.id));
        for node in nodes.iter().take(limits::NODES_OF_ANSWER) {
            self.offer(&node.id, node.address);
        }
    }

    /// The peers of a reply to hand on, and how many of them are new. Of a node's first list all are handed on.
    fn take_peers(&mut self, reply: &Reply, policy: AddressPolicy, is_first: bool) -> (Vec<SocketAddr>, usize) {
        let (mut peers, mut new) = (Vec::new(), 0);
        for peer in &reply.peers {
            let added = if self.options.accepts(*peer, policy) { self.peers.add(*peer) } else { Added::OverLimit };
            new += usize::from(added == Added::New);
            self.view.dropped_peers += usize::from(added == Added::OverLimit);
            if added == Added::New || added == Added::Known && is_first {
                peers.push(*peer);
            }
        }
        self.view.storers += usize::from(is_first && !reply.peers.is_empty());
        if new > 0 {
            self.view.first_peers.get_or_insert(self.age());
            self.view.last_peers = Some(self.age());
        }
        (peers, new)
    }
}
