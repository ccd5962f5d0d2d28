//! What a run says as it happens: one report for each tracker, web seed, peer, list of peers and lookup in the DHT, of a link one of its metadata,
//! then the summary.

use crate::dht::DhtReport;
use crate::metadata::MetadataReport;
use crate::peer::PeerReport;
use crate::pex::PexReport;
use crate::summary::Summary;
use crate::tracker::TrackerReport;
use crate::web_seed::WebSeedReport;

/// Something happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A tracker has answered or failed.
    Tracker(TrackerReport),
    /// A web seed was checked, or could not be; each is reported once.
    WebSeed(WebSeedReport),
    /// How the lookup in the DHT over one family of addresses went; just before the summary.
    Dht(DhtReport),
    /// What came of asking peers for the metadata of a magnet link or an info-hash: once, when it is there, or else just before
    /// the summary.
    Metadata(MetadataReport),
    /// A peer has said all of itself, or cannot be reached; each peer is reported once.
    Peer(PeerReport),
    /// What a peer named by peer exchange; of each that speaks it once, when its list is waited for no longer.
    Pex(PexReport),
    /// The run is over; always the last event.
    Summary(Summary),
}
