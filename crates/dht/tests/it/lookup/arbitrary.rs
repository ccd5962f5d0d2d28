//! Whole lookups in networks that do anything: scripts of random bytes decide what each node does.

use crate::lookup::drive::run;
use crate::lookup::hostile::{lookup, near, place, start};
use dht::krpc::Reply;
use dht::{Contact, NodeId, Version};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// What nodes do, read from bytes; after the last one they are silent.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A node of a few hundred, most of them with an id that belongs to the address.
    fn node(&mut self) -> Option<Contact> {
        let (a, b) = (u32::from(self.byte()?), u32::from(self.byte()?));
        let id = if b > 250 { NodeId([0x55; 20]) } else { near(a / 2, b & 1) };
        let mut address = place(a << (b & 1));
        if b & 2 == 2 {
            address.set_port((b << 6) as u16);
        }
        Some(Contact { id, address })
    }

    fn answer(&mut self, transaction: [u8; 4]) -> Option<(Duration, Reply)> {
        let (kind, time) = (self.byte()?, self.byte()?);
        if kind < 100 {
            return None;
        }
        let mut reply = Reply::new(&transaction, self.node()?.id);
        if kind > 250 {
            reply.transaction.truncate(3);
        }
        reply.version = (kind & 1 == 1).then(|| Version::new(b"LT\x02\x11"));
        for _ in 0..kind & 15 {
            reply.nodes.push(self.node()?);
        }
        let peers = if kind & 16 == 16 { u32::from(self.byte()?) } else { 0 };
        reply.peers = (0..peers).map(|peer| place(peer * u32::from(kind))).collect();
        Some((Duration::from_millis(u64::from(time) * 10), reply))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The rules of `drive` hold, and what is counted adds up.
    #[test]
    fn a_lookup_among_arbitrary_nodes_ends_within_its_limits(
        starts in prop::collection::vec(any::<(u8, bool)>(), 0..20),
        script in prop::collection::vec(any::<u8>(), 0..4_000),
    ) {
        let (now, mut script) = (Instant::now(), Script(&script));
        let mut lookup = lookup(now);
        for (n, has_id) in starts {
            lookup.add_contact(start(place(n.into()), has_id.then(|| near(u32::from(n) / 2, 0))));
        }
        let course = run(lookup, now, |_, transaction| script.answer(transaction));
        let view = course.view;
        prop_assert_eq!(course.asked.values().sum::<usize>(), view.queries);
        prop_assert!(view.asked <= view.queries && view.storers <= view.answered && view.refused == 0);
        prop_assert_eq!(course.peers.len(), view.peers);
        prop_assert!(course.lookup.nodes().count() <= view.answered);
        prop_assert_eq!(view.first_peers.is_some(), view.peers > 0);
        prop_assert!(view.first_peers <= view.last_peers && view.last_peers <= view.done);
    }
}
