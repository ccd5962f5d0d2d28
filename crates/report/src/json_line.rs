//! The lines of the JSON report: one object each, told apart by `type`. Unknown is null, never absent.

use crate::dht::DhtReport;
use crate::json_forms::{Hash, Ms, Null, SomeHash};
use crate::json_torrent::{StartLine, TorrentLine};
use crate::metadata::MetadataReport;
use crate::outcome::Outcome;
use crate::peer::PeerReport;
use crate::summary::Summary;
use crate::tracker::TrackerReport;
use crate::verdict::Verdict;
use crate::web_seed::WebSeedReport;
use ids::InfoHash;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// One line of the JSON report, schema 1.
#[derive(Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Line<'r> {
    /// A run begins
    Start(StartLine<'r>),
    /// A tracker has answered or failed
    Tracker(TrackerLine<'r>),
    /// A web seed was checked
    WebSeed(WebSeedLine<'r>),
    /// A lookup in the DHT has ended
    Dht(DhtLine<'r>),
    /// Peers were asked for the metadata of a link or an info-hash
    Metadata(MetadataLine<'r>),
    /// The run has ended for a peer
    Peer(PeerLine<'r>),
    /// A run has ended
    Summary(SummaryLine<'r>),
    /// All runs have ended
    Total(TotalLine<'r>),
    /// A goodbye that could not be sent, and why: the event `stopped` that is owed to a tracker
    Goodbye(TrackerLine<'r>),
    /// What a torrent says, in full
    Torrent(Box<TorrentLine<'r>>),
}

/// A tracker's report in a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TrackerLine<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one
    #[serde(with = "Hash")]
    pub info_hash: InfoHash,
    /// The report.
    #[serde(flatten)]
    pub report: &'r TrackerReport,
}

/// A web seed's report in a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct WebSeedLine<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one
    #[serde(with = "Hash")]
    pub info_hash: InfoHash,
    /// The report.
    #[serde(flatten)]
    pub report: &'r WebSeedReport,
    /// One sentence on what it may mean, and which clients it breaks; null when there is nothing to say
    pub hint: Option<&'static str>,
}

/// How a lookup in the DHT went, in a run about a torrent, or what one node answered.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct DhtLine<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one; null where one node was pinged
    /// without a torrent
    #[serde(with = "SomeHash")]
    pub info_hash: Option<InfoHash>,
    /// The report.
    #[serde(flatten)]
    pub report: &'r DhtReport,
}

/// What came of asking peers for the metadata of a torrent that is known by its info-hash.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct MetadataLine<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one
    #[serde(with = "Hash")]
    pub info_hash: InfoHash,
    /// The report.
    #[serde(flatten)]
    pub report: &'r MetadataReport,
}

/// A peer's report in a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PeerLine<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one
    #[serde(with = "Hash")]
    pub info_hash: InfoHash,
    /// The report.
    #[serde(flatten)]
    pub report: &'r PeerReport,
    /// The software, by its own words or its peer id
    pub client: Option<String>,
    /// One sentence on what it may mean
    pub hint: Option<&'static str>,
}

/// The end of a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct SummaryLine<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one
    #[serde(with = "Hash")]
    pub info_hash: InfoHash,
    /// What the run says of the torrent, in one code; `explain` has a paragraph on each
    pub verdict: Verdict,
    /// The summary.
    #[serde(flatten)]
    pub summary: &'r Summary,
    /// Files that lack one of the missing pieces, at most 1,000; null where the files are not known
    #[cfg_attr(any(test, feature = "schema"), schemars(length(max = 1000)))]
    pub missing_files: Option<Vec<String>>,
    /// Seeds claimed and not met, if the trackers named all peers that they count
    pub unseen_seeds: Option<u32>,
    /// Conditions of --fail-under that are not met
    pub unmet_conditions: &'r [String],
}

/// Several torrents together.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TotalLine<'r> {
    /// It is about all torrents
    #[serde(with = "Null")]
    pub info_hash: (),
    /// Torrents on the command line
    pub torrents: usize,
    /// Those that alone would have ended with exit code 0
    pub torrents_ok: usize,
    /// Peers reported
    pub peers: usize,
    /// Valid handshakes among them
    pub ok: usize,
    /// Peers by outcome
    pub outcomes: &'r BTreeMap<Outcome, usize>,
    /// Web seeds that were checked
    pub web_seeds_checked: usize,
    /// Those of them that have everything, as far as it was looked at
    pub web_seeds_complete: usize,
    /// From beginning to end
    #[serde(rename = "elapsed_ms", with = "Ms")]
    pub elapsed: Duration,
}

impl<'r> Line<'r> {
    /// A tracker's report in a run about this torrent.
    #[must_use]
    pub fn tracker(info_hash: InfoHash, report: &'r TrackerReport) -> Self {
        Self::Tracker(TrackerLine { info_hash, report })
    }

    /// A web seed's report in a run about this torrent.
    #[must_use]
    pub fn web_seed(info_hash: InfoHash, report: &'r WebSeedReport) -> Self {
        Self::WebSeed(WebSeedLine { info_hash, report, hint: report.hint() })
    }

    /// How a lookup in the DHT went, in a run about this torrent; `None` of one node that was pinged without a torrent.
    #[must_use]
    pub fn dht(info_hash: Option<InfoHash>, report: &'r DhtReport) -> Self {
        Self::Dht(DhtLine { info_hash, report })
    }

    /// What came of asking peers for the metadata of this torrent.
    #[must_use]
    pub fn metadata(info_hash: InfoHash, report: &'r MetadataReport) -> Self {
        Self::Metadata(MetadataLine { info_hash, report })
    }

    /// A goodbye that could not be sent.
    #[must_use]
    pub fn goodbye(info_hash: InfoHash, report: &'r TrackerReport) -> Self {
        Self::Goodbye(TrackerLine { info_hash, report })
    }

    /// A peer's report in a run about this torrent.
    #[must_use]
    pub fn peer(info_hash: InfoHash, report: &'r PeerReport) -> Self {
        Self::Peer(PeerLine { info_hash, report, client: report.client(), hint: report.hint() })
    }

    /// The end of a run about this torrent; `missing_files` lack one of the missing pieces.
    #[must_use]
    pub fn summary(
        info_hash: InfoHash,
        summary: &'r Summary,
        missing_files: Option<Vec<String>>,
        unmet_conditions: &'r [String],
    ) -> Self {
        let (verdict, unseen_seeds) = (summary.verdict(), summary.swarm.unseen_seeds());
        Self::Summary(SummaryLine { info_hash, verdict, summary, missing_files, unseen_seeds, unmet_conditions })
    }
}
