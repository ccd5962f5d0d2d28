//! The lines of a torrent: what is known of it when a run begins, and what it says in full.

use crate::json_about::About;
use crate::json_forms::{SomeHash, SomeHashV2};
use ids::{InfoHash, InfoHashV2};
use serde::{Serialize, Serializer};
use std::fmt;

/// What is known of a torrent when a run begins.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct StartLine<'r> {
    /// Raised when a field changes its meaning or goes; new fields do not raise it
    #[cfg_attr(any(test, feature = "schema"), schemars(extend("const" = 1)))]
    pub schema: u32,
    /// When the run began, by this machine's clock: UTC (RFC 3339); null where nothing is sent
    pub at: Option<String>,
    /// Where the target stands in a list, such as `links.txt:17`; null where it is in none, and in `torrent`
    pub line: Option<String>,
    /// The torrent.
    #[serde(flatten)]
    pub about: About<'r>,
    /// Its info-hash of v1: SHA-1 (BEP 3)
    #[serde(with = "SomeHash")]
    pub info_hash_v1: Option<InfoHash>,
    /// Its info-hash of v2: SHA-256 (BEP 52)
    #[serde(with = "SomeHashV2")]
    pub info_hash_v2: Option<InfoHashV2>,
    /// All files together, padding not counted; null of a magnet link and an info-hash
    pub total_size_bytes: Option<u64>,
    /// Bytes in each piece but the last
    pub piece_length_bytes: Option<u32>,
    /// Number of pieces
    pub pieces: Option<u32>,
    /// Number of files, padding not counted
    pub files: Option<usize>,
    /// Whether it is private (BEP 27); null if that is unknown
    pub private: Option<bool>,
    /// Announce URLs, without their secrets
    pub trackers: Vec<String>,
}

/// What a torrent says, in full.
#[derive(Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TorrentLine<'r> {
    /// What a run begins with.
    #[serde(flatten)]
    pub start: StartLine<'r>,
    /// Trackers by tier (BEP 12)
    pub tiers: Vec<Vec<String>>,
    /// The comment of its author
    pub comment: Option<String>,
    /// The program that made it
    pub created_by: Option<String>,
    /// Seconds since 1970
    pub creation_date_s: Option<u64>,
    /// The key that private trackers set apart their torrents with
    pub source: Option<String>,
    /// Peers that a magnet link names (BEP 9), as HOST:PORT
    pub peers: Vec<String>,
    /// Web seeds (BEP 19), without what may be secret in them
    pub web_seeds: Vec<String>,
    /// HTTP seeds (BEP 17), without what may be secret in them
    pub http_seeds: Vec<String>,
    /// DHT nodes (BEP 5), as HOST:PORT
    pub dht_nodes: Vec<String>,
    /// Whether peers prove themselves with its certificate
    pub ssl: Option<bool>,
    /// Why not to use its name for a file
    #[serde(with = "Issues")]
    pub name_issues: Vec<&'static str>,
    /// Files with a path that is better not used as it is
    pub path_issues: Each<'r, PathIssues>,
    /// Oddities that do no harm, at most 64
    pub diagnostics: Vec<String>,
    /// How many oddities there are
    pub diagnostics_total: usize,
    /// Its files, with --files
    pub file_list: Option<Each<'r, FileEntry>>,
}

/// What is wrong with a path.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PathIssues {
    /// The file
    pub path: String,
    /// Why not to use its path as it is
    #[serde(with = "Issues")]
    pub issues: Vec<&'static str>,
}

/// One file of a torrent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct FileEntry {
    /// Elements joined by /
    pub path: String,
    /// Its size
    pub length_bytes: u64,
    /// Whether it only aligns the next file (BEP 47)
    pub padding: bool,
    /// Whether it is executable (BEP 47)
    pub executable: bool,
    /// Whether it is hidden (BEP 47)
    pub hidden: bool,
    /// Where it points (BEP 47)
    pub symlink: Option<String>,
    /// The root of its hashes (BEP 52)
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = r"^[0-9a-f]{64}$")))]
    pub pieces_root: Option<String>,
}

impl StartLine<'_> {
    /// The schema that the lines follow.
    pub const SCHEMA: u32 = 1;
}

/// A list that is put together while it is written: a torrent may have a million files.
pub struct Each<'r, T>(Box<dyn Fn() -> Box<dyn Iterator<Item = T> + 'r> + 'r>);

impl<'r, T> Each<'r, T> {
    /// The items, made anew each time that the list is written.
    pub fn new<I: Iterator<Item = T> + 'r>(items: impl Fn() -> I + 'r) -> Self {
        Self(Box::new(move || Box::new(items())))
    }
}

impl<T: Serialize> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl<T> fmt::Debug for Each<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Each(..)")
    }
}

/// Codes of what is wrong with a name or path: [`metainfo::PathIssue::code`].
pub(crate) struct Issues;

impl Issues {
    fn serialize<S: Serializer>(issues: &[&'static str], serializer: S) -> Result<S::Ok, S::Error> {
        issues.serialize(serializer)
    }
}
