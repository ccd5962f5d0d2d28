//! opentracker: started with its list of torrents, and asked what it counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::process::{self, Process};
use super::scratch::write;
use super::torrents::Torrent;
use crate::shell::Result;

/// How long opentracker may take to listen.
const UP_WITHIN: Duration = Duration::from_secs(10);

/// How long one scrape may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running opentracker.
pub(super) struct Tracker {
    pub(super) process: Process,
    address: SocketAddr,
}

/// What a tracker counts of one torrent's peers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// Those that have all of it.
    pub(super) complete: u64,
    /// All others.
    pub(super) incomplete: u64,
}

impl Tracker {
    /// Starts opentracker with these torrents on its list, and waits until it listens.
    pub(super) fn start(folder: &Path, address: SocketAddr, listed: &[&Torrent]) -> Result<Self> {
        let list: String = listed.iter().map(|torrent| format!("{}\n", torrent.info_hash)).collect();
        write(&folder.join("whitelist.txt"), list)?;
        // Started by root it would make `rootdir` its root and become `nobody`, and the kernel would forget that it has
        // to end with us; so it is started as `nobody`. Either way the list's path is seen from `rootdir`.
        let config =
            format!("listen.tcp_udp {address}\naccess.whitelist whitelist.txt\ntracker.rootdir {}\n", folder.display());
        let file = folder.join("opentracker.conf");
        write(&file, config)?;
        let mut command = Command::new("opentracker");
        command.arg("-f").arg(&file);
        let mut process = Process::start_as_nobody("opentracker", &command, folder)?;
        process::poll(Instant::now() + UP_WITHIN, || {
            process.check_alive()?;
            Ok(TcpStream::connect_timeout(&address, SCRAPE_TIMEOUT).map_err(|error| format!("opentracker: {error}")))
        })?;
        Ok(Self { process, address })
    }

    /// The counts of one torrent, asked for by hand. A scrape registers nobody.
    pub(super) fn scrape(&self, info_hash: &str) -> Result<Counts> {
        let reply = self.get(&format!("/scrape?info_hash={}", percent_encoded(info_hash)));
        let reply = reply.map_err(|error| format!("scrape of {}: {error}", self.address))?;
        Counts::in_reply(&reply).ok_or_else(|| format!("scrape of {}: {}", self.address, reply.escape_ascii()))
    }

    /// Waits until the tracker counts nobody but seeds.
    pub(super) fn wait_until_gone(&self, info_hash: &str, deadline: Instant) -> Result {
        process::poll(deadline, || {
            let Counts { incomplete, .. } = self.scrape(info_hash)?;
            let gone = incomplete == 0;
            Ok(gone
                .then_some(())
                .ok_or_else(|| format!("the tracker still counts {incomplete} incomplete: no `stopped`?")))
        })
    }

    /// One HTTP request; the whole reply, with its head.
    fn get(&self, target: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, SCRAPE_TIMEOUT)?;
        stream.set_read_timeout(Some(SCRAPE_TIMEOUT))?;
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        Ok(reply)
    }
}

impl Counts {
    /// The counts in the reply to a scrape of one torrent. One the tracker has never been asked about has none.
    fn in_reply(reply: &[u8]) -> Option<Self> {
        if find(reply, b"5:filesdee").is_some() {
            return Some(Self { complete: 0, incomplete: 0 });
        }
        Some(Self { complete: integer(reply, b"8:completei")?, incomplete: integer(reply, b"10:incompletei")? })
    }
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
fn percent_encoded(hex: &str) -> String {
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
