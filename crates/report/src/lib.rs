#![doc = include_str!("../README.md")]

mod attempt;
mod change;
mod client_name;
mod code;
mod copies;
mod dht;
mod event;
mod explain;
mod extension;
mod hint;
mod json_about;
mod json_forms;
mod json_line;
mod json_torrent;
mod metadata;
mod observation;
mod outcome;
mod peer;
mod pex;
mod ranking;
mod response_times;
mod role;
#[cfg(any(test, feature = "schema"))]
mod schema;
mod seen_as;
mod source;
mod status;
mod summary;
mod swarm_view;
mod tally;
mod tracker;
mod transport;
mod verdict;
mod web_seed;

pub use attempt::AttemptReport;
pub use change::Change;
pub use code::UnknownCode;
pub use copies::Copies;
pub use dht::{
    DhtEstimate, DhtFamily, DhtNode, DhtNodeCounts, DhtNodeStatus, DhtPeerCounts, DhtReport, DhtStart, DhtStartFrom,
    DhtStatus, DhtView,
};
pub use event::Event;
pub use explain::{CodeKind, Explanation};
pub use json_about::{About, MaybeAbout};
pub use json_line::{DhtLine, Line, MetadataLine, PeerLine, PexLine, SummaryLine, TotalLine, TrackerLine, WebSeedLine};
pub use json_torrent::{Each, FileEntry, PathIssues, StartLine, TorrentLine};
pub use metadata::{LayersPeer, LayersReport, MetadataPeer, MetadataReport, MetadataStanding, MetadataStatus};
pub use observation::{
    Met, Missing, Observation, SourceCounts, SourceKind, Spread, Timings, TrackerObservation, WebSeedObservation,
};
pub use outcome::{Detail, Outcome, Stage};
pub use peer::{Completeness, ListenEnd, MatchedHash, Oddity, PeerReport};
pub use pex::PexReport;
pub use ranking::Mark;
pub use response_times::ResponseTimes;
pub use role::{Role, RoleFrom};
#[cfg(any(test, feature = "schema"))]
pub use schema::schema;
pub use seen_as::{SeenAs, SeenBy};
pub use source::Source;
pub use status::{Standing, TrackerStatus};
pub use summary::{CutShort, Summary};
pub use swarm_view::{Coverage, SwarmView};
pub use tally::{Subject, Tally};
pub use tracker::{PeerCounts, Times, TrackerReport};
pub use transport::{Encryption, Transport};
pub use verdict::Verdict;
pub use web_seed::{WebSeedFile, WebSeedKind, WebSeedQuirk, WebSeedReport, WebSeedStatus, WebSeedView};

/// The JSON Schema of every line that a [`Line`] can be; made from the types, and compared with them by a test.
pub const JSON_SCHEMA: &str = include_str!("../schema.json");
