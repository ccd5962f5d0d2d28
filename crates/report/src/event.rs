//! What a run says as it happens: one report for each tracker and each peer, then the summary.

use crate::peer::PeerReport;
use crate::summary::Summary;
use crate::tracker::TrackerReport;

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
