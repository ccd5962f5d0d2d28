//! The lookup of an info-hash in one family of addresses: the state machine of [`dht::lookup`], a socket, the pace.

use crate::discovery::dht::asked_nodes::AskedNodes;
use crate::discovery::dht::further::{Further, Question};
use crate::discovery::dht::terms::Terms;
use crate::discovery::dht::wakes::Wakes;
use crate::discovery::source::NamedPeers;
use crate::net::entropy;
use crate::shared::Shared;
use crate::shared::dht::exchanges::Exchanges;
use crate::shared::udp::queries::Answer;
use dht::Contact;
use dht::krpc::{Message, Query, Refusal, Reply};
use dht::lookup::{End, Family, Ignored, Lookup, Options, Start, View};
use guard::AddressPolicy;
use ids::InfoHash;
use nix::errno::Errno;
use report::{DhtStatus, Source};
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::mem::take;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tracing::debug;
use tracker::{Peer, PeerAddress};

/// The code of an error about a query that its node cannot read. aio-btdht sends it for `want`, and is asked once without.
const PROTOCOL_ERROR: i64 = 203;

/// How long a query waits until its node's address may be sent another one; the lookup holds a place for it meanwhile.
const HELD_BACK: Duration = Duration::from_secs(1);

/// How long a node is silent until it is no start of later lookups, in a lookup that has not ended by itself.
const SILENT: Duration = Duration::from_secs(1);

/// A lookup that has begun.
#[derive(Debug)]
pub(crate) struct FamilyLookup {
    pub(crate) family: Family,
    info_hash: InfoHash,
    shared: Shared,
    max_peers: usize,
    exchanges: Exchanges,
    lookup: Lookup,
    begun: Instant,
    pub(crate) nodes: AskedNodes,
    pub(crate) further: Further,
    /// Queries that may have to be sent without `want`, by their node; `None` once one was.
    wants: HashMap<SocketAddr, Option<Query>>,
    /// Queries to addresses that were sent enough, and the turn that each has there.
    held_back: VecDeque<(Instant, SocketAddr, Query)>,
    wakes: Wakes,
    /// When there is something to do if nothing arrives before.
    wake: Option<Instant>,
    /// Whether there is something to do now.
    is_due: bool,
    /// A transaction id that was drawn.
    unused: Option<[u8; 4]>,
    /// When the pace allows the next datagram, if it does not now.
    paced: Option<Instant>,
    /// Peers that have not been given out.
    found: VecDeque<NamedPeers>,
    /// Nodes of the other family that were named.
    pub(crate) others: Vec<Start>,
    /// How many nodes had answered the lookup of the torrent's other info-hash when they were given to this one.
    pub(crate) given: usize,
    is_over: bool,
    /// Why nothing could be sent.
    pub(crate) send_error: Option<io::Error>,
}

impl FamilyLookup {
    /// A lookup whose times are counted from `begun`.
    ///
    /// # Errors
    /// No socket.
    pub(crate) fn begin(family: Family, info_hash: InfoHash, begun: Instant, terms: &Terms) -> io::Result<Self> {
        let Terms { shared, .. } = terms;
        let network = shared.dht();
        let exchanges = Exchanges::new(network.socket(terms.route, family)?);
        debug!(%info_hash, ?family, "lookup in the DHT");
        Ok(Self {
            family,
            info_hash,
            max_peers: terms.max_peers,
            lookup: Lookup::new(info_hash, Options::new(family, network.id()), begun.into_std()),
            begun,
            nodes: AskedNodes::new(Some(info_hash)),
            further: Further::default(),
            wants: HashMap::new(),
            held_back: VecDeque::new(),
            wakes: Wakes::new(&exchanges),
            exchanges,
            wake: None,
            is_due: true,
            unused: None,
            paced: None,
            found: VecDeque::new(),
            others: Vec::new(),
            given: 0,
            is_over: false,
            send_error: None,
            shared: shared.clone(),
        })
    }

    /// Adds a node to start from.
    pub(crate) fn add(&mut self, start: Start) {
        self.lookup.add_contact(start);
        self.is_due = true;
        self.is_over &= self.lookup.ended().is_some();
    }

    /// The next peers, as a node names them. Pending until there are more, or nothing is left to do: then
    /// [`is_over`](Self::is_over).
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<NamedPeers> {
        loop {
            if let Some(named) = self.found.pop_front() {
                return Poll::Ready(named);
            }
            // The run polls far more often than there is something to do.
            if self.is_over || !self.is_due && self.wakes.poll(context, &self.exchanges, self.wake).is_pending() {
                return Poll::Pending;
            }
            self.is_due = self.work();
            if self.is_due && self.found.is_empty() {
                // Others get their turn before more is read.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Does all that can be done now; says whether more may have to be read.
    fn work(&mut self) -> bool {
        let (answers, is_more) = self.exchanges.answers();
        answers.into_iter().for_each(|answer| self.answered(answer));
        let now = Instant::now();
        self.send(now);
        if self.further.is_over(self.lookup.ended().is_some(), now) {
            self.finish();
            return false;
        }
        let wake = self.lookup.next_wake().map(Instant::from_std);
        let held_back = self.held_back.iter().map(|(due, ..)| *due);
        self.wake = wake.into_iter().chain(self.paced).chain(self.further.next_wake(now)).chain(held_back).min();
        is_more
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over && self.found.is_empty()
    }

    /// Whether it waits for the pace.
    pub(crate) fn is_paced(&self) -> bool {
        self.paced.is_some() && !self.is_over
    }

    /// The numbers so far.
    pub(crate) fn view(&self) -> View {
        self.lookup.view()
    }

    /// How long it has taken.
    pub(crate) fn elapsed(&self) -> Duration {
        self.view().done.unwrap_or_else(|| self.begun.elapsed())
    }

    /// Whether a node that is named now can be of use: it goes on, or has ended for lack of nodes.
    pub(crate) fn needs_nodes(&self) -> bool {
        matches!(self.lookup.ended(), None | Some(End::NoAnswer | End::Exhausted))
    }

    /// Whether it has no way to closer nodes: none has answered yet, or all that were named have been asked.
    pub(crate) fn lacks_nodes(&self) -> bool {
        self.view().answered == 0 || self.lookup.ended() == Some(End::Exhausted)
    }

    /// The nodes that have answered.
    pub(crate) fn known(&self) -> impl Iterator<Item = Contact> {
        self.lookup.nodes()
    }

    /// Why it ended; `None` if it has not.
    pub(crate) fn ended(&self) -> Option<DhtStatus> {
        let view = self.view();
        Some(match self.lookup.ended()? {
            End::NoAnswer if view.queries == 0 && self.is_without_route() => DhtStatus::NoRoute,
            End::NoAnswer if view.queries == 0 && self.send_error.is_some() => DhtStatus::LocalLimit,
            end => status(end, view.answered),
        })
    }

    fn is_without_route(&self) -> bool {
        self.send_error.as_ref().is_some_and(is_without_route)
    }

    /// Keeps what later lookups start from.
    pub(crate) fn finish(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.paced = None;
            // A run with other sources may end before the lookup does.
            let patience = if self.lookup.ended().is_some() { Duration::ZERO } else { SILENT };
            let before = self.begun.elapsed().checked_sub(patience);
            self.shared.dht().forget(&before.into_iter().flat_map(|before| self.nodes.useless(before)).collect());
            let is_liar = |node: SocketAddr| self.nodes.get(node).is_some_and(|node| node.is_liar == Some(true));
            let honest = self.lookup.nodes().filter(|node| !is_liar(node.address));
            self.shared.dht().remember(honest);
        }
    }
}

impl FamilyLookup {
    /// Sends what the lookup asks for, and after that further questions, as far as the pace allows.
    fn send(&mut self, now: Instant) {
        self.lookup.time_out(now.into_std());
        self.paced = None;
        if self.lookup.ended().is_some() {
            for (_, to, _) in std::mem::take(&mut self.held_back) {
                self.unsent(to, "the lookup ended before its address could be sent more".to_owned());
            }
        }
        loop {
            if let Err(due) = self.shared.dht().due(now) {
                self.paced = Some(due);
                return;
            }
            let Ok(transaction) = self.unused.take().map_or_else(entropy::bytes, Ok) else { return };
            if let Some(place) = self.held_back.iter().position(|(due, ..)| *due <= now)
                && let Some((_, to, query)) = self.held_back.remove(place)
            {
                self.unused = Some(transaction);
                self.put(to, query, now);
            } else if let Some((to, query)) = self.lookup.poll_query(now.into_std(), transaction) {
                self.ask(to, query, now);
            } else if !self.ask_further(transaction, now) {
                self.unused = Some(transaction);
                return;
            }
        }
    }

    fn ask(&mut self, to: SocketAddr, query: Query, now: Instant) {
        self.nodes.asked(to, self.lookup.named(to), now - self.begun);
        match self.shared.dht().reserve(to.ip(), now, HELD_BACK) {
            Some(due) if due > now => self.held_back.push_back((due, to, query)),
            Some(_) => self.put(to, query, now),
            None => self.unsent(to, "its address was sent enough for now".to_owned()),
        }
    }

    /// Sends a query in its turn at the node's address.
    fn put(&mut self, to: SocketAddr, query: Query, now: Instant) {
        match self.send_datagram(to, query.transaction, &query.encode(), now) {
            Ok(()) => {
                self.nodes.sent(to);
                self.wants.entry(to).or_insert(Some(query));
            }
            Err(error) => {
                self.unsent(to, error.to_string());
                self.send_error = Some(error);
            }
        }
    }

    fn unsent(&mut self, to: SocketAddr, why: String) {
        self.lookup.unsent(to);
        self.nodes.unsent(to, why);
    }

    fn send_datagram(&self, to: SocketAddr, transaction: [u8; 4], datagram: &[u8], now: Instant) -> io::Result<()> {
        self.exchanges.send(to, transaction, datagram)?;
        self.shared.dht().sent(now);
        Ok(())
    }

    /// Asks one further question; says whether there was one.
    fn ask_further(&mut self, transaction: [u8; 4], now: Instant) -> bool {
        let Self { further, nodes, .. } = self;
        let known = |node, is_liar| {
            if let Some(node) = nodes.get_mut(node) {
                node.is_liar = Some(is_liar);
            }
        };
        let Some((to, question)) = further.next(now, self.shared.dht(), known) else { return false };
        if let Err(due) = self.shared.dht().take(to.ip(), now) {
            self.further.postpone(to, question, due, self.shared.dht());
            return true;
        }
        let query = Query { transaction, id: self.shared.dht().id(), method: question.method(self.info_hash) };
        if self.send_datagram(to, transaction, &query.encode(), now).is_ok() {
            self.further.sent(to, transaction, question);
        }
        true
    }

    fn answered(&mut self, answer: Answer) {
        let Answer { from, at, message } = answer;
        let question = self.further.take(from, message.transaction());
        match (question, message) {
            (Some(Question::Control(_)), Message::Reply(reply)) => self.judge(from, !reply.peers.is_empty()),
            (Some(Question::Control(_)), _) => self.judge(from, false),
            (Some(Question::Filters), Message::Reply(Reply { filters: Some(filters), .. })) => {
                self.further.filters(from, &filters);
            }
            (None, Message::Reply(reply)) => self.replied(from, at, &reply),
            (None, Message::Error(refusal)) => self.refused(from, at, &refusal),
            _ => {}
        }
    }

    fn judge(&mut self, node: SocketAddr, is_liar: bool) {
        self.shared.dht().judge(node, is_liar);
        if let Some(node) = self.nodes.get_mut(node) {
            node.is_liar = Some(is_liar);
        }
    }

    fn replied(&mut self, from: SocketAddr, at: Instant, reply: &Reply) {
        match self.lookup.reply(at.into_std(), from, reply) {
            Ok(news) => {
                let mut peers = news.peers;
                peers.truncate(self.max_peers);
                let is_first = self.nodes.get(from).is_none_or(|node| node.peers == 0);
                self.nodes.replied(from, news.round_trip, reply, peers.len());
                self.take_others(from, reply);
                if peers.is_empty() {
                    return;
                }
                debug!(node = %from, peers = peers.len(), "the DHT names peers");
                if is_first {
                    self.further.storer(from, reply);
                }
                self.found.push_back(self.named(from, &peers));
            }
            Err(Ignored::Misnamed) => self.nodes.misnamed(from, Some(reply.id)),
            Err(_) => {}
        }
    }

    /// Nodes of the other family: that is another DHT, for which `want` asks too (BEP 32).
    fn take_others(&mut self, from: SocketAddr, reply: &Reply) {
        let policy = AddressPolicy::for_peers_of(from.ip());
        let is_other = |address: SocketAddr| address.is_ipv6() == (self.family == Family::V4);
        let others =
            reply.nodes.iter().filter(|node| is_other(node.address)).take(dht::lookup::limits::NODES_OF_ANSWER);
        self.others.extend(others.map(|node| Start { address: node.address, id: Some(node.id), policy }));
    }

    fn refused(&mut self, from: SocketAddr, at: Instant, refusal: &Refusal) {
        if refusal.code == PROTOCOL_ERROR
            && let Some(query) = self.wants.get_mut(&from).and_then(take)
            && refusal.transaction == query.transaction
            && self.shared.dht().take(from.ip(), at).is_ok()
            && self.send_datagram(from, query.transaction, &query.encode_without_want(), at).is_ok()
        {
            self.further.sent += 1;
            return;
        }
        match self.lookup.refused(at.into_std(), from, refusal) {
            Ok(()) => {
                let asked = self.nodes.get(from).map_or(Duration::ZERO, |node| node.asked);
                let round_trip = (at - self.begun).saturating_sub(asked);
                self.nodes.refused(from, round_trip, refusal);
            }
            Err(Ignored::Misnamed) => self.nodes.misnamed(from, refusal.id),
            Err(_) => {}
        }
    }

    fn named(&self, node: SocketAddr, peers: &[SocketAddr]) -> NamedPeers {
        let peer = |address: &SocketAddr| Peer {
            address: PeerAddress::Socket(*address),
            peer_id: None,
            requires_crypto: None,
        };
        NamedPeers {
            peers: peers.iter().map(peer).collect(),
            takes_utp: HashSet::new(),
            source: Source::Dht(node),
            // The ports below 1024 are left out by the lookup, those of the web too.
            policy: AddressPolicy::for_peers_of(node.ip()),
            info_hash: self.info_hash,
            own_addresses: Vec::new(),
            report: None,
        }
    }
}

/// How a lookup ended for which something was sent.
fn status(end: End, answered: usize) -> DhtStatus {
    match end {
        // Whatever else ended it: nothing was learned of the torrent, nor was a closer node named.
        End::Queries | End::TooLong if answered == 0 => DhtStatus::NoAnswer,
        End::NoAnswer => DhtStatus::NoAnswer,
        End::Closest => DhtStatus::Ok,
        End::Queries => DhtStatus::QueryLimit,
        End::TooLong => DhtStatus::TooLong,
        End::Exhausted | _ => DhtStatus::FewNodes,
    }
}

/// Whether a datagram was not sent because this machine has no way there.
pub(crate) fn is_without_route(error: &io::Error) -> bool {
    use Errno::{EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EHOSTUNREACH, EINVAL, ENETDOWN, ENETUNREACH, EPERM};
    let code = error.raw_os_error().map(Errno::from_raw);
    code.is_some_and(|code| {
        matches!(code, EACCES | EADDRNOTAVAIL | EAFNOSUPPORT | EHOSTUNREACH | EINVAL | ENETDOWN | ENETUNREACH | EPERM)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::torrent_ref::TorrentRef;
    use std::task::Waker;

    /// On a machine without IPv6, nodes of IPv4 name hundreds of IPv6 nodes.
    #[tokio::test]
    async fn what_cannot_be_sent_costs_nothing_of_the_pace() {
        let config = Config { dht_bootstrap: Vec::new(), ..Config::default() };
        let shared = Shared::new(&config).unwrap();
        let terms = Terms::new(&TorrentRef::from(InfoHash([1; 20])), &config, &shared);
        let mut lookup = FamilyLookup::begin(Family::V6, InfoHash([1; 20]), Instant::now(), &terms).unwrap();
        // IPv4 in a socket of IPv6 alone: no kernel sends that.
        let ends = [1, 2, 3, 4, 5, 6, 7, 8];
        let address = |end: u16| SocketAddr::from(([0, 0, 0, 0, 0, 0xffff, 0x7f00, end], 6881));
        ends.iter().for_each(|end| {
            lookup.add(Start { address: address(*end), id: None, policy: AddressPolicy::User });
        });
        assert!(lookup.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(lookup.send_error.is_some() && lookup.view().queries == 0);
        let now = Instant::now();
        let rest = (0..100).take_while(|_| shared.dht().due(now).map(|()| shared.dht().sent(now)).is_ok()).count();
        assert!(rest > 60, "{rest} of a quarter of a second's");
    }

    #[test]
    fn many_nodes_of_which_none_answers_are_no_limit() {
        for (end, none, some) in [
            (End::Closest, DhtStatus::Ok, DhtStatus::Ok),
            (End::Queries, DhtStatus::NoAnswer, DhtStatus::QueryLimit),
            (End::TooLong, DhtStatus::NoAnswer, DhtStatus::TooLong),
            (End::Exhausted, DhtStatus::FewNodes, DhtStatus::FewNodes),
        ] {
            assert_eq!((status(end, 0), status(end, 1)), (none, some), "{end:?}");
        }
    }
}
