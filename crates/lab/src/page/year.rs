//! A history as a publisher's: forty torrents, hourly rounds for a year as thinning leaves them, always the same but for its end.

use std::path::Path;

use history::{Error, History};
use ids::InfoHash;
use report::{
    Copies, Missing, Observation, Outcome, Spread, TrackerObservation, TrackerStatus, Verdict, WebSeedObservation,
    WebSeedStatus,
};
use tracker::Family;

const TORRENTS: u32 = 40;
const HOUR: i64 = 3_600_000;

/// A name that would be markup, a formula and a command to a terminal.
pub(super) const HOSTILE: &str =
    "=1+1</bdi><img src=http://127.0.0.1:9/x><script>document.title='x'</script>\u{202e}\u{1b}[31m";
/// A name without a place to break it.
const LONG: &str = "a_very_long_name_without_a_single_blank_in_it_as_releases_of_some_groups_have_them.2026.COMPLETE.1080p.x265-EXAMPLE";

/// Writes it; the last round was at `now_ms`.
pub(super) fn write(path: &Path, now_ms: i64) -> Result<(), Error> {
    let mut history = History::open(path)?;
    let hours = (90 * 24..365 * 24).step_by(24).chain((14 * 24..90 * 24).step_by(6)).chain((0..14 * 24).step_by(2));
    let mut hours: Vec<i64> = hours.collect();
    hours.sort_unstable_by(|a, b| b.cmp(a));
    for ago in hours {
        let round = history.begin_round(now_ms - ago * HOUR)?;
        // The collection grows.
        let there = (0..TORRENTS).filter(|torrent| ago < 120 * 24 + i64::from(*torrent) * 9 * 24);
        history.record_all(round, there.map(|torrent| observation(torrent, ago)))?;
    }
    Ok(())
}

/// What happens to a torrent.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Healthy,
    Dead,
    OnePieceMissing,
    StaleWebSeed,
    WebSeedAlone,
    Refused,
    Unverified,
    /// Trackers claim a hundred times what is there.
    Boasted,
}

fn kind(torrent: u32) -> Kind {
    match torrent {
        3 | 17 => Kind::Dead,
        5 | 11 => Kind::OnePieceMissing,
        8 => Kind::StaleWebSeed,
        9 => Kind::WebSeedAlone,
        14 => Kind::Refused,
        21 => Kind::Unverified,
        26 => Kind::Boasted,
        _ => Kind::Healthy,
    }
}

fn observation(torrent: u32, ago: i64) -> Observation {
    let mut random = Random(u64::from(torrent) * 7_919 + ago.unsigned_abs());
    let days = ago / 24;
    let is_late = days < 12 + i64::from(torrent);
    let kind = if is_late { kind(torrent) } else { Kind::Healthy };
    let mut hash = [0x5a; 20];
    hash.iter_mut().zip(torrent.wrapping_mul(2_654_435_761).to_le_bytes()).for_each(|(byte, other)| *byte = other);
    // The machine was off its network for two days.
    if (200..202).contains(&days) {
        return named(Observation::new(InfoHash(hash), 0, Verdict::Offline), torrent);
    }
    let verdict = match kind {
        Kind::Healthy | Kind::StaleWebSeed | Kind::Boasted => Verdict::Healthy,
        Kind::Dead => Verdict::NoPeerNamed,
        Kind::OnePieceMissing => Verdict::Incomplete,
        Kind::WebSeedAlone => Verdict::WebSeeded,
        Kind::Refused => Verdict::Refused,
        Kind::Unverified => Verdict::SeedsUnverified,
    };
    let mut seen = named(Observation::new(InfoHash(hash), 0, verdict), torrent);
    let steady = Random(u64::from(torrent) * 31 + u64::try_from(days / 6).unwrap_or_default()).below(5);
    seen.verified_seeds = if verdict == Verdict::Healthy { 1 + steady + torrent % 9 } else { 0 };
    seen.verified_seeds_max = seen.verified_seeds;
    let claimed = seen.verified_seeds + 2 + random.below(3);
    seen.claimed_seeds =
        Some(if kind == Kind::Boasted { claimed * 100 } else { claimed }).filter(|_| kind != Kind::Refused);
    seen.claimed_leechers = seen.claimed_seeds.map(|_| random.below(12));
    swarm(&mut seen, kind, &mut random);
    sources(&mut seen, torrent, days, &mut random);
    seen
}

fn named(mut seen: Observation, torrent: u32) -> Observation {
    seen.name = Some(match torrent {
        5 => HOSTILE.to_owned(),
        11 => LONG.to_owned(),
        12 => "東京の写真集 2026 (第二版)".to_owned(),
        _ => format!(
            "example-linux-{}.{}-{}.iso",
            8 + torrent / 12,
            torrent % 12,
            if torrent.is_multiple_of(3) { "netinst" } else { "live" }
        ),
    });
    (seen.size_bytes, seen.pieces) = (Some(u64::from(torrent % 7 + 1) * 700_000_000), Some(2_289 + torrent));
    seen
}

fn swarm(seen: &mut Observation, kind: Kind, random: &mut Random) {
    let copies = |min: f64, max: f64| Some(Copies { min, max });
    let seeds = f64::from(seen.verified_seeds);
    seen.copies = match kind {
        Kind::OnePieceMissing => copies(0.999, 0.999),
        Kind::WebSeedAlone => copies(0.312, 0.312),
        Kind::Unverified => copies(0.41, 1.41),
        Kind::Dead | Kind::Refused => None,
        _ => copies(seeds + 0.3, seeds + f64::from(random.below(2))),
    };
    seen.copies = seen.copies.map(|copies| Copies { max: copies.max.max(copies.min), ..copies });
    seen.missing = match kind {
        Kind::OnePieceMissing => Some(Missing { pieces: 1, ranges: vec![1_200..=1_200] }),
        Kind::WebSeedAlone => Some(Missing { pieces: 1_574, ranges: vec![0..=699, 1_400..=2_273] }),
        Kind::Dead | Kind::Refused | Kind::Unverified => None,
        _ => Some(Missing::default()),
    };
    if matches!(kind, Kind::Dead | Kind::Refused) {
        return;
    }
    let ok = seen.verified_seeds + 2 + random.below(4);
    let lost = 5 + random.below(20);
    (seen.peers, seen.reached, seen.with_piece_info) = (ok + lost, ok, ok);
    seen.outcomes = [
        (Outcome::Ok, ok),
        (Outcome::ConnectTimeout, lost - 3),
        (Outcome::ConnectRefused, 2),
        (Outcome::ClosedBeforeHandshake, 1),
    ]
    .into();
    seen.clients = [("qBittorrent/5.1.0", ok - 1), ("Transmission 4.1.2", 1)]
        .map(|(name, count)| (Some(name.to_owned()), count))
        .into();
    let median_ms = 40 + random.below(60);
    seen.timings.handshake = Some(Spread { median_ms, ninth_decile_ms: 4 * median_ms });
    seen.timings.elapsed_ms = 8_000;
}

fn sources(seen: &mut Observation, torrent: u32, days: i64, random: &mut Random) {
    let is_old_up = days > 40 && random.below(8) > 0;
    let own = if seen.verdict == Verdict::Refused { TrackerStatus::Failure } else { TrackerStatus::Ok };
    for (url, family, status) in [
        ("udp://tracker.example.org:6969/announce", Family::V4, own),
        (
            "udp://tracker.example.org:6969/announce",
            Family::V6,
            if random.below(30) > 0 { own } else { TrackerStatus::Timeout },
        ),
        (
            "http://old.example.net/announce",
            Family::V4,
            if is_old_up { TrackerStatus::Ok } else { TrackerStatus::ResolveFailed },
        ),
    ] {
        let is_ok = status == TrackerStatus::Ok;
        seen.trackers.push(TrackerObservation {
            url: url.into(),
            family: Some(family),
            status,
            seeders: seen.claimed_seeds.filter(|_| is_ok),
            leechers: seen.claimed_leechers.filter(|_| is_ok),
            downloaded: None,
            peers: Some(seen.peers).filter(|_| is_ok),
            elapsed_ms: Some(20 + random.below(80)).filter(|_| is_ok),
        });
    }
    if matches!(torrent, 8 | 9) {
        let complete = seen.verdict != Verdict::Healthy || days > 20;
        let status = if complete { WebSeedStatus::Ok } else { WebSeedStatus::WrongSize };
        seen.web_seeds = vec![WebSeedObservation { url: "https://mirror.example.org/iso/".into(), status, complete }];
    }
    seen.dht_nodes = Some(9 + random.below(8));
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
