//! One peer's part in an assembly, and the report of it.

use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// How many pieces software is asked for at once that was seen to answer each of several requests, by how its name begins (`v` of the
/// extension handshake). libtorrent answers ten, and those after them slowly; Transmission answers 64, twice a second. rTorrent, whose
/// name begins with `libTorrent`, answers the first only.
const ANSWER_ALL: [(&str, usize); 5] =
    [("libtorrent/", 8), ("qBittorrent/", 8), ("Deluge/", 8), ("Transmission 4", 32), ("aria2/", 32)];

/// What an assembly says of itself. Times are from its beginning on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataReport<K> {
    /// The size of the info dictionary under assembly, or of the finished one, in bytes.
    pub size: Option<u32>,
    /// The pieces of it that are there.
    pub received: u32,
    /// When a peer first offered it, with its size.
    pub offered: Option<Duration>,
    /// When there was memory for it, and the first piece was asked for.
    pub began: Option<Duration>,
    /// When the first piece came.
    pub first_piece: Option<Duration>,
    /// When it was complete and its hash right.
    pub complete: Option<Duration>,
    /// How many times it was complete and its hash wrong.
    pub wrong_hashes: u32,
    /// The peers that speak `ut_metadata`, in the order in which they said so.
    pub peers: Vec<MetadataPeer<K>>,
}

/// One peer's part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataPeer<K> {
    /// The caller's name for it.
    pub key: K,
    /// The `metadata_size` that it named.
    pub size: Option<u32>,
    /// Whether it is asked, or why not.
    pub standing: Standing,
    /// The pieces it gave, also those that were there already.
    pub pieces: u32,
    /// When it offered the dictionary.
    pub offered: Duration,
    /// When it was asked for its first piece.
    pub asked: Option<Duration>,
    /// When its first and its last piece came.
    pub answered: Option<(Duration, Duration)>,
    /// The longest time it took for a piece.
    pub slowest: Option<Duration>,
    /// Whether it asked us, who have no metadata, and was rejected.
    pub asked_us: bool,
}

/// Whether a peer is asked for metadata or for piece layers, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It is asked when there is a piece to ask for.
    Asked,
    /// It named no size: it has no metadata itself.
    NoSize,
    /// It named a size beyond the limit.
    TooLarge,
    /// It named another size than that of the dictionary whose hash is right.
    OtherSize,
    /// It rejected what it was asked for: BEP 9's `reject`, WebTorrent's empty piece, or BEP 52's `hash reject`.
    Rejected,
    /// It did not send what it was asked for in time.
    TimedOut,
    /// It sent a piece with another `total_size` than it had named.
    WrongTotal,
    /// It sent a piece of a wrong length.
    WrongLength,
    /// It sent what is no message of `ut_metadata`.
    Unreadable,
    /// It gave wrong bytes.
    WrongBytes,
}

impl Standing {
    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::NoSize => "no_size",
            Self::TooLarge => "too_large",
            Self::OtherSize => "other_size",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::WrongTotal => "wrong_total",
            Self::WrongLength => "wrong_length",
            Self::Unreadable => "unreadable",
            Self::WrongBytes => "wrong_bytes",
        }
    }
}

/// A peer in an assembly.
#[derive(Debug)]
pub(super) struct Member<K> {
    pub(super) told: MetadataPeer<K>,
    /// Whether its conversation goes on.
    pub(super) is_live: bool,
    /// Whether its conversation is kept for this.
    pub(super) is_kept: bool,
    /// Whether it waits to be kept, as long as it is listened to anyway.
    pub(super) is_spare: bool,
    /// The piece that did not come in time, which may still come.
    pub(super) late: Option<u32>,
    /// What it gave: the piece, and a digest of its bytes.
    pub(super) gave: Vec<(u32, u64)>,
    /// How many times it was asked alone, and another one waited.
    pub(super) turns: u32,
    /// How long its last answer took.
    pub(super) pace: Option<Duration>,
    /// When that came.
    pub(super) heard: Option<Instant>,
    /// The shortest time that an answer took.
    pub(super) best_pace: Option<Duration>,
    /// How many requests at once its software is known to answer.
    pub(super) at_once: usize,
    /// Bytes of pieces that it was asked for.
    pub(super) bytes: usize,
    pub(super) waker: Option<Waker>,
}

impl<K> Member<K> {
    pub(super) fn new(key: K, size: Option<u32>, standing: Standing, offered: Duration) -> Self {
        let told = MetadataPeer {
            key,
            size,
            standing,
            pieces: 0,
            offered,
            asked: None,
            answered: None,
            slowest: None,
            asked_us: false,
        };
        Self {
            told,
            is_live: true,
            is_kept: false,
            is_spare: false,
            late: None,
            gave: Vec::new(),
            turns: 0,
            pace: None,
            heard: None,
            best_pace: None,
            at_once: 1,
            bytes: 0,
            waker: None,
        }
    }

    /// Whether it can be asked, for a dictionary of some size.
    pub(super) fn is_usable(&self) -> bool {
        self.is_live && self.told.standing == Standing::Asked
    }

    /// Notes which software it is.
    pub(super) fn is_called(&mut self, client: Option<&str>) {
        let known = client.and_then(|client| ANSWER_ALL.iter().find(|(name, _)| client.starts_with(name)));
        self.at_once = known.map_or(1, |(_, at_once)| *at_once);
    }

    /// How many pieces it is asked for at once: one, until it has answered within `hedge`, and not much later than the quickest, which
    /// took `best`. Else a slow one would have many that others would have to wait for.
    pub(super) fn at_once(&self, hedge: Duration, best: Option<Duration>) -> usize {
        /// Times the quickest's answer.
        const NOT_MUCH_LATER: u32 = 4;
        let is_quick = self.pace.is_some_and(|pace| pace < hedge)
            && self.best_pace.zip(best).is_some_and(|(own, best)| own <= best * NOT_MUCH_LATER);
        if is_quick { self.at_once } else { 1 }
    }

    /// Notes a piece of the right length that took so long, if that is known.
    pub(super) fn gives(&mut self, piece: (u32, u64), length: usize, took: Option<Duration>, since: Duration) {
        self.gave.push(piece);
        self.bytes += length;
        self.told.pieces += 1;
        let first = self.told.answered.map_or(since, |(first, _)| first);
        self.told.answered = Some((first, since));
        if took.is_some() {
            self.pace = took;
            self.best_pace = self.best_pace.into_iter().chain(took).min();
            self.told.slowest = self.told.slowest.max(took);
        }
    }
}
