//! What one process remembers of the peers that it met: hashes, in memory alone.

use ids::InfoHash;
use report::{Met, Observation, Outcome, PeerReport, Role};
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// Most different peers that are remembered of one torrent, and of all together (some 16 MB). Counts stop there.
const MOST_OF_ONE: usize = 10_000;
const MOST_OF_ALL: usize = 1_000_000;

/// The peers that a process met in its rounds, by a keyed hash of their addresses. The key is drawn when it is made, and neither key
/// nor hashes are ever stored: only counts are, and from those no address can be found.
#[derive(Debug, Default)]
pub struct MetPeers {
    key: RandomState,
    torrents: HashMap<InfoHash, Torrent>,
    /// Peers of all torrents.
    peers: usize,
}

#[derive(Debug, Default)]
struct Torrent {
    peers: HashSet<u64>,
    /// Seeds of the last run that says something of the swarm; `None` in the first.
    seeds_before: Option<HashSet<u64>>,
}

/// The seeds of one run so far. Two runs of one round may be about the same torrent, which is given twice; and one that is
/// interrupted leaves nothing behind.
#[derive(Debug, Default)]
pub struct MetSeeds(HashSet<u64>);

impl MetPeers {
    /// Counts a peer of a run about this torrent, among whose seeds it is if it is one.
    pub fn count(&mut self, info_hash: InfoHash, report: &PeerReport, MetSeeds(seeds): &mut MetSeeds) {
        let hash = self.key.hash_one(&report.address);
        let torrent = self.torrents.entry(info_hash).or_default();
        let has_room = torrent.peers.len() < MOST_OF_ONE && self.peers < MOST_OF_ALL;
        if has_room && torrent.peers.insert(hash) {
            self.peers += 1;
        }
        let is_seed = report.outcome == Outcome::Ok && report.role == Role::Seed && report.counts_as_client();
        if is_seed && seeds.len() < MOST_OF_ONE {
            seeds.insert(hash);
        }
    }

    /// Ends a run with these seeds, and notes the counts in its observation. One that says nothing of the swarm makes no seed gone.
    pub fn end_run(&mut self, observation: &mut Observation, MetSeeds(seeds): MetSeeds) {
        let torrent = self.torrents.entry(observation.info_hash).or_default();
        let difference =
            |from: &HashSet<u64>, to: &HashSet<u64>| u32::try_from(from.difference(to).count()).unwrap_or(u32::MAX);
        let mut met = Met { distinct_peers: u32::try_from(torrent.peers.len()).unwrap_or(u32::MAX), ..Met::default() };
        if observation.is_of_swarm() {
            if let Some(before) = &torrent.seeds_before {
                met.seeds_new = difference(&seeds, before);
                met.seeds_gone = difference(before, &seeds);
            }
            torrent.seeds_before = Some(seeds);
        }
        observation.met = Some(met);
    }
}
