//! The lines of the JSON report: one object each, told apart by `type`. Unknown is null, never absent.

use crate::dht::DhtReport;
use crate::json_about::{About, MaybeAbout};
use crate::json_forms::Ms;
use crate::json_torrent::{StartLine, TorrentLine};
use crate::metadata::MetadataReport;
use crate::outcome::Outcome;
use crate::peer::PeerReport;
use crate::pex::PexReport;
use crate::summary::Summary;
use crate::tracker::TrackerReport;
use crate::verdict::Verdict;
use crate::web_seed::WebSeedReport;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
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
    /// A peer has said all of itself, or cannot be reached
    Peer(PeerLine<'r>),
    /// A peer has named others
    Pex(PexLine<'r>),
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
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
    /// The report.
    #[serde(flatten)]
    pub report: &'r TrackerReport,
}

/// A web seed's report in a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct WebSeedLine<'r> {
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
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
    /// The torrent; none where one node was pinged without a torrent.
    #[serde(flatten)]
    pub about: MaybeAbout<'r>,
    /// The report.
    #[serde(flatten)]
    pub report: &'r DhtReport,
}

/// What came of asking peers for the metadata of a torrent that is known by its info-hash.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct MetadataLine<'r> {
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
    /// The report.
    #[serde(flatten)]
    pub report: &'r MetadataReport,
}

/// A peer's report in a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PeerLine<'r> {
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
    /// The report.
    #[serde(flatten)]
    pub report: &'r PeerReport,
    /// The software, by its own words or its peer id
    pub client: Option<String>,
    /// One sentence on what it may mean
    pub hint: Option<&'static str>,
}

/// What a peer named by peer exchange, in a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PexLine<'r> {
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
    /// The report.
    #[serde(flatten)]
    pub report: &'r PexReport,
}

/// The end of a run about a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct SummaryLine<'r> {
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
    /// What the run says of the torrent, in one code; `explain` has a paragraph on each
    pub verdict: Verdict,
    /// The same in a sentence, with its numbers; for people, and its words may change
    pub sentence: &'r str,
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
    /// None: it is about all torrents.
    #[serde(flatten)]
    pub about: MaybeAbout<'r>,
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

/// Bytes of most lines.
const USUAL_LINE: usize = 1024;

impl<'r> Line<'r> {
    /// The line as JSON, without its end. It may have control and direction characters that are not escaped yet.
    ///
    /// Compiled in this crate, whose code is optimized for speed where the command's is for size: there is a line for each peer.
    ///
    /// # Errors
    ///
    /// A value that JSON does not have, which no line has.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = Vec::with_capacity(USUAL_LINE);
        serde_json::to_writer(&mut line, self)?;
        Ok(line)
    }

    /// Writes what [`to_json`](Self::to_json) gives, piece by piece, for a line of any length: that of a torrent with its files has 134 MB.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, to: &mut dyn io::Write) -> io::Result<()> {
        Ok(serde_json::to_writer(to, self)?)
    }

    /// A tracker's report in a run about this torrent.
    #[must_use]
    pub fn tracker(about: About<'r>, report: &'r TrackerReport) -> Self {
        Self::Tracker(TrackerLine { about, report })
    }

    /// A web seed's report in a run about this torrent.
    #[must_use]
    pub fn web_seed(about: About<'r>, report: &'r WebSeedReport) -> Self {
        Self::WebSeed(WebSeedLine { about, report, hint: report.hint() })
    }

    /// How a lookup in the DHT went, in a run about this torrent; about none of one node that was pinged without a torrent.
    #[must_use]
    pub fn dht(about: impl Into<MaybeAbout<'r>>, report: &'r DhtReport) -> Self {
        Self::Dht(DhtLine { about: about.into(), report })
    }

    /// What came of asking peers for the metadata of this torrent.
    #[must_use]
    pub fn metadata(about: About<'r>, report: &'r MetadataReport) -> Self {
        Self::Metadata(MetadataLine { about, report })
    }

    /// A goodbye that could not be sent.
    #[must_use]
    pub fn goodbye(about: About<'r>, report: &'r TrackerReport) -> Self {
        Self::Goodbye(TrackerLine { about, report })
    }

    /// A peer's report in a run about this torrent.
    #[must_use]
    pub fn peer(about: About<'r>, report: &'r PeerReport) -> Self {
        Self::Peer(PeerLine { about, report, client: report.client(), hint: report.hint() })
    }

    /// What a peer named by peer exchange in a run about this torrent.
    #[must_use]
    pub fn pex(about: About<'r>, report: &'r PexReport) -> Self {
        Self::Pex(PexLine { about, report })
    }

    /// The end of a run about this torrent; `sentence` is the verdict as people read it, and `missing_files` lack one of the missing pieces.
    #[must_use]
    pub fn summary(
        about: About<'r>,
        summary: &'r Summary,
        sentence: &'r str,
        missing_files: Option<Vec<String>>,
        unmet_conditions: &'r [String],
    ) -> Self {
        let (verdict, unseen_seeds) = (summary.verdict(), summary.swarm.unseen_seeds());
        Self::Summary(SummaryLine { about, verdict, sentence, summary, missing_files, unseen_seeds, unmet_conditions })
    }
}
