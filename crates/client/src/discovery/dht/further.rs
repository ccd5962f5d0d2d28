//! What nodes that named peers are asked beside the lookup: whether they invent peers, and how large the swarm is (BEP 33).

use crate::shared::dht::DhtNetwork;
use crate::shared::dht::control::Verdict;
use dht::krpc::{Method, Reply};
use dht::{Filters, Software};
use ids::InfoHash;
use report::DhtEstimate;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long after the end of a lookup these questions may go on.
const AFTER_THE_END: Duration = Duration::from_millis(500);

/// Nodes of libtorrent that are asked for filters; no other software has any.
const FILTERS: usize = 8;

/// Most addresses that one node's filters may count. libtorrent keeps 500 peers of a torrent, and the estimate of so many errs by
/// 2 %: one node that claims more would say for all of them that there are more than can be counted.
const MOST_COUNTED: f64 = 600.0;

/// A question beside the lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// For the peers of a random info-hash.
    Control(InfoHash),
    /// For the filters of the torrent.
    Filters,
}

/// The further questions of one lookup.
#[derive(Debug, Default)]
pub(crate) struct Further {
    /// To be asked, and not before when.
    waiting: VecDeque<(SocketAddr, Kind, Option<Instant>)>,
    open: HashMap<(SocketAddr, [u8; 4]), Question>,
    filters_asked: usize,
    filters: Filters,
    filters_from: HashSet<SocketAddr>,
    /// When all of it ends; set at the end of the lookup.
    ends: Option<Instant>,
    /// Datagrams beside those of the lookup.
    pub(crate) sent: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Control,
    Filters,
}

impl Further {
    /// A node has named peers for the first time.
    pub(crate) fn storer(&mut self, node: SocketAddr, reply: &Reply) {
        self.waiting.push_front((node, Kind::Control, None));
        let is_libtorrent = reply.version.as_ref().and_then(|version| version.software()) == Some(Software::Libtorrent);
        if is_libtorrent && self.filters_asked < FILTERS {
            self.filters_asked += 1;
            self.waiting.push_back((node, Kind::Filters, None));
        }
    }

    /// The next question that is due, and what to ask. A node whose verdict is known already is not asked; it is given to `known`.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        network: &DhtNetwork,
        mut known: impl FnMut(SocketAddr, bool),
    ) -> Option<(SocketAddr, Question)> {
        for _ in 0..self.waiting.len() {
            let (node, kind, due) = self.waiting.pop_front()?;
            if due.is_some_and(|due| due > now) {
                self.waiting.push_back((node, kind, due));
                continue;
            }
            if kind == Kind::Filters {
                return Some((node, Question::Filters));
            }
            match network.verdict(node) {
                Verdict::Known(is_liar) => known(node, is_liar),
                Verdict::Unknown => {
                    if let Some(info_hash) = network.question() {
                        return Some((node, Question::Control(info_hash)));
                    }
                }
            }
        }
        None
    }

    /// Puts a question back that its node's limit does not allow before then.
    pub(crate) fn postpone(&mut self, node: SocketAddr, question: Question, due: Instant, network: &DhtNetwork) {
        let kind = match question {
            Question::Filters => Kind::Filters,
            Question::Control(_) => {
                // It is taken anew then.
                network.give_back_question();
                Kind::Control
            }
        };
        self.waiting.push_back((node, kind, Some(due)));
    }

    /// Notes that a question was sent.
    pub(crate) fn sent(&mut self, node: SocketAddr, transaction: [u8; 4], question: Question) {
        self.sent += 1;
        self.open.insert((node, transaction), question);
    }

    /// The question that an answer is for, if it is one of these.
    pub(crate) fn take(&mut self, node: SocketAddr, transaction: &[u8]) -> Option<Question> {
        let transaction: [u8; 4] = transaction.try_into().ok()?;
        self.open.remove(&(node, transaction))
    }

    /// Takes a node's filters, unless they count more than a node keeps.
    pub(crate) fn filters(&mut self, from: SocketAddr, filters: &Filters) {
        if filters.seeds.estimate().count + filters.peers.estimate().count <= MOST_COUNTED {
            self.filters.union(filters);
            self.filters_from.insert(from);
        }
    }

    /// How large the swarms are together, if any node told: filters hold addresses, so that their union counts one of both swarms of
    /// a hybrid once (BEP 33).
    pub(crate) fn estimate<'f>(all: impl Iterator<Item = &'f Self>) -> Option<DhtEstimate> {
        let (mut filters, mut nodes) = (Filters::default(), HashSet::<SocketAddr>::new());
        for further in all {
            filters.union(&further.filters);
            nodes.extend(&further.filters_from);
        }
        (!nodes.is_empty()).then(|| DhtEstimate::new(&filters, nodes.len()))
    }

    /// When something is to be done next; nothing after the end.
    pub(crate) fn next_wake(&self, now: Instant) -> Option<Instant> {
        let due = self.waiting.iter().filter_map(|(.., due)| *due).filter(|due| *due > now).min();
        due.into_iter().chain(self.ends).min()
    }

    /// Whether all is over, in a lookup that has `ended` or has not.
    pub(crate) fn is_over(&mut self, ended: bool, now: Instant) -> bool {
        self.ends = if ended { self.ends.or(Some(now + AFTER_THE_END)) } else { None };
        let is_idle = self.waiting.is_empty() && self.open.is_empty();
        self.ends.is_some_and(|ends| is_idle || ends <= now)
    }
}

impl Question {
    /// As a query about the torrent.
    pub(crate) fn method(self, torrent: InfoHash) -> Method {
        match self {
            Self::Control(info_hash) => Method::GetPeers { info_hash, scrape: false },
            Self::Filters => Method::GetPeers { info_hash: torrent, scrape: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::shared::udp::UdpSockets;
    use dht::{NodeId, Version};
    use peer_session::ByteBudget;
    use std::sync::Arc;

    fn node(n: u8) -> SocketAddr {
        ([9, 9, 9, n], 6881).into()
    }

    #[tokio::test(start_paused = true)]
    async fn eight_nodes_of_libtorrent_are_asked_for_filters_and_each_storer_for_what_is_not_there() {
        let network = DhtNetwork::new(&Limits::default(), Arc::new(UdpSockets::new(0, ByteBudget::new(0)))).unwrap();
        let (mut further, now) = (Further::default(), Instant::now());
        network.judge(node(1), true);
        for n in 0..20 {
            let mut reply = Reply::new(b"abcd", NodeId([n; 20]));
            reply.version = (n % 2 == 0).then(|| Version::new(b"LT\x02\x0b"));
            further.storer(node(n), &reply);
        }
        let (mut known, mut asked) = (Vec::new(), Vec::new());
        while let Some((to, question)) = further.next(now, &network, |node, is_liar| known.push((node, is_liar))) {
            asked.push((to, question == Question::Filters));
        }
        assert_eq!((known, asked.len()), (vec![(node(1), true)], 19 + FILTERS));
        let filters: Vec<_> = asked.iter().filter(|(_, is_filters)| *is_filters).map(|(node, _)| *node).collect();
        assert_eq!(filters, [0, 2, 4, 6, 8, 10, 12, 14].map(node));
    }

    #[test]
    fn filters_of_more_peers_than_a_node_keeps_are_left_out() {
        let with = |byte, bytes: usize| {
            let mut filters = Filters::default();
            filters.peers.0.iter_mut().take(bytes).for_each(|bits| *bits = byte);
            filters
        };
        let mut further = Further::default();
        further.filters(node(1), &with(0xff, 256));
        further.filters(node(2), &with(0xff, 128));
        assert_eq!(Further::estimate([&further].into_iter()), None);
        further.filters(node(3), &with(0x01, 80));
        further.filters(node(4), &with(0x01, 80));
        let estimate = Further::estimate([&further].into_iter()).unwrap();
        assert_eq!((estimate.seeds, estimate.leechers, estimate.nodes, estimate.is_lower_bound), (0, 41, 2, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_is_put_off_costs_nothing_of_the_budget() {
        let network = DhtNetwork::new(&Limits::default(), Arc::new(UdpSockets::new(0, ByteBudget::new(0)))).unwrap();
        let (mut further, mut now) = (Further::default(), Instant::now());
        further.storer(node(1), &Reply::new(b"abcd", NodeId([1; 20])));
        for _ in 0..100 {
            let (to, question) = further.next(now, &network, |_, _| ()).unwrap();
            further.postpone(to, question, now + Duration::from_secs(1), &network);
            now += Duration::from_secs(1);
        }
        assert!(further.next(now, &network, |_, _| ()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn they_end_half_a_second_after_the_lookup() {
        let network = DhtNetwork::new(&Limits::default(), Arc::new(UdpSockets::new(0, ByteBudget::new(0)))).unwrap();
        let (mut further, now) = (Further::default(), Instant::now());
        assert!(!further.is_over(false, now) && further.is_over(true, now));
        further.sent(node(1), *b"abcd", Question::Filters);
        further.postpone(node(2), Question::Filters, now + Duration::from_secs(1), &network);
        assert!(further.next(now, &network, |_, _| ()).is_none());
        assert!(!further.is_over(true, now));
        assert_eq!(further.next_wake(now), Some(now + AFTER_THE_END));
        assert!(further.is_over(true, now + AFTER_THE_END));
        // The lookup may go on again.
        assert!(!further.is_over(false, now + AFTER_THE_END));
        assert_eq!(further.take(node(1), b"abcd"), Some(Question::Filters));
        assert_eq!(further.take(node(1), b"abcd"), None);
    }
}
