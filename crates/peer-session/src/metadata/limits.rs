//! Limits of an assembly.

use std::time::Duration;

/// What is taken from peers, and how long is waited for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataLimits {
    /// The longest info dictionary, in bytes.
    pub bytes: u32,
    /// How many peers are asked at once, those not counted that are overdue. Twice as many conversations are kept for it.
    pub peers: usize,
    /// A piece that takes longer is overdue: another peer is asked for it too.
    pub hedge: Duration,
    /// A peer that takes longer for a piece is not asked any more. Transmission 3.00 takes up to 3 s.
    pub timeout: Duration,
}

impl Default for MetadataLimits {
    fn default() -> Self {
        Self { bytes: 16 << 20, peers: 8, hedge: Duration::from_secs(1), timeout: Duration::from_secs(5) }
    }
}

impl MetadataLimits {
    /// Conversations beside the kept ones that wait to be needed.
    pub(crate) fn spares(&self) -> usize {
        /// For each peer that is asked at once.
        const SPARES: usize = 8;
        SPARES * self.peers
    }

    /// How long a piece is out before a peer with nothing else to do takes it over, which takes `pace` for a piece itself: when
    /// every piece is asked for, the last ones would else wait for the slowest peers.
    pub(super) fn patience(&self, pace: Option<Duration>) -> Duration {
        /// This many of its own answers,
        const PACES: u32 = 2;
        /// but not less.
        const SHORTEST: Duration = Duration::from_millis(30);
        pace.map_or(self.hedge, |pace| (pace * PACES).max(SHORTEST).min(self.hedge))
    }

    /// How long a size, or a peer that is asked alone, has its turn while another one waits for it: twice as long each time, so that
    /// a peer that gives piece by piece just in time cannot hold it up.
    pub(super) fn turn(&self, turns: u32) -> Duration {
        /// An hour and more with the default.
        const LONGEST: u32 = 10;
        self.timeout * (1 << turns.min(LONGEST))
    }
}
