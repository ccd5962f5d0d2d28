//! The bytes of all torrents, day by day.

use crate::support::{DAY_MS, Folder, HOUR_MS, START_MS, hash, record_at, seen};
use history::History;
use report::{Observation, Verdict};

/// Days since the start, and bytes by verified seeds.
type Days = Vec<(i64, Vec<(u32, u64)>)>;

fn days(history: &mut History) -> Days {
    let mut days = Vec::new();
    let mut take = |at_ms, bytes: &std::collections::BTreeMap<u32, u64>| {
        days.push(((at_ms - START_MS) / DAY_MS, bytes.iter().map(|(seeds, bytes)| (*seeds, *bytes)).collect()));
    };
    history.bytes_by_seeds(&mut take).unwrap();
    days
}

fn seeds(n: u8, verified_seeds: u32) -> Observation {
    let mut seen = seen(n, Some(2.0));
    (seen.size_bytes, seen.verified_seeds) = (Some(10_u64.pow(n.into())), verified_seeds);
    seen
}

#[test]
fn the_fewest_seeds_of_a_day_hold_until_the_next() {
    let folder = Folder::new();
    let mut history = History::open(&folder.path("a.db")).unwrap();
    assert_eq!(days(&mut history), []);
    let unknown_size = seen(9, None);
    let offline = Observation::new(hash(1), 0, Verdict::Offline);
    for (hour, seen) in [
        (1, &seeds(1, 4)),
        (2, &seeds(1, 3)),
        (3, &seeds(2, 3)),
        (23, &seeds(1, 5)),
        (47, &offline),
        (50, &seeds(1, 0)),
        (51, &unknown_size),
        (24 * 9, &seeds(2, 7)),
        // The clock was set back: it is known of the first day.
        (4, &seeds(2, 1)),
    ] {
        record_at(&mut history, START_MS + hour * HOUR_MS, seen);
    }
    let expected: Days = vec![(0, vec![(1, 100), (3, 10)]), (2, vec![(0, 10), (1, 100)]), (9, vec![(0, 10), (7, 100)])];
    assert_eq!(days(&mut history), expected);
    // Thinning leaves it as it is, and a merge in any order comes to the same.
    for hour in 0..4 {
        history.begin_round(START_MS + 400 * DAY_MS + hour).unwrap();
    }
    assert!(history.prune(START_MS + 400 * DAY_MS).unwrap().observations > 0);
    assert_eq!(days(&mut history), expected);
    let mut merged = History::open(&folder.path("b.db")).unwrap();
    record_at(&mut merged, START_MS + HOUR_MS, &seeds(2, 2));
    record_at(&mut merged, START_MS + 48 * HOUR_MS, &seeds(1, 8));
    for _ in 0..2 {
        merged.merge(&folder.path("a.db")).unwrap();
        assert_eq!(days(&mut merged), expected);
    }
}
