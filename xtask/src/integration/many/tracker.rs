//! Trackers that note what they are asked, when, and over how many connections.

use std::collections::BTreeSet;
use std::io::{BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fake_swarm::bencoding::{dictionary, integer, string};
use fake_swarm::{Request, UdpCounts, UdpScript};

use super::super::actors::{self, Dialled};
use crate::shell::Result;

/// An info-hash.
pub(super) type Hash = [u8; 20];

/// What a tracker that takes connections does with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It answers, and takes the next request.
    Keeps,
    /// It answers, and closes.
    Closes,
    /// It reads.
    Hangs,
}

/// One announce, or one scrape.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// `started`, `stopped` or `scrape`.
    pub(super) event: String,
    pub(super) hashes: Vec<Hash>,
    pub(super) key: String,
}

/// What a tracker noted.
#[derive(Clone)]
pub(super) struct Tracker {
    pub(super) url: String,
    /// Connections, over HTTP.
    pub(super) dialled: Dialled,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Tracker {
    fn new(scheme: &str, at: impl std::fmt::Display) -> Self {
        let url = format!("{scheme}://{at}/announce");
        Self { url, dialled: Dialled::default(), asked: Arc::default() }
    }

    /// Serves HTTP, and names these peers.
    pub(super) fn http(ip: IpAddr, manner: Manner, peers: &[SocketAddr]) -> Result<Self> {
        let mut tracker = Self::new("http", ip);
        let (asked, peers) = (Arc::clone(&tracker.asked), compact(peers));
        let port = actors::listen((ip, 0).into(), &tracker.dialled, move |stream| {
            serve(&stream, manner, |request| {
                let question = asked_over_http(request);
                lock(&asked).push(question.clone());
                if question.event == "scrape" { scraped(&question.hashes) } else { announced(&peers) }
            })
        })?;
        tracker.url = format!("http://{}/announce", SocketAddr::new(ip, port));
        Ok(tracker)
    }

    /// Serves UDP, and names these peers.
    pub(super) fn udp(at: SocketAddr, peers: &[SocketAddr]) -> Result<Self> {
        let tracker = Self::new("udp", at);
        let (asked, script) = (Arc::clone(&tracker.asked), UdpScript::peers(peers.iter().copied()));
        actors::serve_datagrams(at, move |datagram| {
            let mut script = script.clone();
            let mut note = |event: &str, hashes: Vec<Hash>, key: String| {
                script.counts = hashes.iter().map(|hash| (*hash, counts(hash))).collect();
                lock(&asked).push(Asked { at: Instant::now(), event: event.to_owned(), hashes, key });
            };
            if let Some(announce) = datagram.announce() {
                // BEP 15.
                let event = ["", "completed", "started", "stopped"].get(usize::try_from(announce.event).unwrap_or(0));
                note(event.unwrap_or(&""), vec![announce.info_hash], format!("{:02x?}", announce.key));
            } else if let Some(hashes) = datagram.scrape() {
                note("scrape", hashes, String::new());
            }
            script.answers(datagram, 0)
        })?;
        Ok(tracker)
    }

    /// One that somebody else plays, or nobody.
    pub(super) fn deaf(at: SocketAddr) -> Self {
        Self::new("udp", at)
    }

    /// All that it was asked.
    pub(super) fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    /// The info-hashes and keys of one event.
    pub(super) fn of(&self, event: &str) -> BTreeSet<(Hash, String)> {
        let asked = lock(&self.asked);
        let of = asked.iter().filter(|asked| asked.event == event);
        of.flat_map(|asked| asked.hashes.iter().map(|hash| (*hash, asked.key.clone()))).collect()
    }

    /// The info-hashes and keys that have come and not gone.
    pub(super) fn owed(&self) -> BTreeSet<(Hash, String)> {
        &self.of("started") - &self.of("stopped")
    }
}

/// What is counted of a torrent: seeders, completed downloads, leechers.
pub(super) fn counts([seeders, completed, leechers, ..]: &Hash) -> UdpCounts {
    let [seeders, completed, leechers] = [seeders, completed, leechers].map(|count| u32::from(*count));
    UdpCounts { seeders, completed, leechers }
}

/// Answers requests until the other side closes, or we do.
fn serve(mut stream: &TcpStream, manner: Manner, answer: impl Fn(&Request) -> Vec<u8>) -> std::io::Result<()> {
    let remote = stream.peer_addr()?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = actors::head(&mut reader)? {
        let body = answer(&Request::parse(&head, remote));
        if manner != Manner::Hangs {
            stream.write_all(&actors::ok(body))?;
        }
        if manner == Manner::Closes {
            break;
        }
    }
    Ok(())
}

fn asked_over_http(request: &Request) -> Asked {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let hashes = query.split('&').filter_map(|pair| decoded(pair.strip_prefix("info_hash=")?)).collect();
    let scrapes = request.path().ends_with("/scrape");
    let event = if scrapes { "scrape".to_owned() } else { request.event().unwrap_or_default() };
    Asked { at: Instant::now(), event, hashes, key: request.query("key").unwrap_or_default() }
}

/// An info-hash that is percent-encoded (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<Hash> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = (*first == b'%').then(|| after.get(..2)).flatten();
        bytes.push(match digits {
            Some(digits) => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?,
            None => *first,
        });
        rest = after.get(digits.map_or(0, <[u8]>::len)..)?;
    }
    bytes.try_into().ok()
}

/// Peers in the compact form (BEP 23).
fn compact(peers: &[SocketAddr]) -> Vec<u8> {
    let one = |peer: &SocketAddr| match peer {
        SocketAddr::V4(peer) => [&peer.ip().octets()[..], &peer.port().to_be_bytes()].concat(),
        SocketAddr::V6(_) => Vec::new(),
    };
    peers.iter().flat_map(one).collect()
}

fn announced(peers: &[u8]) -> Vec<u8> {
    dictionary([("interval", integer(1800)), ("peers", string(peers))])
}

/// The reply to a scrape (BEP 48).
fn scraped(hashes: &[Hash]) -> Vec<u8> {
    let sorted: BTreeSet<&Hash> = hashes.iter().collect();
    let files = sorted.into_iter().map(|hash| {
        let UdpCounts { seeders, completed, leechers } = counts(hash);
        let counts = [("complete", seeders), ("downloaded", completed), ("incomplete", leechers)];
        (hash, dictionary(counts.map(|(key, count)| (key, integer(count)))))
    });
    dictionary([("files", dictionary(files))])
}

fn lock(asked: &Mutex<Vec<Asked>>) -> MutexGuard<'_, Vec<Asked>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_hashes_are_decoded() {
        let head =
            format!("GET /scrape?info_hash={}&info_hash=%00a{}&x=1 HTTP/1.1\r\n\r\n", "%fF".repeat(20), "b".repeat(18));
        let asked = asked_over_http(&Request::parse(head.as_bytes(), SocketAddr::from(([127, 0, 0, 1], 1))));
        let mut second = [b'b'; 20];
        second[..2].copy_from_slice(b"\0a");
        assert_eq!((asked.event.as_str(), asked.hashes), ("scrape", vec![[0xff; 20], second]));
        assert_eq!(decoded("%0"), None);
    }
}
