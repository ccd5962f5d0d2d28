//! What is shown: plain values, made by the caller from what it observed. Text in them is untrusted, and need not be escaped.

use crate::bytes_by_seeds::BytesBySeeds;
use crate::date::UnixTime;
use ids::{InfoHash, InfoHashV2};
use report::{Copies, Outcome, ResponseTimes, Verdict};
use std::ops::RangeInclusive;
use std::time::Duration;

/// All torrents of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// What the report is of, for its heading: the name of a list, an archive or a file.
    pub title: String,
    /// When the report was made. It is as of the newest [`TorrentView::checked_at`] that is not later; where that is more than a day
    /// ago, it says so.
    pub made_at: UnixTime,
    /// In any order: the report has the worst first.
    pub torrents: Vec<TorrentView>,
    /// The bytes of all torrents by their number of verified seeds over time, in any order; empty where no history is.
    pub bytes_by_seeds: Vec<BytesBySeeds>,
}

/// One torrent, as it was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct TorrentView {
    /// The hash that trackers and peers know it by: of a torrent of v2 alone, its first 20 bytes.
    pub info_hash: InfoHash,
    /// The hash of v2 (BEP 52), where the torrent has one.
    pub info_hash_v2: Option<InfoHashV2>,
    /// The name that the torrent gives itself, or what it was asked for by; may be empty.
    pub name: String,
    /// Its magnet link, without secrets; where there is none, one is made of hashes and name.
    pub magnet_link: Option<String>,
    /// Bytes of its `.torrent` file.
    pub torrent_size: Option<u64>,
    /// Files, padding left out.
    pub num_files: Option<u64>,
    /// Bytes of its content.
    pub data_size: Option<u64>,
    /// What an archive's own list says of it, handed on.
    pub archive: ArchiveFlags,
    /// What trackers count.
    pub claimed: Claimed,
    /// Seeds that said themselves that they have everything, each client once; `None` where no peer was dialled.
    pub verified_seeds: Option<u32>,
    /// Copies among the peers that were reached; `None` where that is not known.
    pub copies: Option<Copies>,
    /// Pieces that no peer that was reached has; `None` where that is not known.
    pub missing_pieces: Option<u32>,
    /// The last verdict; `None` for a torrent that was never looked at.
    pub verdict: Option<Verdict>,
    /// Since when the verdict is the same.
    pub since: Option<UnixTime>,
    /// When it was looked at last. The newest of all is what the report is as of, where spans such as "since 4 days" end; one that is
    /// more than a day before is shown.
    pub checked_at: Option<UnixTime>,
    /// The last verdict as a sentence, with its numbers; may be empty.
    pub sentence: String,
    /// What to do about it; `None` for what the verdict alone suggests ([`report::Explanation::to_do`]).
    pub to_do: Option<String>,
    /// What its own section shows. Only the first [`MOST_DETAILS`](crate::MOST_DETAILS) of [`worst_first`](crate::worst_first)
    /// have a section, so only those need it.
    pub detail: Option<Box<Detail>>,
}

/// What trackers count of a torrent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Seeds, the most that a tracker claims.
    pub seeds: Option<u32>,
    /// Leechers, likewise.
    pub leechers: Option<u32>,
    /// Complete downloads, likewise; only a scrape tells.
    pub completed: Option<u32>,
    /// When they were asked.
    pub at: Option<UnixTime>,
}

/// What an archive says of its own torrent in its list; nothing of it is concluded here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveFlags {
    /// Whether the archive seeds it itself.
    pub currently_seeding: Option<bool>,
    /// Whether another torrent has taken its place.
    pub obsolete: Option<bool>,
    /// Whether it is held back.
    pub embargo: Option<bool>,
    /// Whether some of its files are known to be damaged.
    pub partially_broken: Option<bool>,
}

/// The history of a torrent, and what its last round found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// Pieces of the torrent.
    pub pieces: Option<u32>,
    /// The pieces that no peer that was reached has, counted from zero, in ranges that do not overlap; `None` where that is not
    /// known. They may be the first of [`TorrentView::missing_pieces`].
    pub missing: Option<Vec<RangeInclusive<u32>>>,
    /// Paths of files that lack one of these, in the torrent's order; as many as the caller likes, of which some are shown.
    pub missing_files: Vec<String>,
    /// Such files that are not in the list.
    pub more_missing_files: usize,
    /// What was seen over time.
    pub history: Series,
    /// Peers of the last round by outcome.
    pub outcomes: Vec<(Outcome, u64)>,
    /// Clients of the last round by name, without those whose name is not known.
    pub clients: Vec<(String, u64)>,
    /// Clients of the last round that are not in the list.
    pub other_clients: u64,
    /// Peers of the last round by the time that each took from the connection to the whole handshake.
    pub response_times: ResponseTimes,
    /// Its trackers, and other sources that were asked.
    pub sources: Vec<SourceView>,
}

/// Observations of one torrent over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// In any order. Clocks jump: points later than the report are left out, and of several at one time the last one counts.
    pub points: Vec<Point>,
}

/// What one round saw. `None` is not known: a line is interrupted there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// When.
    pub at: UnixTime,
    /// Seeds that trackers claim.
    pub claimed: Option<u32>,
    /// Seeds that were verified.
    pub verified: Option<u32>,
    /// Copies among the peers that were reached.
    pub copies: Option<Copies>,
    /// The time that half of the peers took at most from the connection to the whole handshake.
    pub response: Option<Duration>,
    /// The time that nine of ten took at most.
    pub response_ninth_decile: Option<Duration>,
}

/// One source of a torrent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceView {
    /// A tracker's URL without its secrets, or another name: `DHT over IPv4`.
    pub name: String,
    /// How its last answer ended, in words.
    pub status: String,
    /// When it was asked, in any order; those later than the report are left out.
    pub rounds: Vec<SourceRound>,
}

/// Requests to a source in one round, or in several that were put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceRound {
    /// When.
    pub at: UnixTime,
    /// Requests that were sent.
    pub asked: u32,
    /// Those of them that were answered; a refusal is an answer.
    pub answered: u32,
}

impl Overview {
    /// A report without torrents.
    #[must_use]
    pub fn new(title: impl Into<String>, made_at: UnixTime) -> Self {
        Self { title: title.into(), made_at, ..Self::default() }
    }
}

impl TorrentView {
    /// A torrent of which nothing but this is known.
    #[must_use]
    pub fn new(info_hash: InfoHash, name: impl Into<String>) -> Self {
        Self {
            info_hash,
            info_hash_v2: None,
            name: name.into(),
            magnet_link: None,
            torrent_size: None,
            num_files: None,
            data_size: None,
            archive: ArchiveFlags::default(),
            claimed: Claimed::default(),
            verified_seeds: None,
            copies: None,
            missing_pieces: None,
            verdict: None,
            since: None,
            checked_at: None,
            sentence: String::new(),
            to_do: None,
            detail: None,
        }
    }
}

impl Point {
    /// A moment at which nothing is known yet.
    #[must_use]
    pub fn new(at: UnixTime) -> Self {
        Self { at, ..Self::default() }
    }
}

impl SourceView {
    /// A source that was not asked yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}
