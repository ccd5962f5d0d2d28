//! The line of a torrent: what it says, in full.

use crate::line::StartLine;
use serde::{Serialize, Serializer};
use std::fmt;

/// What a torrent says, in full.
#[derive(Debug, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TorrentLine<'r> {
    /// What a run begins with.
    #[serde(flatten)]
    pub start: StartLine<'r>,
    /// Trackers by tier (BEP 12)
    pub tiers: Vec<Vec<String>>,
    /// What its maker wrote
    pub comment: Option<String>,
    /// The program that made it
    pub created_by: Option<String>,
    /// Seconds since 1970
    pub creation_date_s: Option<u64>,
    /// The key that private trackers set apart their torrents with
    pub source: Option<String>,
    /// HOST:PORT, that a magnet link names (BEP 9)
    pub peers: Vec<String>,
    /// BEP 19; without what may be secret in them
    pub web_seeds: Vec<String>,
    /// BEP 17; without what may be secret in them
    pub http_seeds: Vec<String>,
    /// HOST:PORT (BEP 5)
    pub dht_nodes: Vec<String>,
    /// Peers prove themselves with its certificate
    pub ssl: Option<bool>,
    /// Why not to use its name for a file
    #[serde(with = "Issues")]
    pub name_issues: Vec<&'static str>,
    /// Files with a path that is better not used as it is
    pub path_issues: Each<'r, PathIssues>,
    /// What is odd about it and does not matter, at most 64
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
    /// There to align the next (BEP 47)
    pub padding: bool,
    /// BEP 47
    pub executable: bool,
    /// BEP 47
    pub hidden: bool,
    /// Where it points (BEP 47)
    pub symlink: Option<String>,
    /// The root of its hashes (BEP 52)
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = r"^[0-9a-f]{64}$")))]
    pub pieces_root: Option<String>,
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
