//! What a run says as it happens: one report for each tracker and each peer, then the summary.

use crate::code::codes;
use crate::peer::PeerReport;
use crate::summary::Summary;
use crate::tracker::TrackerReport;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Something happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A tracker has answered or failed.
    Tracker(TrackerReport),
    /// A peer's story has ended; each peer is reported once.
    Peer(PeerReport),
    /// The run is over; always the last event.
    Summary(Summary),
}

/// The source that named a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The user.
    User,
    /// The tracker at this URL, its secrets hidden.
    Tracker(Arc<str>),
    /// The magnet link (`x.pe`).
    Magnet,
}

codes! {
    /// What ended a run before all peers were heard.
    pub enum CutShort {
        /// The run's deadline.
        Deadline = "deadline",
        /// An interrupt.
        Interrupt = "interrupt",
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Tracker(url) => f.write_str(url),
            Self::Magnet => f.write_str("magnet"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
