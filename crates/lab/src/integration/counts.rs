//! What a tracker counts of a torrent's peers, asked for by hand over HTTP. A scrape registers no peer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use xtask::shell::Result;

use super::process;

/// How long one scrape may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a tracker may take to hear that the probe has gone. The binary ends after its `stopped` is written.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// What a tracker counts of one torrent's peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// Those that have all of it.
    pub(super) complete: u64,
    /// All others.
    pub(super) incomplete: u64,
}

impl Counts {
    /// What the tracker at this address counts of a torrent.
    pub(super) fn of(tracker: SocketAddr, info_hash: &str) -> Result<Self> {
        let reply = get(tracker, &format!("/scrape?info_hash={}", percent_encoded(info_hash)));
        let reply = reply.map_err(|error| format!("scrape of {tracker}: {error}"))?;
        Self::in_reply(&reply).ok_or_else(|| format!("scrape of {tracker}: {}", reply.escape_ascii()))
    }

    /// The counts in the reply to a scrape of one torrent. One the tracker has never been asked about has none.
    fn in_reply(reply: &[u8]) -> Option<Self> {
        if find(reply, b"5:filesdee").is_some() {
            return Some(Self { complete: 0, incomplete: 0 });
        }
        Some(Self { complete: integer(reply, b"8:completei")?, incomplete: integer(reply, b"10:incompletei")? })
    }
}

/// Waits until the tracker's counts are as wanted; the error says what they were instead.
pub(super) fn wait_until(
    tracker: SocketAddr,
    info_hash: &str,
    deadline: Instant,
    wanted: impl Fn(Counts) -> bool,
) -> Result {
    process::poll(deadline, || {
        let counts = Counts::of(tracker, info_hash)?;
        Ok(wanted(counts).then_some(()).ok_or_else(|| format!("{tracker} counts {counts:?} of {info_hash}")))
    })
}

/// Waits until the tracker counts only seeds, as it must soon after a run.
pub(super) fn wait_until_gone(tracker: SocketAddr, info_hash: &str) -> Result {
    wait_until(tracker, info_hash, Instant::now() + GONE_WITHIN, |counts| counts.incomplete == 0)
        .map_err(|reason| format!("{reason}, although the run has ended: no `stopped`?"))
}

/// One HTTP request; the whole reply, with its head.
pub(super) fn get(address: SocketAddr, target: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, SCRAPE_TIMEOUT)?;
    stream.set_read_timeout(Some(SCRAPE_TIMEOUT))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let (mut reply, mut part) = (Vec::new(), [0; 4096]);
    while !is_whole(&reply) {
        match stream.read(&mut part)? {
            0 => break,
            length => reply.extend_from_slice(part.get(..length).unwrap_or_default()),
        }
    }
    Ok(reply)
}

/// Whether a reply is as long as its head says: qBittorrent keeps a connection that it is asked to close.
fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = find(reply, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(reply.get(..end).unwrap_or_default()).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    length.is_some_and(|length: usize| reply.len() - end - 4 >= length)
}

/// The number that follows a key.
fn integer(reply: &[u8], key: &[u8]) -> Option<u64> {
    let digits = reply.get(find(reply, key)? + key.len()..)?;
    let end = digits.iter().position(|byte| *byte == b'e')?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

/// Where a string begins in another.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Bytes given in hex as they stand in a query, every one of them escaped.
pub(super) fn percent_encoded(hex: &str) -> String {
    let mut encoded = String::new();
    for (digit, at) in hex.chars().zip(0..) {
        if at % 2 == 0 {
            encoded.push('%');
        }
        encoded.push(digit);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_a_reply() {
        let reply =
            b"HTTP/1.1 200 OK\r\n\r\nd5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei4e10:downloadedi0e10:incompletei1eeee";
        assert_eq!(Counts::in_reply(reply), Some(Counts { complete: 4, incomplete: 1 }));
        assert_eq!(Counts::in_reply(b"d5:filesdee"), Some(Counts { complete: 0, incomplete: 0 }));
        assert_eq!(Counts::in_reply(b"HTTP/1.0 404 Not Found"), None);
    }

    #[test]
    fn every_byte_is_escaped() {
        assert_eq!(percent_encoded("00ff41"), "%00%ff%41");
    }
}
