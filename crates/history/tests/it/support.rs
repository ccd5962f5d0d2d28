//! Files in a folder of their own, and observations to put into them.

use history::{History, Round};
use ids::InfoHash;
use report::{
    Copies, Met, Missing, Observation, Outcome, SourceCounts, SourceKind, Spread, Timings, TrackerObservation,
    TrackerStatus, Transport, Verdict, WebSeedObservation, WebSeedStatus,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tracker::Family;

/// 2026-01-01 in UTC.
pub(crate) const START_MS: i64 = 1_767_225_600_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("history-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the build folder.
        _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn hash(n: u8) -> InfoHash {
    InfoHash([n; 20])
}

/// An observation with this many copies: healthy, or not.
pub(crate) fn seen(n: u8, copies: Option<f64>) -> Observation {
    let verdict = match copies {
        Some(copies) if copies >= 1.0 => Verdict::Healthy,
        Some(_) => Verdict::Incomplete,
        None => Verdict::NoPeerAnswered,
    };
    let mut seen = Observation::new(hash(n), 0, verdict);
    seen.name = Some(format!("torrent {n}"));
    seen.copies = copies.map(|copies| Copies { min: copies, max: copies });
    seen
}

/// One with something in every field, as of a swarm of some size.
pub(crate) fn full(n: u8) -> Observation {
    let mut seen = seen(n, Some(3.3));
    (seen.size_bytes, seen.pieces) = (Some(4_700_372_992), Some(2289));
    (seen.claimed_seeds, seen.claimed_leechers) = (Some(50), Some(11));
    (seen.verified_seeds, seen.verified_seeds_max, seen.likely_seeds) = (3, 4, 1);
    seen.copies = Some(Copies { min: 3.333, max: 5.25 });
    seen.missing = Some(Missing { pieces: 3, ranges: vec![7..=7, 100..=101] });
    (seen.peers, seen.declined, seen.reached, seen.with_piece_info) = (61, 1, 22, 21);
    seen.list_complete = Some(false);
    seen.outcomes =
        [(Outcome::Ok, 22), (Outcome::ConnectTimeout, 31), (Outcome::ConnectRefused, 6), (Outcome::NoRoute, 2)].into();
    let clients = [(Some("qBittorrent/5.1.0"), 12), (Some("Transmission 4.0.6"), 5), (None, 5)];
    seen.clients = clients.map(|(name, count)| (name.map(str::to_owned), count)).into();
    seen.other_clients = 2;
    let counts = |named, ok, only| SourceCounts { named, ok, only };
    seen.sources = [(SourceKind::Tracker, counts(50, 20, 13)), (SourceKind::Dht, counts(41, 15, 4))].into();
    seen.transports = [(Transport::Tcp, 19), (Transport::Utp, 3)].into();
    (seen.encrypted, seen.dht_nodes) = (7, Some(12));
    let answer = |url: &str, family, status, seeders| TrackerObservation {
        url: url.into(),
        family,
        status,
        seeders,
        leechers: seeders.map(|seeders| seeders / 4),
        downloaded: None,
        peers: seeders,
        elapsed_ms: seeders,
    };
    seen.trackers = vec![
        answer("udp://tracker.example:6969/announce", Some(Family::V4), TrackerStatus::Ok, Some(50)),
        answer("udp://tracker.example:6969/announce", Some(Family::V6), TrackerStatus::Timeout, None),
        answer("wss://tracker.example/", None, TrackerStatus::UnsupportedScheme, None),
    ];
    seen.web_seeds = vec![WebSeedObservation {
        url: "https://mirror.example/iso/".into(),
        status: WebSeedStatus::WrongSize,
        complete: false,
    }];
    let spread = Some(Spread { median_ms: 31, ninth_decile_ms: 270 });
    seen.timings = Timings { elapsed_ms: 9200, connect: spread, handshake: spread };
    seen.met = Some(Met { distinct_peers: 80, seeds_new: 1, seeds_gone: 2 });
    seen
}

/// Records in a round of its own.
pub(crate) fn record_at(history: &mut History, at_ms: i64, seen: &Observation) -> Round {
    let round = history.begin_round(at_ms).unwrap();
    assert!(history.record(round, seen).unwrap().is_new);
    round
}

pub(crate) fn times(observations: &[Observation]) -> Vec<i64> {
    observations.iter().map(|seen| seen.at_ms).collect()
}

/// The same at another time.
pub(crate) fn at(at_ms: i64, seen: &Observation) -> Observation {
    let mut seen = seen.clone();
    seen.at_ms = at_ms;
    seen
}
