//! What is recorded is read back, in its order, and what changed is told.

use crate::support::{Folder, HOUR_MS, START_MS, at, full, hash, record_at, seen, times};
use history::{History, MetPeers, MetSeeds};
use proptest::prelude::*;
use report::{Copies, Observation, Outcome, PeerReport, Role, Stage, Verdict};

#[test]
fn every_field_is_read_back() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    record_at(&mut history, START_MS, &full(7));
    drop(history);
    let mut history = History::open_read_only(&path).unwrap();
    let expected = at(START_MS, &full(7));
    assert_eq!(history.observations(hash(7)).unwrap(), [expected]);
    assert_eq!(history.observations(hash(8)).unwrap(), []);
    drop(history);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "the file, and the file of its lock");
}

#[test]
fn a_torrent_is_recorded_once_a_round() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let round = history.begin_round(START_MS).unwrap();
    assert!(history.record(round, &seen(7, Some(3.0))).unwrap().is_new);
    let again = history.record(round, &seen(7, Some(0.5))).unwrap();
    assert!(!again.is_new && again.changes.is_empty());
    assert!(history.record(round, &seen(8, None)).unwrap().is_new);
    assert_eq!(history.observations(hash(7)).unwrap(), [at(START_MS, &seen(7, Some(3.0)))]);
}

#[test]
fn rounds_keep_their_order_where_the_clock_jumps() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let clock = [START_MS, START_MS + 9 * HOUR_MS, START_MS - HOUR_MS, -5, START_MS - HOUR_MS, START_MS + 10 * HOUR_MS];
    for at_ms in clock {
        let mut history = History::open(&path).unwrap();
        record_at(&mut history, at_ms, &seen(7, Some(1.0)));
    }
    let mut history = History::open(&path).unwrap();
    let extremes = [i64::MAX, i64::MIN].map(|at_ms| history.begin_round(at_ms).unwrap());
    assert!(extremes[0].number < extremes[1].number && extremes[1].at_ms < 0);
    assert_eq!(times(&history.observations(hash(7)).unwrap()), clock);
}

#[test]
fn what_changed_is_told_and_since_when_it_is_so() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let offline = Observation::new(hash(7), 0, Verdict::Offline);
    let mut told = Vec::new();
    let rounds = [Some(3.3), Some(2.3), None, None, Some(1.0)].map(|copies| seen(7, copies));
    for (seen, n) in rounds.iter().zip(0..) {
        let round = history.begin_round(START_MS + n * HOUR_MS).unwrap();
        let recorded = history.record(round, seen).unwrap();
        let texts: Vec<String> = recorded.changes.iter().map(ToString::to_string).collect();
        told.push((texts.join(", "), recorded.since_ms.map(|since| (since - START_MS) / HOUR_MS)));
        // A machine that is offline in between changes nothing.
        let round = history.begin_round(START_MS + n * HOUR_MS + 1).unwrap();
        assert_eq!(history.record(round, &offline).unwrap().since_ms, None);
    }
    let expected = [
        ("", Some(0)),
        ("copies 3.3 → 2.3", Some(0)),
        ("healthy → no peer answered, copies 2.3 → unknown", Some(2)),
        ("", Some(2)),
        ("no peer answered → healthy, copies unknown → 1", Some(4)),
    ];
    assert_eq!(told, expected.map(|(text, since)| (text.to_owned(), since)));
    let [latest] = &history.torrents().unwrap()[..] else { panic!() };
    // Nor is it a state of the torrent.
    assert_eq!((latest.observation.verdict, latest.observation.at_ms), (Verdict::Healthy, START_MS + 4 * HOUR_MS));
    assert_eq!((latest.verdict, latest.since_ms), (Some(Verdict::Healthy), Some(START_MS + 4 * HOUR_MS)));
}

#[test]
fn a_link_gets_its_name_and_size_when_they_are_known_and_keeps_them() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let mut link = seen(7, None);
    link.name = None;
    let known = full(7);
    for seen in [&link, &known, &link] {
        record_at(&mut history, START_MS, seen);
    }
    let observations = history.observations(hash(7)).unwrap();
    assert!(observations.iter().all(|seen| (&seen.name, seen.size_bytes) == (&known.name, known.size_bytes)));
}

#[test]
fn names_full_of_markup_are_values() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let bad = "'); DROP TABLE rounds; --\u{0}<script>\"\u{202e}=1+1";
    let mut seen = full(7);
    seen.name = Some(bad.to_owned());
    seen.clients = [(Some(bad.to_owned()), 1)].into();
    record_at(&mut history, START_MS, &seen);
    assert_eq!(history.observations(hash(7)).unwrap(), [at(START_MS, &seen)]);
}

fn peer(n: u8, role: Role) -> PeerReport {
    let address = tracker::PeerAddress::Socket(([203, 0, 113, n], 51413).into());
    let mut report = PeerReport::new(address, Outcome::Ok, Stage::Done);
    report.role = role;
    report
}

#[test]
fn peers_are_counted_over_rounds_and_never_stored() {
    let folder = Folder::new();
    let path = folder.path("a.db");
    let mut history = History::open(&path).unwrap();
    let mut met = MetPeers::default();
    let rounds: [&[(u8, Role)]; 3] = [
        &[(1, Role::Seed), (2, Role::Seed), (3, Role::Leech)],
        &[(2, Role::Seed), (4, Role::Seed), (5, Role::Seed)],
        &[(3, Role::Seed)],
    ];
    let mut counts = Vec::new();
    for peers in rounds {
        // The torrent is given twice, so that two runs are about it at the same time.
        let mut runs = [(); 2].map(|()| MetSeeds::default());
        for (n, role) in peers {
            runs.iter_mut().for_each(|run| met.count(hash(7), &peer(*n, *role), run));
        }
        let [first, second] = runs;
        let mut seen = seen(7, Some(3.0));
        met.end_run(&mut seen, first);
        record_at(&mut history, START_MS, &seen);
        let known = seen.met.unwrap();
        counts.push((known.distinct_peers, known.seeds_new, known.seeds_gone));
        met.end_run(&mut seen, second);
        assert_eq!(seen.met.map(|met| (met.seeds_new, met.seeds_gone)), Some((0, 0)));
        // Nothing is gone because this machine was offline, nor because a run was interrupted that had met a few.
        met.end_run(&mut Observation::new(hash(7), 0, Verdict::Offline), MetSeeds::default());
        met.count(hash(7), &peer(2, Role::Seed), &mut MetSeeds::default());
    }
    assert_eq!(counts, [(3, 0, 0), (5, 2, 1), (5, 1, 3)]);
    drop(history);
    let bytes = std::fs::read(&path).unwrap();
    for address in [&[203, 0, 113][..], b"203.0.113"] {
        assert!(!bytes.windows(address.len()).any(|window| window == address));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn copies_are_read_back_to_the_thousandth(min in 0_u32..200_000_000, more in 0_u32..10_000, pieces in any::<u32>()) {
        let folder = Folder::new();
        let mut history = History::open(&folder.path("a.db")).unwrap();
        let copies = Copies { min: f64::from(min) / 1e3, max: f64::from(min + more) / 1e3 };
        let mut seen = seen(7, Some(1.0));
        seen.copies = Some(copies);
        seen.missing = Some(report::Missing { pieces, ranges: vec![0..=pieces, pieces..=u32::MAX] });
        record_at(&mut history, START_MS, &seen);
        let read = history.observations(hash(7)).unwrap();
        prop_assert_eq!(read[0].copies, Some(copies.in_thousandths()));
        prop_assert_eq!(&read[0].missing, &seen.missing);
    }
}
