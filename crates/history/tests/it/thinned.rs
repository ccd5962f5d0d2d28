//! Thinning by age.

use crate::support::{DAY_MS, Folder, HOUR_MS, START_MS, hash, record_at, seen, times};
use history::{History, Thinned};
use report::{Observation, Verdict};

/// Rounds every hour for so many days, and one of every ten minutes where the copies fall.
fn hourly(history: &mut History, days: i64, observation: impl Fn(i64) -> Observation) -> i64 {
    for n in 0..days * 24 {
        record_at(history, START_MS + n * HOUR_MS, &observation(n));
    }
    START_MS + (days * 24 - 1) * HOUR_MS
}

#[test]
fn raw_then_six_hourly_then_daily() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let now = hourly(&mut history, 120, |_| seen(7, Some(2.0)));
    let thinned = history.prune(now).unwrap();
    let kept = times(&history.observations(hash(7)).unwrap());
    assert_eq!(thinned.observations, 120 * 24 - kept.len() as u64);
    assert_eq!(thinned.rounds, thinned.observations);
    for (begin, end, step) in [(0, 29, 24), (29, 105, 6), (106, 120, 1)] {
        let (begin, end) = (START_MS + begin * DAY_MS, START_MS + end * DAY_MS);
        let among: Vec<i64> = kept.iter().copied().filter(|at| (begin..end).contains(at)).collect();
        let hours: Vec<i64> = (begin..end).step_by((step * HOUR_MS) as usize).collect();
        assert_eq!(among, hours, "every {step} hours");
    }
    assert_eq!(history.prune(now).unwrap(), Thinned::default());
    // Step by step it comes to the same.
    let mut slowly = History::open(&folder.path("b.db")).unwrap();
    for n in 0..120 * 24 {
        record_at(&mut slowly, START_MS + n * HOUR_MS, &seen(7, Some(2.0)));
        slowly.prune(START_MS + n * HOUR_MS).unwrap();
    }
    slowly.prune(now).unwrap();
    assert_eq!(times(&slowly.observations(hash(7)).unwrap()), kept);
}

#[test]
fn a_year_of_hours_is_less_than_a_thousand_rows() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let now = hourly(&mut history, 365, |_| seen(7, Some(2.0)));
    history.prune(now).unwrap();
    let kept = history.observations(hash(7)).unwrap().len();
    assert!((880..=940).contains(&kept), "{kept}");
}

#[test]
fn the_fewest_copies_of_a_window_stay() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    // An hour in which a piece is missing, one in which no peer answers, and one in which this machine is offline.
    let now = hourly(&mut history, 200, |n| match n {
        25 => seen(7, Some(0.98)),
        50 => seen(7, None),
        75 => Observation::new(hash(7), 0, Verdict::Offline),
        n => seen(7, Some(if n % 24 == 7 { 1.5 } else { 2.0 })),
    });
    history.prune(now).unwrap();
    let kept = history.observations(hash(7)).unwrap();
    let at_days: Vec<(Verdict, i64)> =
        kept.iter().take(4).map(|seen| (seen.verdict, (seen.at_ms - START_MS) / HOUR_MS)).collect();
    assert_eq!(
        at_days,
        [(Verdict::Healthy, 7), (Verdict::Incomplete, 25), (Verdict::NoPeerAnswered, 50), (Verdict::Healthy, 79)]
    );
}

#[test]
fn a_clock_that_is_wrong_for_a_few_rounds_thins_nothing() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let now = hourly(&mut history, 2, |_| seen(7, Some(2.0)));
    for n in 0..3 {
        let later = now + 3000 * DAY_MS + n;
        record_at(&mut history, later, &seen(7, Some(2.0)));
        assert_eq!(history.prune(later).unwrap(), Thinned::default());
    }
    record_at(&mut history, now + HOUR_MS, &seen(7, Some(2.0)));
    assert_eq!(history.prune(i64::MAX).unwrap(), Thinned::default());
    assert_eq!(history.prune(i64::MIN).unwrap(), Thinned::default());
    assert_eq!(history.observations(hash(7)).unwrap().len(), 52);
}

#[test]
fn the_newest_of_a_torrent_stays() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    for n in 0..5 {
        record_at(&mut history, START_MS + n, &seen(8, Some(1.0 + n as f64)));
    }
    let now = hourly(&mut history, 120, |_| seen(7, Some(2.0)));
    history.prune(now).unwrap();
    assert_eq!(times(&history.observations(hash(8)).unwrap()), [START_MS, START_MS + 4]);
    assert_eq!(history.torrents().unwrap()[0].observation.at_ms, START_MS + 4);
}

#[test]
fn what_comes_late_is_thinned_too() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    let now = hourly(&mut history, 40, |_| seen(7, Some(2.0)));
    history.prune(now).unwrap();
    // The clock was set back for a while.
    for n in 0..12 {
        record_at(&mut history, START_MS + n * HOUR_MS, &seen(8, Some(2.0)));
    }
    for n in 0..4 {
        record_at(&mut history, now + n, &seen(8, Some(2.0)));
    }
    assert_eq!(history.prune(now + 4).unwrap().observations, 10);
}
