//! How values are written on the command line.

use std::time::Duration;
use tracker::PeerAddress;

/// What a torrent may be.
pub(crate) const TORRENT: &str = "A .torrent file, a folder of them, a magnet link, an info-hash, @FILE with one of these a line (paths from the current folder), or - for a list or a .torrent file on standard input";

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// `500ms`, `5s`, `2m`, `1h`, or seconds without a unit; up to a day.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    up_to(DAY, text, "expected at most a day")
}

/// As [`duration`], up to a year: `6h`, `1d`.
pub(crate) fn long_duration(text: &str) -> Result<Duration, String> {
    up_to(365.0 * DAY, text, "expected at most a year")
}

fn up_to(longest: f64, text: &str, too_long: &str) -> Result<Duration, String> {
    let error = || "expected a time such as 5s, 500ms or 2m".to_owned();
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(number.len()..) {
        Some("ms") => 0.001,
        Some("s" | "") => 1.0,
        Some("m") => 60.0,
        Some("h") => HOUR,
        Some("d") => DAY,
        _ => return Err(error()),
    };
    let seconds = number.parse::<f64>().map_err(|_| error())? * unit;
    if (0.0..=longest).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(too_long.to_owned()) }
}

/// `HOST:PORT` of a node of the DHT, which has a port.
pub(crate) fn node(text: &str) -> Result<PeerAddress, String> {
    let node: PeerAddress = text.parse().map_err(|error: tracker::ParsePeerAddressError| error.to_string())?;
    let port = match &node {
        PeerAddress::Socket(address) => address.port(),
        PeerAddress::Host(_, port) => *port,
    };
    if port == 0 { Err("expected a port from 1".to_owned()) } else { Ok(node) }
}

/// A number of 1 or more.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "expected a number of 1 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, milliseconds) in
            [("5s", 5000), ("500ms", 500), ("1.5", 1500), ("2m", 120_000), ("0s", 0), ("1d", 86_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
        assert_eq!(long_duration("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert!(long_duration("366d").is_err());
        for wrong in ["", "s", "5 s", "-1s", "25h", "1w", "inf", "NaN", "1e99"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nodes_have_a_port() {
        for right in ["9.9.9.9:6881", "[2001:db8::1]:1", "dht.example:65535"] {
            assert_eq!(node(right).map(|node| node.to_string()).as_deref(), Ok(right));
        }
        for (wrong, says) in [("9.9.9.9:0", "port from 1"), ("dht.example:0", "port from 1"), ("9.9.9.9", "HOST:PORT")]
        {
            assert!(node(wrong).is_err_and(|error| error.contains(says)), "{wrong}");
        }
    }

    #[test]
    fn numbers_of_one_or_more() {
        assert_eq!(positive("7"), Ok(7));
        for wrong in ["", "0", "-1", "1.5", "x"] {
            assert!(positive(wrong).is_err(), "{wrong}");
        }
    }
}
