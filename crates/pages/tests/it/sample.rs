//! Torrents with a year of history, as thinning leaves it: always the same ones.

use ids::InfoHash;
use pages::{
    BytesBySeeds, BytesOverTime, Claimed, Detail, Overview, Point, SourceRound, SourceView, TorrentView, worst_first,
};
use report::{Copies, Outcome, ResponseTimes, Verdict};
use std::time::Duration;

/// 2026-11-29 16:00 UTC.
pub(crate) const NOW: i64 = 1_795_968_000;
const DAY: i64 = 86_400;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(sides.max(1))) as u32
    }
}

/// So many torrents, those with a section with their details.
pub(crate) fn overview(torrents: u32) -> Overview {
    let mut overview = Overview::new("Releases of example.org", NOW);
    overview.torrents = (0..torrents).map(torrent).collect();
    worst_first(&mut overview.torrents);
    for (torrent, place) in overview.torrents.iter_mut().take(pages::MOST_DETAILS).zip(0..) {
        torrent.detail = Some(Box::new(detail(place, torrent)));
    }
    overview.bytes_by_seeds = bytes_by_seeds(&overview.torrents);
    overview
}

fn torrent(number: u32) -> TorrentView {
    let mut dice = Dice(u64::from(number));
    let mut hash = [0; 20];
    hash.iter_mut().for_each(|byte| *byte = dice.roll(256).to_le_bytes()[0]);
    let kind = match number % 5 {
        0 => "netinst-amd64.iso",
        1 => "dvd-1.iso",
        2 => "archive-2019.tar",
        3 => "photographs of the harbour, 1880 to 1935",
        _ => "dump.zst",
    };
    let name = format!("example-{}.{}-{kind}", 8 + number % 6, number % 40);
    let mut torrent = TorrentView::new(InfoHash(hash), name);
    torrent.data_size = Some(u64::from(dice.roll(9_000) + 1) * 4_000_000);
    (torrent.num_files, torrent.torrent_size) = (Some(u64::from(dice.roll(400) + 1)), Some(52_311));
    let claimed = dice.roll(60) + 1;
    torrent.claimed = Claimed {
        seeds: Some(claimed),
        leechers: Some(dice.roll(9)),
        completed: Some(dice.roll(9_000)),
        at: Some(NOW - 300),
    };
    torrent.checked_at = Some(NOW - i64::from(dice.roll(900)));
    torrent.since = Some(NOW - i64::from(dice.roll(90)) * DAY - 40_000);
    let (verdict, verified, copies) = match dice.roll(40) {
        0 => (Verdict::NoPeerAnswered, 0, None),
        1 => (Verdict::NoPeerNamed, 0, None),
        2 => (Verdict::Refused, 0, None),
        3 | 4 => (Verdict::Incomplete, 0, Some(0.9995)),
        5 => (Verdict::WebSeeded, 0, Some(0.31)),
        6 => (Verdict::SeedsUnverified, 0, None),
        _ => (Verdict::Healthy, dice.roll(claimed.min(14)) + 1, Some(1.0)),
    };
    (torrent.verdict, torrent.verified_seeds) = (Some(verdict), Some(verified));
    let copies = copies.map(|least: f64| least + f64::from(verified));
    torrent.copies = copies.map(|min| Copies { min, max: min + f64::from(dice.roll(2)) });
    torrent.missing_pieces = (verdict == Verdict::Incomplete).then_some(1);
    torrent.sentence = match verdict {
        Verdict::Incomplete => format!(
            "incomplete: no seed answered (the tracker claims {claimed} seeds), 0.9995 copies, 1 piece of disc2/track07.flac is missing"
        ),
        Verdict::Refused => "refused: http://tracker.example/***/announce says \"unregistered torrent\"".to_owned(),
        _ => format!("{verified} of {claimed} seeds answered"),
    };
    torrent
}

fn detail(place: u32, torrent: &TorrentView) -> Detail {
    let mut dice = Dice(u64::from(place) + 77);
    let mut detail = Detail { pieces: Some(2_289), ..Detail::default() };
    let is_incomplete = torrent.missing_pieces.is_some();
    detail.missing = torrent.copies.map(|_| if is_incomplete { vec![1_200..=1_200] } else { Vec::new() });
    detail.missing_files = if is_incomplete { vec!["disc2/track07.flac".to_owned()] } else { Vec::new() };
    let claimed = torrent.claimed.seeds.unwrap_or_default() * if place % 5 == 4 { 100 } else { 1 };
    detail.history.points = times(366).map(|at| history(at, claimed, torrent, &mut dice)).collect();
    detail.outcomes = vec![
        (Outcome::Ok, 22),
        (Outcome::ConnectTimeout, 31),
        (Outcome::ConnectRefused, 6),
        (Outcome::ClosedBeforeHandshake, 2),
    ];
    detail.clients = [("qBittorrent/5.1.0", 12), ("Transmission 4.1.2", 5), ("rTorrent 0.15.7", 3)]
        .map(|(name, count)| (name.to_owned(), count))
        .to_vec();
    detail.other_clients = 2;
    detail.response_times = ResponseTimes { counts: [0, 0, 1, 4, 9, 6, 2, 0] };
    for (name, status) in [
        ("udp://tracker.example:6969/announce", "answered"),
        ("http://old.example/announce", "timed out"),
        ("DHT over IPv4", "answered"),
    ] {
        let mut source = SourceView::new(name);
        status.clone_into(&mut source.status);
        let is_old = name.contains("old");
        source.rounds = times(30)
            .map(|at| SourceRound {
                at,
                asked: 1,
                answered: u32::from(!is_old || at < NOW - 12 * DAY && dice.roll(5) > 0),
            })
            .collect();
        detail.sources.push(source);
    }
    detail
}

/// Every 20 minutes for 14 days, 6-hourly for 90, daily before.
fn times(days: i64) -> impl Iterator<Item = i64> {
    let raw = (0..14 * 72).rev().map(|n| NOW - n * 1_200);
    let thinned = (56..360).rev().map(|n| NOW - n * 21_600);
    let daily = (90..366).rev().map(|n| NOW - n * DAY);
    daily.chain(thinned).chain(raw).filter(move |at| *at > NOW - days * DAY)
}

fn history(at: i64, claimed: u32, torrent: &TorrentView, dice: &mut Dice) -> Point {
    let mut point = Point::new(at);
    let days = (NOW - at) / DAY;
    // It changes every few days, not with every observation.
    let steady = Dice((days / 5).unsigned_abs() * 31 + u64::from(claimed)).roll(3);
    let verified = match days {
        0..=30 => torrent.verified_seeds.unwrap_or_default(),
        31..=60 => 1 + steady / 2,
        // The machine was off.
        150..=165 => return Point::new(at),
        _ => 4 + steady,
    };
    point.claimed = Some(claimed + dice.roll(4));
    point.verified = Some(verified);
    let copies = f64::from(verified) + if days < 31 && torrent.missing_pieces.is_some() { 0.9995 } else { 1.3 };
    point.copies = Some(Copies { min: copies, max: copies + f64::from(steady / 2) });
    let milliseconds = |milliseconds: u32| Duration::from_millis(u64::from(milliseconds));
    let median = 60 + 15 * steady + dice.roll(20);
    point.response = (verified > 0).then(|| milliseconds(median));
    point.response_ninth_decile = (verified > 0).then(|| milliseconds(3 * median));
    point
}

fn bytes_by_seeds(torrents: &[TorrentView]) -> Vec<BytesBySeeds> {
    let mut bytes = BytesOverTime::new(NOW - 365 * DAY, NOW);
    for (number, torrent) in (0_u32..).zip(torrents) {
        // The collection grows, and what is well now was not always.
        let age = number.wrapping_mul(2_654_435_761) % 700;
        let seen = (0..age.min(366)).rev().map(|days| {
            let lost = (days + number % 90) / 60;
            let verified = torrent.verified_seeds.map(|seeds| seeds.saturating_sub(lost));
            (NOW - i64::from(days) * DAY, verified.filter(|_| number % 31 > 0))
        });
        bytes.add(torrent.data_size.unwrap_or_default(), seen);
    }
    bytes.sums()
}
