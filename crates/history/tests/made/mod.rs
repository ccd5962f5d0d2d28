//! Observations as of real swarms, and a year of them: for the bench and for the test of its small version.

use ids::InfoHash;
use report::{
    Copies, Met, Missing, Observation, Outcome, SourceCounts, SourceKind, Spread, Timings, TrackerObservation,
    TrackerStatus, Transport, Verdict, WebSeedObservation, WebSeedStatus,
};
use rusqlite::Connection;
use tracker::Family;

/// 2026-01-01 in UTC.
pub(crate) const START_MS: i64 = 1_767_225_600_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// How much there is to say of a torrent.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Two silent trackers and no peer.
    Dead,
    /// Some sixty peers, three trackers, two web seeds.
    Usual,
    /// Hundreds of peers, twenty trackers over two families, and as many gaps as are kept.
    Large,
}

/// The hours of a year that thinning leaves: daily, then six-hourly, then each.
pub(crate) fn hours_of_a_year() -> impl Iterator<Item = i64> {
    (0..275 * 24).step_by(24).chain((275 * 24..351 * 24).step_by(6)).chain(351 * 24..365 * 24)
}

/// Adds copies of all torrents that are in a file, until there are so many: that is faster than to record them.
pub(crate) fn copy_torrents(connection: &Connection, until: i64) -> rusqlite::Result<()> {
    let columns = "SELECT group_concat(name) FROM pragma_table_info('observations') WHERE name <> 'torrent'";
    let columns: String = connection.query_row(columns, [], |row| row.get(0))?;
    let n: i64 = connection.query_row("SELECT max(torrent) FROM torrents", [], |row| row.get(0))?;
    connection.execute_batch(
        "PRAGMA journal_mode = delete; PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA temp_store = memory",
    )?;
    for add in (n..until).step_by(usize::try_from(n).unwrap_or(1)) {
        let from = format!("WHERE torrent <= {}", n.min(until - add));
        connection.execute_batch(&format!(
            "BEGIN;
            INSERT INTO torrents SELECT torrent + {add}, randomblob(20), name, size_bytes, pieces, verdict, since_ms FROM torrents {from};
            INSERT INTO observations (torrent, {columns}) SELECT torrent + {add}, {columns} FROM observations {from};
            COMMIT"
        ))?;
    }
    let mut name = connection.prepare("UPDATE torrents SET info_hash = ?2 WHERE torrent = ?1")?;
    for torrent in n..until {
        name.execute((torrent + 1, info_hash(torrent.unsigned_abs()).0))?;
    }
    // In the order of the table.
    let days = "INSERT INTO days SELECT day, torrent + k, verified_seeds FROM days JOIN (WITH RECURSIVE c(k) AS \
        (SELECT ?1 UNION ALL SELECT k + ?1 FROM c WHERE k + ?1 < ?2) SELECT k FROM c) WHERE torrent + k <= ?2 ORDER BY 1, 2";
    connection.execute(days, [n, until]).map(|_| ())
}

/// The most memory that the process had, in KiB; `None` where the system does not tell.
pub(crate) fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

fn info_hash(torrent: u64) -> InfoHash {
    let mut hash = [0; 20];
    hash.iter_mut().zip(torrent.to_le_bytes()).for_each(|(byte, other)| *byte = other);
    InfoHash(hash)
}

/// An observation of a torrent at an hour: always the same, and different from hour to hour.
pub(crate) fn observation(kind: Kind, torrent: u64, hour: i64) -> Observation {
    let mut random = Random(torrent.wrapping_mul(1_000_003) ^ hour.unsigned_abs().wrapping_mul(7_919));
    let mut seen = Observation::new(info_hash(torrent), 0, Verdict::NoPeerAnswered);
    seen.name = Some(format!("distribution-{torrent}-live-amd64.iso"));
    (seen.size_bytes, seen.pieces) = (Some(4_700_372_992 + torrent), Some(2289));
    seen.timings.elapsed_ms = 8000 + random.below(2000);
    let (trackers, peers) = match kind {
        Kind::Dead => (2, 0),
        Kind::Usual => (3, 40 + random.below(40)),
        Kind::Large => (40, 400 + random.below(400)),
    };
    seen.trackers = (0..trackers).map(|n| answer(&mut random, n, peers > 0)).collect();
    if peers > 0 {
        crowd(&mut seen, &mut random, peers);
    }
    if let Kind::Large = kind {
        let ranges = (0..64).map(|n| n * 30..=n * 30 + random.below(20)).collect();
        seen.missing = Some(Missing { pieces: 600 + random.below(99), ranges });
    }
    seen
}

fn answer(random: &mut Random, n: u32, answers: bool) -> TrackerObservation {
    let is_ok = answers && random.below(10) > 0;
    let number = |number: u32| is_ok.then_some(number);
    TrackerObservation {
        url: format!("udp://tracker-{}.example:6969/announce", n / 2).into(),
        family: Some(if n.is_multiple_of(2) { Family::V4 } else { Family::V6 }),
        status: if is_ok { TrackerStatus::Ok } else { TrackerStatus::Timeout },
        seeders: number(30 + random.below(40)),
        leechers: number(random.below(30)),
        downloaded: None,
        peers: number(50 + random.below(20)),
        elapsed_ms: number(20 + random.below(300)),
    }
}

fn crowd(seen: &mut Observation, random: &mut Random, peers: u32) {
    let ok = peers / 3;
    seen.verdict = Verdict::Healthy;
    (seen.claimed_seeds, seen.claimed_leechers) = (Some(30 + random.below(40)), Some(random.below(30)));
    seen.verified_seeds = 1 + random.below(9);
    seen.verified_seeds_max = seen.verified_seeds;
    seen.copies = Some(Copies {
        min: f64::from(1000 + random.below(9000)) / 1e3,
        max: f64::from(11_000 + random.below(9000)) / 1e3,
    });
    seen.missing = Some(Missing::default());
    (seen.peers, seen.reached, seen.with_piece_info, seen.list_complete) = (peers, ok, ok - 1, Some(false));
    let others = peers - ok;
    seen.outcomes = [
        (Outcome::Ok, ok),
        (Outcome::ConnectTimeout, others / 2),
        (Outcome::ConnectRefused, others / 4),
        (Outcome::ClosedBeforeHandshake, others / 8),
        (Outcome::NoUtpAnswer, others / 8),
    ]
    .into();
    for n in 0..5 {
        let name = format!("qBittorrent/{n}.{}.{}", random.below(4), random.below(3));
        seen.clients.insert(Some(name), ok / (n + 2));
    }
    let counts = |named, ok, only| SourceCounts { named, ok, only };
    seen.sources = [
        (SourceKind::Tracker, counts(peers * 4 / 5, ok / 2, ok / 3)),
        (SourceKind::Dht, counts(peers / 2, ok / 2, ok / 4)),
        (SourceKind::Pex, counts(peers / 8, ok / 8, 1)),
    ]
    .into();
    seen.transports = [(Transport::Tcp, ok - 2), (Transport::Utp, 2)].into();
    (seen.encrypted, seen.dht_nodes) = (ok / 3, Some(10 + random.below(9)));
    let seed = |n: u32| WebSeedObservation {
        url: format!("https://mirror-{n}.example/pub/iso/").into(),
        status: if n == 0 { WebSeedStatus::Ok } else { WebSeedStatus::WrongSize },
        complete: n == 0,
    };
    seen.web_seeds = (0..2).map(seed).collect();
    let spread = Some(Spread { median_ms: 30 + random.below(90), ninth_decile_ms: 200 + random.below(900) });
    seen.timings = Timings { elapsed_ms: seen.timings.elapsed_ms, connect: spread, handshake: spread };
    seen.met = Some(Met { distinct_peers: peers * 3, seeds_new: random.below(2), seeds_gone: random.below(2) });
}

/// Numbers without a pattern that matters (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(end.max(1))).unwrap_or_default()
    }
}
