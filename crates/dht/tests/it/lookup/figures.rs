//! What a lookup takes, in medians over many targets, and that it takes no more.

use crate::lookup::drive::{Course, run};
use crate::lookup::network::{Network, Torrent};
use crate::lookup::random::Random;
use dht::NodeId;
use dht::lookup::{Family, Lookup, Options, Start};
use guard::AddressPolicy;
use ids::InfoHash;
use std::fmt;
use std::time::{Duration, Instant};

/// What lookups start from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// 40 nodes of an earlier run, as many of them dead as of all.
    Saved,
    /// Three routers, alive.
    Routers,
}

/// Medians over targets, times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) first: f64,
    pub(crate) most: f64,
    pub(crate) last: f64,
    pub(crate) end: f64,
    pub(crate) queries: f64,
    /// The mean share of the stored peers that was found.
    pub(crate) share: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, most, last, end, queries, share } = self;
        write!(
            f,
            "first {first:.2} s, 90 % {most:.2} s, last {last:.2} s, end {end:.2} s, {queries} queries, {share:.3} of the peers"
        )
    }
}

/// A lookup of `torrent` with its starting nodes.
pub(crate) fn lookup(network: &Network, torrent: &Torrent, from: From, now: Instant, random: &mut Random) -> Lookup {
    let mut lookup = Lookup::new(InfoHash(torrent.target.0), Options::new(Family::V4, NodeId(random.bytes())), now);
    let mut left = match from {
        From::Saved => 40,
        From::Routers => 3,
    };
    while left > 0 {
        let node = &network.nodes[random.below(network.nodes.len())];
        let id = match from {
            From::Saved => Some(node.contact.id),
            From::Routers if node.is_alive => None,
            From::Routers => continue,
        };
        left -= 1;
        lookup.add_contact(Start { address: node.contact.address, id, policy: AddressPolicy::User });
    }
    lookup
}

/// The figures of lookups of `targets` torrents with `peers` peers each.
pub(crate) fn figures(network: &Network, from: From, peers: u16, targets: u64) -> Figures {
    let now = Instant::now();
    let mut courses: Vec<(Course, usize)> = Vec::new();
    for target in 0..targets {
        let mut random = Random(target);
        let torrent = network.torrent(NodeId(random.bytes()), peers, &mut random);
        let lookup = lookup(network, &torrent, from, now, &mut random);
        let course = run(lookup, now, |to, transaction| network.answer(to, transaction, &torrent, &mut random));
        courses.push((course, torrent.peers().len()));
    }
    let never = Duration::from_secs(99);
    let time = |of: &dyn Fn(&Course, usize) -> Option<Duration>| {
        median(courses.iter().map(|(course, stored)| of(course, *stored).unwrap_or(never).as_secs_f64()).collect())
    };
    Figures {
        first: time(&|course, _| course.view.first_peers),
        most: time(&|course, stored| course.known(stored * 9 / 10)),
        last: time(&|course, _| course.view.last_peers),
        end: time(&|course, _| course.view.done),
        queries: median(courses.iter().map(|(course, _)| course.view.queries as f64).collect()),
        share: courses.iter().map(|(course, stored)| course.peers.len() as f64 / *stored as f64).sum::<f64>()
            / targets as f64,
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

#[test]
fn lookups_stay_within_their_times_and_queries() {
    for (dead, from, most) in [
        (0.45, From::Saved, [0.24, 0.42, 0.7, 1.0, 85.0]),
        (0.45, From::Routers, [0.36, 0.5, 0.75, 1.1, 85.0]),
        (0.6, From::Saved, [0.32, 0.6, 1.0, 1.8, 112.0]),
        (0.6, From::Routers, [0.4, 0.65, 1.0, 1.8, 112.0]),
    ] {
        let figures = figures(&Network::new(4_000, dead, 0.72, 5), from, 300, 32);
        println!("{dead} dead, from {from:?}: {figures}");
        let Figures { first, most: ninety, last, end, queries, share } = figures;
        let found = [first, ninety, last, end, queries];
        assert!(
            found.iter().zip(most).all(|(found, most)| *found <= most) && share > 0.98,
            "{dead} {from:?}: {figures}"
        );
    }
}

#[test]
fn queries_are_left_for_the_closest_nodes_of_a_large_network() {
    let figures = figures(&Network::new(60_000, 0.0, 1.0, 5), From::Saved, 300, 8);
    println!("60,000 live nodes: {figures}");
    assert!(figures.queries <= 85.0 && figures.share > 0.97, "{figures}");
}
