//! `Retry-After` (RFC 9110, 10.2.3).

use hyper::HeaderMap;
use hyper::header::{DATE, HeaderName, RETRY_AFTER};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wait that [`Response::retry_after`](crate::Response::retry_after) describes.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let ours = || SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|now| now.as_secs());
    let now = text(DATE).and_then(seconds_at).or_else(ours)?;
    Some(Duration::from_secs(seconds_at(value)?.saturating_sub(now)))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds from 1970 to a date in the preferred format of RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`. The obsolete
/// formats are not read.
fn seconds_at(date: &str) -> Option<u64> {
    let parts: Vec<&str> = date.split(' ').collect();
    let &[_, day, month, year, time, "GMT"] = parts.as_slice() else { return None };
    let &[hour, minute, second] = time.split(':').collect::<Vec<_>>().as_slice() else { return None };
    let number = |text: &str, digits: usize, range: std::ops::RangeInclusive<u64>| {
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| is_number && range.contains(number))
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let days = days_before(number(year, 4, 1970..=9999)?, month) + number(day, 2, 1..=31)? - 1;
    // 60 is a leap second.
    Some(((days * 24 + number(hour, 2, 0..=23)?) * 60 + number(minute, 2, 0..=59)?) * 60 + number(second, 2, 0..=60)?)
}

/// Days from 1970 to the first of a month, which is counted from 0.
fn days_before(year: u64, month: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leap_days(year) > leap_days(year - 1);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let in_year = usize::try_from(month).ok().and_then(|month| before.get(month)).copied().unwrap_or_default();
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + in_year + u64::from(is_leap && month > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_the_preferred_format_are_read_and_others_are_not() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799)),
            ("Thu, 01 Mar 2001 00:00:00 GMT", Some(983_404_800)),
            ("Sat, 28 Nov 2026 12:00:00 GMT", Some(1_795_867_200)),
            ("Mon, 01 Mar 2100 00:00:00 GMT", Some(4_107_542_400)),
            ("Fri, 31 Dec 9999 23:59:60 GMT", Some(253_402_300_800)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1969 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 +8:49:37 GMT", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds_at(date), seconds, "{date}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = "Sat, 28 Nov 2026 12:00:00 GMT";
        for (value, date, expected) in [
            ("120", "", Some(120)),
            (" 0 ", "", Some(0)),
            ("18446744073709551615", "", Some(u64::MAX)),
            ("18446744073709551616", "", None),
            ("-1", "", None),
            ("1.5", "", None),
            ("", "", None),
            ("soon", date, None),
            ("Sat, 28 Nov 2026 12:02:00 GMT", date, Some(120)),
            ("Sat, 28 Nov 2026 11:00:00 GMT", date, Some(0)),
            // Our own clock is past this.
            ("Thu, 01 Jan 1970 00:00:00 GMT", "", Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            if !date.is_empty() {
                headers.insert(DATE, date.parse().unwrap());
            }
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
