//! A lookup from its start to its end, event by event, with the rules that hold in any network.

use dht::krpc::Reply;
use dht::lookup::{End, Lookup, View, limits};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The most queries to one address: one as a starting node, again, and for more peers.
const TO_ONE: usize = 4;

/// How a lookup went.
pub(crate) struct Course {
    pub(crate) end: End,
    pub(crate) view: View,
    /// When each peer was named first.
    pub(crate) peers: BTreeMap<SocketAddr, Duration>,
    /// How often each address was asked.
    pub(crate) asked: BTreeMap<SocketAddr, usize>,
    /// The lookup at its end.
    pub(crate) lookup: Lookup,
}

impl Course {
    /// When `count` peers were known.
    pub(crate) fn known(&self, count: usize) -> Option<Duration> {
        let mut times: Vec<Duration> = self.peers.values().copied().collect();
        times.sort();
        times.get(count.saturating_sub(1)).copied()
    }
}

/// Runs a lookup that starts at `start` to its end. `answer` says what a node answers to a query with a transaction id, and after
/// what time.
pub(crate) fn run(
    mut lookup: Lookup,
    start: Instant,
    mut answer: impl FnMut(SocketAddr, [u8; 4]) -> Option<(Duration, Reply)>,
) -> Course {
    let (mut now, mut transaction) = (start, 0_u32);
    let mut arrivals: BTreeMap<(Instant, u32), (SocketAddr, Reply)> = BTreeMap::new();
    let (mut peers, mut asked) = (BTreeMap::new(), BTreeMap::new());
    loop {
        while let Some((to, query)) = lookup.poll_query(now, transaction.to_be_bytes()) {
            transaction += 1;
            let of_node: &mut usize = asked.entry(to).or_default();
            *of_node += 1;
            assert!(*of_node <= TO_ONE, "{to} was asked {of_node} times");
            if let Some((time, reply)) = answer(to, query.transaction) {
                arrivals.insert((now + time, transaction), (to, reply));
            }
        }
        let view = lookup.view();
        assert!(view.queries <= limits::QUERIES + limits::QUERIES_IF_SILENT, "{view:?}");
        assert!(view.asked >= view.answered + view.silent + view.misnamed, "{view:?}");
        if let Some(end) = lookup.ended() {
            assert!(now <= start + limits::LONGEST && lookup.next_wake().is_none());
            return Course { end, view, peers, asked, lookup };
        }
        let wake = lookup.next_wake().expect("a lookup that has not ended wakes up");
        assert!(wake > now, "a lookup that was drained wakes up later");
        match arrivals.first_entry() {
            Some(arrival) if arrival.key().0 <= wake => {
                now = arrival.key().0;
                let (from, reply) = arrival.remove();
                for peer in lookup.reply(now, from, &reply).map(|news| news.peers).unwrap_or_default() {
                    peers.entry(peer).or_insert(now - start);
                }
            }
            _ => now = wake,
        }
    }
}
