//! What is kept of one run about one torrent: counts and times. No address of a peer is among them.

use crate::code::codes;
use crate::copies::Copies;
use crate::outcome::Outcome;
use crate::source::Source;
use crate::status::TrackerStatus;
use crate::transport::Transport;
use crate::verdict::Verdict;
use crate::web_seed::WebSeedStatus;
use ids::InfoHash;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use tracker::Family;

/// One run about one torrent, as a history keeps it. A [`Tally`](crate::Tally) makes it from the reports of the run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// The torrent
    pub info_hash: InfoHash,
    /// Its name, as the torrent gives it: not escaped, at most [`Observation::LONGEST_NAME`] bytes
    pub name: Option<String>,
    /// Bytes of all files together, padding not counted
    pub size_bytes: Option<u64>,
    /// Number of pieces
    pub pieces: Option<u32>,
    /// When its round began: milliseconds since 1970 in UTC, by the clock of that time. A clock can jump, so that the order of
    /// observations is that of their list and not that of these times
    pub at_ms: i64,
    /// What the run said of the torrent
    pub verdict: Verdict,
    /// The most seeds that a tracker claimed
    pub claimed_seeds: Option<u32>,
    /// The most leechers that a tracker claimed
    pub claimed_leechers: Option<u32>,
    /// Seeds that were met, each client once
    pub verified_seeds: u32,
    /// The same if those that may be one client are two
    pub verified_seeds_max: u32,
    /// Likely seeds, those that hide what they have included
    pub likely_seeds: u32,
    /// Copies among the peers that were reached, in whole thousandths, rounded down
    pub copies: Option<Copies>,
    /// Pieces that no peer had; `None` where that is unknown
    pub missing: Option<Missing>,
    /// Peers that were named
    pub peers: u32,
    /// Those of them that were not dialled by choice
    pub declined: u32,
    /// Valid handshakes
    pub reached: u32,
    /// Peers that said which pieces they have
    pub with_piece_info: u32,
    /// Whether the trackers named all peers that they count
    pub list_complete: Option<bool>,
    /// Peers by outcome
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Clients by name, the most frequent ones; `None` for those without a name
    pub clients: BTreeMap<Option<String>, u32>,
    /// Clients of other names
    pub other_clients: u32,
    /// Peers by the kind of source that named them; a peer that two kinds named counts for both
    pub sources: BTreeMap<SourceKind, SourceCounts>,
    /// Valid handshakes by transport
    pub transports: BTreeMap<Transport, u32>,
    /// Valid handshakes through encryption
    pub encrypted: u32,
    /// Nodes of the DHT that answered; `None` if it was not asked
    pub dht_nodes: Option<u32>,
    /// How each tracker answered, over each family of addresses
    pub trackers: Vec<TrackerObservation>,
    /// How the check of each web seed ended
    pub web_seeds: Vec<WebSeedObservation>,
    /// Times of the run
    pub timings: Timings,
    /// What the same process knew of peers from its earlier rounds; `None` if it kept nothing
    pub met: Option<Met>,
}

/// Pieces that no peer had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many
    pub pieces: u32,
    /// Which, counted from zero, in order; only the first [`Observation::MOST_RANGES`] ranges, so that they may have fewer pieces
    pub ranges: Vec<RangeInclusive<u32>>,
}

/// Peers that one kind of source named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Peers
    pub named: u32,
    /// Valid handshakes among them
    pub ok: u32,
    /// Those of them that only this kind named
    pub only: u32,
}

/// How a tracker answered over one family of addresses. Of a hybrid's two info-hashes the better answer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerObservation {
    /// Its URL, without its secrets
    pub url: Arc<str>,
    /// The family; `None` if it was not asked
    pub family: Option<Family>,
    /// How it ended
    pub status: TrackerStatus,
    /// Seeds, as it counts them
    pub seeders: Option<u32>,
    /// Leechers, as it counts them
    pub leechers: Option<u32>,
    /// Complete downloads, as it counts them
    pub downloaded: Option<u32>,
    /// Usable peers that it named
    pub peers: Option<u32>,
    /// From the beginning of the look-up to the end of the reply; `None` without an answer
    pub elapsed_ms: Option<u32>,
}

/// How the check of a web seed ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSeedObservation {
    /// Its URL, without its secrets
    pub url: Arc<str>,
    /// How it ended
    pub status: WebSeedStatus,
    /// Whether every file that was looked at has the right size, and no hash disproved it
    pub complete: bool,
}

/// Times of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// From the first step to the last report
    pub elapsed_ms: u32,
    /// Connecting to the peers that shook hands
    pub connect: Option<Spread>,
    /// From a connection to the peer's whole handshake
    pub handshake: Option<Spread>,
}

/// A time of several peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Half of them took at most so long
    pub median_ms: u32,
    /// Nine of ten took at most so long
    pub ninth_decile_ms: u32,
}

/// What a process knew of peers from its earlier rounds. It compares them by keyed hashes that are never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Different peers that were named in its rounds so far, this one included; at the limit of its memory there may be more
    pub distinct_peers: u32,
    /// Seeds that were not met in its round before; 0 in its first
    pub seeds_new: u32,
    /// Seeds that were met in its round before, and not in this one
    pub seeds_gone: u32,
}

codes! {
    /// A kind of source that names peers.
    pub enum SourceKind {
        /// The user (`--peer`).
        User = "user",
        /// The magnet link (`x.pe`).
        Magnet = "magnet",
        /// Trackers.
        Tracker = "tracker",
        /// Nodes of the DHT.
        Dht = "dht",
        /// Other peers (PEX).
        Pex = "pex",
    }
}

impl SourceKind {
    /// The kind of this source.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        match source {
            Source::User => Self::User,
            Source::Magnet => Self::Magnet,
            Source::Tracker(_) => Self::Tracker,
            Source::Dht(_) => Self::Dht,
            Source::Pex(_) => Self::Pex,
        }
    }
}

impl Observation {
    /// Most bytes of a name. The names of files are at most 255 on most systems; a torrent may claim any.
    pub const LONGEST_NAME: usize = 512;
    /// Most bytes of the name of a client, which peers choose; real ones are at most 30.
    pub const LONGEST_CLIENT: usize = 64;
    /// Most bytes of a URL.
    pub const LONGEST_URL: usize = 1024;
    /// Most names of clients: a swarm has a dozen, and peers can invent any.
    pub const MOST_CLIENTS: usize = 12;
    /// Most ranges of missing pieces. A gap that is looked at is a few; a swarm that is only beginning has hundreds.
    pub const MOST_RANGES: usize = 64;
    /// Most answers of trackers. Links of large indexes name 20 trackers; each may be asked over two families.
    pub const MOST_TRACKERS: usize = 48;
    /// Most web seeds.
    pub const MOST_WEB_SEEDS: usize = 32;

    /// An observation of which nothing but this is known.
    #[must_use]
    pub fn new(info_hash: InfoHash, at_ms: i64, verdict: Verdict) -> Self {
        Self {
            info_hash,
            name: None,
            size_bytes: None,
            pieces: None,
            at_ms,
            verdict,
            claimed_seeds: None,
            claimed_leechers: None,
            verified_seeds: 0,
            verified_seeds_max: 0,
            likely_seeds: 0,
            copies: None,
            missing: None,
            peers: 0,
            declined: 0,
            reached: 0,
            with_piece_info: 0,
            list_complete: None,
            outcomes: BTreeMap::new(),
            clients: BTreeMap::new(),
            other_clients: 0,
            sources: BTreeMap::new(),
            transports: BTreeMap::new(),
            encrypted: 0,
            dht_nodes: None,
            trackers: Vec::new(),
            web_seeds: Vec::new(),
            timings: Timings::default(),
            met: None,
        }
    }

    /// Whether it says anything of the swarm: see [`Verdict::is_of_swarm`].
    #[must_use]
    pub fn is_of_swarm(&self) -> bool {
        self.verdict.is_of_swarm()
    }
}

impl Verdict {
    /// Whether it says anything of the swarm: not where this machine was offline, the run was interrupted or forbidden, or only
    /// sources were asked.
    #[must_use]
    pub fn is_of_swarm(self) -> bool {
        !matches!(self, Self::Interrupted | Self::Offline | Self::PrivateRefused | Self::TrackersOnly)
    }
}
