//! In which form results are told, and what of them.

use crate::conditions::Conditions;
use crate::listed::Listed;
use crate::nagios::Plugin;
use crate::saved::SaveTo;
use std::fs::File;
use std::path::PathBuf;

/// What is told, and how.
#[derive(Debug)]
pub(crate) struct OutputOptions {
    pub(crate) form: Form,
    /// Also as JSON, in this file.
    pub(crate) file: Option<(PathBuf, File)>,
    /// The verdict only.
    pub(crate) quiet: bool,
    pub(crate) show_secrets: bool,
    /// What has to be there.
    pub(crate) fail_under: Conditions,
    /// Number of torrents to report on.
    pub(crate) torrents: usize,
    /// Where those of lists stand.
    pub(crate) listed: Listed,
    /// Whether a run is told with its round, as text.
    pub(crate) rounds: bool,
    /// Where the torrent of a link goes.
    pub(crate) save_to: SaveTo,
}

/// What is written to stdout.
#[derive(Debug)]
pub(crate) enum Form {
    /// A line for each peer as it happens and the report at the end; `all` of the peers.
    Report { all: bool },
    /// What trackers say, in detail; with `all`, the peers they name.
    Trackers { all: bool },
    /// What web seeds have, in detail; with `all`, the files that are right as well.
    WebSeeds { all: bool },
    /// What nodes of the DHT say, in detail; with `all`, the peers they name; with `trace`, every node in the order of asking.
    Dht { all: bool, trace: bool },
    /// The torrent of a link: what peers gave of it; with `all`, every peer that speaks of it.
    Metadata { all: bool, json: bool },
    /// One peer in detail.
    OnePeer,
    /// One object a line.
    Json,
    /// One line for a monitoring system.
    Nagios(Box<Plugin>),
}
