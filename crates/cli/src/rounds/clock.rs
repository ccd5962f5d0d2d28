//! What the clock says here. It is for reading alone: nothing is measured by it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// A time of a round, in the time zone of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// `2026-11-29`.
    pub(super) date: String,
    /// `14:20`, with seconds where rounds are less than a minute apart.
    pub(super) time: String,
}

impl Clock {
    /// That of this many milliseconds since 1970.
    pub(super) fn of(at_ms: i64, every: Duration) -> Self {
        Self::in_zone(at_ms, every, TimeZone::system())
    }

    fn in_zone(at_ms: i64, every: Duration, zone: TimeZone) -> Self {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned_datetime(zone);
        let time = if every < Duration::from_secs(60) { "%H:%M:%S" } else { "%H:%M" };
        Self { date: at.strftime("%Y-%m-%d").to_string(), time: at.strftime(time).to_string() }
    }

    /// With the date, if that is not the one of the `other`.
    pub(super) fn beside(&self, other: &Self) -> String {
        if self.date == other.date { self.time.clone() } else { format!("{} {}", self.date, self.time) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_place() {
        let zone = || TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        let of = |at_ms, every| Clock::in_zone(at_ms, Duration::from_secs(every), zone());
        let summer = of(1_783_000_000_000, 600);
        assert_eq!((&*summer.date, &*summer.time), ("2026-07-02", "09:46"));
        assert_eq!(of(1_783_000_000_000, 10).time, "09:46:40");
        assert_eq!(of(1_767_225_600_000, 600).beside(&summer), "2025-12-31 19:00");
        // A clock that is far off is no reason to stop.
        assert_eq!(of(i64::MAX, 600).date, "1969-12-31");
    }
}
