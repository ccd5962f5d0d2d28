//! Durations as text.

use std::time::Duration;

/// A duration in the largest suitable unit, with a second unit where it is not whole: `90 s`, `30 min`, `12 h 1 min`,
/// `3 days`.
#[must_use]
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (unit, name) = match seconds {
        0..120 => (1, "s"),
        120..7_200 => (60, "min"),
        7_200..172_800 => (3_600, "h"),
        _ => (86_400, "days"),
    };
    let rest = seconds % unit;
    let whole = format!("{} {name}", seconds / unit);
    match unit {
        60 if rest > 0 => format!("{whole} {rest} s"),
        3_600 if rest >= 60 => format!("{whole} {} min", rest / 60),
        86_400 if rest >= 3_600 => format!("{whole} {} h", rest / 3_600),
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_grows_with_the_duration() {
        for (seconds, shown) in [
            (0, "0 s"),
            (119, "119 s"),
            (1800, "30 min"),
            (150, "2 min 30 s"),
            (7200, "2 h"),
            (43_260, "12 h 1 min"),
            (172_800, "2 days"),
            (180_000, "2 days 2 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
    }
}
