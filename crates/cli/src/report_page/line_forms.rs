//! What is read of each line of the JSON report, schema 1: keys that are not named here are passed over, and those that are may be
//! missing.

use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What every line has.
#[derive(Debug, Deserialize)]
pub(super) struct AnyLine<'l> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'l, str>,
    /// Null of a line about all torrents.
    pub(super) info_hash: Option<Cow<'l, str>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Start {
    pub(super) schema: u32,
    pub(super) at: Option<String>,
    pub(super) name: Option<String>,
    pub(super) info_hash_v2: Option<String>,
    pub(super) total_size_bytes: Option<u64>,
    pub(super) pieces: Option<u32>,
    pub(super) files: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tracker<'l> {
    #[serde(borrow)]
    pub(super) url: Cow<'l, str>,
    pub(super) family: Option<Cow<'l, str>>,
    pub(super) status: Cow<'l, str>,
    pub(super) peers: Option<usize>,
    pub(super) seeders: Option<u32>,
    pub(super) leechers: Option<u32>,
    pub(super) downloaded: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WebSeed<'l> {
    #[serde(borrow)]
    pub(super) url: Cow<'l, str>,
    pub(super) status: Cow<'l, str>,
    #[serde(default)]
    pub(super) complete: bool,
    pub(super) proved: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dht<'l> {
    #[serde(borrow)]
    pub(super) status: Cow<'l, str>,
    pub(super) nodes: DhtNodes,
}

#[derive(Debug, Deserialize)]
pub(super) struct DhtNodes {
    pub(super) answered: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Peer<'l> {
    #[serde(borrow)]
    pub(super) outcome: Cow<'l, str>,
    pub(super) handshake_ms: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) verdict: String,
    pub(super) sentence: Option<String>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) peers: usize,
    #[serde(default)]
    pub(super) declined: usize,
    #[serde(default)]
    pub(super) ok: usize,
    #[serde(default)]
    pub(super) outcomes: BTreeMap<String, usize>,
    #[serde(default)]
    pub(super) clients: BTreeMap<String, usize>,
    #[serde(default)]
    pub(super) other_clients: usize,
    pub(super) copies_min: Option<f64>,
    pub(super) copies_max: Option<f64>,
    pub(super) missing_pieces: Option<u32>,
    pub(super) missing_piece_ranges: Option<Vec<(u32, u32)>>,
    pub(super) missing_files: Option<Vec<String>>,
    pub(super) claimed_seeds: Option<u32>,
    #[serde(default)]
    pub(super) verified_seeds: usize,
    #[serde(default)]
    pub(super) verified_seeds_max: usize,
    #[serde(default)]
    pub(super) coverage: Coverage,
    pub(super) elapsed_ms: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Coverage {
    pub(super) with_piece_info: usize,
    pub(super) list_complete: Option<bool>,
}
