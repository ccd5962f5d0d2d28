//! Dates in UTC, and the round times that an axis is marked at.

/// Seconds since 1970-01-01 00:00:00 UTC.
pub type UnixTime = i64;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;
/// The first second of the year 1 and the last of 9999: a time beyond them is taken for the nearest.
const YEARS: (i64, i64) = (-62_135_596_800, 253_402_300_799);
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in the Gregorian calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    /// Since midnight.
    seconds: i64,
}

impl Date {
    pub(crate) fn of(at: UnixTime) -> Self {
        let at = at.clamp(YEARS.0, YEARS.1);
        let (days, seconds) = (at.div_euclid(DAY), at.rem_euclid(DAY));
        // Eras of 400 years that begin in March, so that the leap day is the last of its year.
        let since_era = days + 719_468;
        let (era, day) = (since_era.div_euclid(146_097), since_era.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: 400 * era + year + i64::from(month <= 2), month, day, seconds }
    }

    /// Midnight of a day.
    pub(crate) fn midnight(year: i64, month: i64, day: i64) -> UnixTime {
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day = 365 * of_era + of_era / 4 - of_era / 100 + of_year;
        (146_097 * era + day - 719_468) * DAY
    }

    fn month_name(self) -> &'static str {
        usize::try_from(self.month - 1).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default()
    }

    fn clock(self) -> String {
        format!("{:02}:{:02}", self.seconds / 3_600, self.seconds / 60 % 60)
    }
}

/// `2026-11-29`.
pub(crate) fn day(at: UnixTime) -> String {
    let Date { year, month, day, .. } = Date::of(at);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-29 16:36`.
pub(crate) fn minute(at: UnixTime) -> String {
    format!("{} {}", day(at), Date::of(at).clock())
}

/// `2026-11-29T16:36:01`, as archives write times.
pub(crate) fn second(at: UnixTime) -> String {
    let date = Date::of(at);
    format!("{}T{}:{:02}", day(at), date.clock(), date.seconds % 60)
}

/// In order of time, without what is later than `end`; of several at one time the last one stays.
pub(crate) fn in_order<V: Copy>(values: &[V], at: impl Fn(&V) -> UnixTime, end: UnixTime) -> Vec<V> {
    let mut values: Vec<V> = values.iter().copied().filter(|value| at(value) <= end).collect();
    values.sort_by_key(&at);
    // Of two that are the same to it, `dedup_by` keeps the one in front.
    values.reverse();
    values.dedup_by(|a, b| at(a) == at(b));
    values.reverse();
    values
}

/// How far marks of a time axis are from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Seconds(i64),
    Days(i64),
    Months(i64),
    Years(i64),
}

/// Steps, and about how many seconds each has.
const STEPS: [(Step, i64); 19] = [
    (Step::Seconds(1), 1),
    (Step::Seconds(10), 10),
    (Step::Seconds(60), 60),
    (Step::Seconds(300), 300),
    (Step::Seconds(900), 900),
    (Step::Seconds(3_600), 3_600),
    (Step::Seconds(3 * 3_600), 3 * 3_600),
    (Step::Seconds(6 * 3_600), 6 * 3_600),
    (Step::Days(1), DAY),
    (Step::Days(2), 2 * DAY),
    (Step::Days(7), 7 * DAY),
    (Step::Days(14), 14 * DAY),
    (Step::Months(1), 30 * DAY),
    (Step::Months(2), 61 * DAY),
    (Step::Months(3), 91 * DAY),
    (Step::Months(6), 182 * DAY),
    (Step::Years(1), 365 * DAY),
    (Step::Years(5), 5 * 365 * DAY),
    (Step::Years(100), 100 * 365 * DAY),
];

/// Round times between two others, at most `most` and about half as many, each with its label.
pub(crate) fn marks(first: UnixTime, last: UnixTime, most: i64) -> Vec<(UnixTime, String)> {
    let (first, last) = (first.clamp(YEARS.0, YEARS.1), last.clamp(YEARS.0, YEARS.1));
    let span = last.saturating_sub(first);
    let step = STEPS.iter().find(|(_, seconds)| span / seconds < most).map_or(Step::Years(2_000), |(step, _)| *step);
    let mut marks = Vec::new();
    let mut at = step.at_or_before(first);
    while at <= last {
        if at >= first {
            marks.push((at, step.label(at)));
        }
        at = step.after(at);
    }
    marks
}

impl Step {
    fn at_or_before(self, at: UnixTime) -> UnixTime {
        let date = Date::of(at);
        match self {
            Self::Seconds(step) => at - at.rem_euclid(step),
            Self::Days(step) => (at.div_euclid(DAY) - at.div_euclid(DAY).rem_euclid(step)) * DAY,
            Self::Months(step) => Date::midnight(date.year, date.month - (date.month - 1) % step, 1),
            Self::Years(step) => Date::midnight(date.year - date.year.rem_euclid(step), 1, 1),
        }
    }

    fn after(self, at: UnixTime) -> UnixTime {
        let date = Date::of(at);
        match self {
            Self::Seconds(step) => at + step,
            Self::Days(step) => at + step * DAY,
            Self::Months(step) if date.month + step > 12 => Date::midnight(date.year + 1, 1, 1),
            Self::Months(step) => Date::midnight(date.year, date.month + step, 1),
            Self::Years(step) => Date::midnight(date.year + step, 1, 1),
        }
    }

    fn label(self, at: UnixTime) -> String {
        let date = Date::of(at);
        match self {
            Self::Seconds(step) if step < 60 => format!("{}:{:02}", date.clock(), date.seconds % 60),
            Self::Seconds(_) if date.seconds > 0 => date.clock(),
            Self::Seconds(_) | Self::Days(_) => format!("{} {}", date.day, date.month_name()),
            Self::Months(_) => format!("{} {}", date.month_name(), date.year),
            Self::Years(_) => date.year.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, SystemTime};

    fn labels(first: &str, last: &str) -> Vec<String> {
        let [first, last] = [first, last].map(|text| {
            let since = humantime::parse_rfc3339(text).unwrap().duration_since(SystemTime::UNIX_EPOCH);
            i64::try_from(since.unwrap().as_secs()).unwrap()
        });
        marks(first, last, 7).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn an_axis_is_marked_at_round_times() {
        for (first, last, expected) in [
            ("2026-11-29T14:20:00Z", "2026-11-29T14:51:00Z", "14:20 14:25 14:30 14:35 14:40 14:45 14:50"),
            ("2026-11-28T20:00:00Z", "2026-11-29T09:00:00Z", "21:00 29 Nov 03:00 06:00 09:00"),
            ("2026-11-27T20:00:00Z", "2026-12-01T09:00:00Z", "28 Nov 29 Nov 30 Nov 1 Dec"),
            ("2025-11-15T00:00:00Z", "2026-11-15T00:00:00Z", "Jan 2026 Mar 2026 May 2026 Jul 2026 Sep 2026 Nov 2026"),
            ("2023-11-15T00:00:00Z", "2026-11-15T00:00:00Z", "Jan 2024 Jul 2024 Jan 2025 Jul 2025 Jan 2026 Jul 2026"),
            ("2016-11-15T00:00:00Z", "2026-11-15T00:00:00Z", "2020 2025"),
        ] {
            assert_eq!(labels(first, last).join(" "), expected, "{first}");
        }
    }

    #[test]
    fn a_clock_that_jumped_leaves_an_order() {
        let rows = [(5, 'a'), (9_999, 'b'), (3, 'c'), (5, 'd'), (7, 'e')];
        assert_eq!(in_order(&rows, |row| row.0, 10), [(3, 'c'), (5, 'd'), (7, 'e')]);
    }

    #[test]
    fn times_beyond_the_calendar_are_taken_for_its_ends() {
        assert_eq!(second(i64::MIN), "0001-01-01T00:00:00");
        assert_eq!(second(i64::MAX), "9999-12-31T23:59:59");
        assert_eq!(marks(i64::MIN, i64::MAX, 7).len(), 4);
    }

    proptest! {
        #[test]
        fn dates_are_those_of_another_implementation(at in 0..YEARS.1) {
            let other = SystemTime::UNIX_EPOCH + Duration::from_secs(at.unsigned_abs());
            prop_assert_eq!(second(at) + "Z", humantime::format_rfc3339_seconds(other).to_string());
            let date = Date::of(at);
            prop_assert_eq!(Date::midnight(date.year, date.month, date.day) + date.seconds, at);
        }

        #[test]
        fn marks_are_few_in_order_and_within(first in YEARS.0..YEARS.1, span in 0..4_000_000_000_i64) {
            let last = (first + span).min(YEARS.1);
            let marks = marks(first, last, 7);
            prop_assert!(marks.len() <= 8 && marks.is_sorted_by(|a, b| a.0 < b.0));
            prop_assert!(marks.iter().all(|(at, _)| (first..=last).contains(at)));
        }
    }
}
