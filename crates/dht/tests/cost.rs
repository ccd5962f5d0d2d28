//! What one lookup takes of memory and of time, in the simulated network.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers of the tests")]
#![allow(dead_code, reason = "the modules serve the tests of lookups too")]

#[path = "it/lookup"]
mod lookup {
    pub(crate) mod drive;
    pub(crate) mod network;
    pub(crate) mod random;
}

use dht::NodeId;
use dht::lookup::{Family, Lookup, Options, Start};
use guard::AddressPolicy;
use ids::InfoHash;
use lookup::drive::run;
use lookup::network::{Network, Torrent};
use lookup::random::Random;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::collections::HashMap;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most bytes that a lookup of 300 peers holds at its end, when it holds most.
const HELD: usize = 16 << 10;

/// The time is printed, not checked: `cargo test --release -p dht --test cost -- --nocapture`.
#[test]
fn a_lookup_holds_at_most_16_kib() {
    let network = Network::new(4_000, 0.45, 0.0, 5);
    for target in 0..16 {
        let mut random = Random(target);
        let torrent = network.torrent(NodeId(random.bytes()), 300, &mut random);
        let now = Instant::now();
        let lookup = lookup(&network, &torrent, now, &mut random);
        // The answers are recorded, so that the second run has nothing else to do.
        let mut answers = HashMap::new();
        run(lookup.clone(), now, |to, transaction| {
            let answer = network.answer(to, transaction, &torrent, &mut random);
            answers.insert((to, transaction), answer.clone());
            answer
        });
        let begun = Instant::now();
        let course = run(lookup, now, |to, transaction| answers.remove(&(to, transaction)).flatten());
        let took = begun.elapsed();
        let view = course.view;
        let with_lookup = allocated();
        drop(course.lookup);
        let held = with_lookup - allocated() + size_of::<Lookup>();
        println!("{held} bytes, {took:?} with the test's own share, {} queries, {} peers", view.queries, view.peers);
        assert!(held <= HELD, "{held} bytes");
    }
}

/// Bytes allocated now.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// A lookup that starts from 40 nodes of an earlier run.
fn lookup(network: &Network, torrent: &Torrent, now: Instant, random: &mut Random) -> Lookup {
    let mut lookup = Lookup::new(InfoHash(torrent.target.0), Options::new(Family::V4, NodeId([1; 20])), now);
    for _ in 0..40 {
        let node = &network.nodes[random.below(network.nodes.len())].contact;
        lookup.add_contact(Start { address: node.address, id: Some(node.id), policy: AddressPolicy::User });
    }
    lookup
}
