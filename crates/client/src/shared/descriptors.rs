//! How the descriptor limit of the process is divided, and how many connections memory bears.

use nix::sys::resource::{Resource, getrlimit};
use tokio::sync::Semaphore;

/// Descriptors of the standard streams, the runtime and the port that is held.
const OUR_DESCRIPTORS: usize = 12;
/// Descriptors left to the program that uses this crate; where they are few, a 32nd of them.
const HOST_DESCRIPTORS: usize = 64;
/// Runs that it makes sense to begin at the same time; where descriptors are few, one for 32 of them.
const RUNS: usize = 16;
/// The same of runs that only scrape: these share their requests, and cost little.
const SCRAPES: usize = 128;
/// Trackers at once in all runs: enough for 16 that each wait for 64 silent ones, so that the slow trackers of one delay no
/// other. Where descriptors are few, an eighth of them; and a sixteenth for goodbyes, which have no time to wait for those.
const TRACKERS_OF_ALL: usize = RUNS * 64;
/// Connections to trackers kept for later requests; where descriptors are few, a sixteenth of them.
const KEPT: usize = 64;
/// Memory that this program may take for connections in flight together, when the user did not choose how many there may be.
const IN_FLIGHT_BYTES: usize = 32 << 20;
/// Memory for one of them that waits for its peer's first byte, at most: an encrypted one takes 2.2 KiB, one in the clear 1.5; a test
/// keeps them below. One that is listened to takes 2.9 KiB with what its peer has said.
const BYTES_EACH: usize = 2560;

/// How many of each there may be at the same time; each takes a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) runs: usize,
    /// Requests to trackers.
    pub(crate) trackers: usize,
    pub(crate) goodbyes: usize,
    /// Connections to trackers that are kept and not in use.
    pub(crate) kept: usize,
    /// Connections to peers.
    pub(crate) peers: usize,
}

impl Split {
    /// Of the current descriptor limit. Where it cannot be read, the number of connections shrinks when the system refuses one.
    pub(crate) fn current(scrapes: bool) -> Self {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        Self::of(usize::try_from(limit).unwrap_or(usize::MAX), if scrapes { SCRAPES } else { RUNS })
    }

    fn of(descriptors: usize, runs: usize) -> Self {
        let runs = (descriptors / 32).clamp(1, runs);
        let trackers = (descriptors / 8).clamp(2, TRACKERS_OF_ALL);
        let goodbyes = (descriptors / 16).clamp(1, TRACKERS_OF_ALL);
        let kept = KEPT.min(descriptors / 16);
        let others = OUR_DESCRIPTORS + HOST_DESCRIPTORS.min(descriptors / 32) + runs + trackers + goodbyes + kept;
        Self { runs, trackers, goodbyes, kept, peers: descriptors.saturating_sub(others).max(1) }
    }
}

/// Connections to peers at once: what was asked for, or what memory bears; and at most what the descriptors for peers allow.
pub(crate) fn connections(asked: Option<usize>, peers: usize) -> usize {
    asked.unwrap_or(IN_FLIGHT_BYTES / BYTES_EACH).clamp(1, peers.min(Semaphore::MAX_PERMITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_use_has_its_share_of_few_and_of_many_descriptors() {
        for (descriptors, runs, trackers, goodbyes, kept, peers) in [
            (0, 1, 2, 1, 0, 1),
            (20, 1, 2, 1, 1, 3),
            (64, 2, 8, 4, 4, 32),
            (256, 8, 32, 16, 16, 164),
            (1024, 16, 128, 64, 64, 708),
            (20_000, 16, 1024, 1024, 64, 17_796),
            (usize::MAX, 16, 1024, 1024, 64, usize::MAX - 2204),
        ] {
            assert_eq!(Split::of(descriptors, RUNS), Split { runs, trackers, goodbyes, kept, peers }, "{descriptors}");
        }
    }

    #[test]
    fn connections_are_as_many_as_asked_for_within_memory_and_descriptors() {
        let most = IN_FLIGHT_BYTES / BYTES_EACH;
        for (asked, peers, allowed) in [
            (Some(3), 1000, 3),
            (Some(0), 1000, 1),
            (Some(2000), 1000, 1000),
            (None, 1000, 1000),
            (None, 1_000_000, most),
            (Some(500_000), 1_000_000, 500_000),
        ] {
            assert_eq!(connections(asked, peers), allowed, "{asked:?} of {peers}");
        }
    }
}
