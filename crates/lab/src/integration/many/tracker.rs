//! Trackers that record what they are asked, when, and over how many connections.

use std::collections::BTreeSet;
use std::io::{BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fake_swarm::bencoding::{dictionary, integer, string};
use fake_swarm::{Datagram, Request, UdpCounts, UdpScript};
use xtask::shell::Result;

use super::super::fakes::{self, Dialled};

/// An info-hash.
pub(super) type Hash = [u8; 20];

/// How a tracker behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// HTTP: it answers, and takes the next request.
    Keeps,
    /// HTTP: it answers, and closes.
    Closes,
    /// HTTP: it reads requests and sends nothing.
    Hangs,
    /// UDP: it answers.
    Udp,
    /// UDP: every datagram is dropped.
    DroppedUdp,
}

type Notes = Arc<Mutex<Vec<Asked>>>;

/// One announce, or one scrape.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// `started`, `stopped` or `scrape`.
    pub(super) event: String,
    pub(super) hashes: Vec<Hash>,
    pub(super) key: String,
}

/// A tracker and its record.
#[derive(Clone)]
pub(super) struct Tracker {
    pub(super) url: String,
    /// Connections, over HTTP.
    pub(super) dialled: Dialled,
    asked: Notes,
    /// Keeps the port of dropped datagrams.
    _unread: Option<Arc<UdpSocket>>,
}

impl Tracker {
    /// Starts one that returns these peers, on a port of its own.
    pub(super) fn start(ip: IpAddr, manner: Manner, peers: &[SocketAddr]) -> Result<Self> {
        let (dialled, asked) = (Dialled::default(), Arc::default());
        let failed = |error: std::io::Error| format!("no socket at {ip}: {error}");
        let mut unread = None;
        let (scheme, port) = match manner {
            Manner::Udp => ("udp", serve_udp(ip, &asked, peers)?),
            Manner::DroppedUdp => {
                let socket = UdpSocket::bind((ip, 0)).map_err(failed)?;
                ("udp", unread.insert(Arc::new(socket)).local_addr().map_err(failed)?.port())
            }
            _ => ("http", serve_http(ip, manner, &dialled, &asked, peers)?),
        };
        let url = format!("{scheme}://{}/announce", SocketAddr::new(ip, port));
        Ok(Self { url, dialled, asked, _unread: unread })
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

    /// The info-hashes and keys with a `started` and without a `stopped`.
    pub(super) fn owed(&self) -> BTreeSet<(Hash, String)> {
        &self.of("started") - &self.of("stopped")
    }
}

/// What is counted of a torrent: seeders, completed downloads, leechers.
pub(super) fn counts([seeders, completed, leechers, ..]: &Hash) -> UdpCounts {
    let [seeders, completed, leechers] = [seeders, completed, leechers].map(|count| u32::from(*count));
    UdpCounts { seeders, completed, leechers }
}

fn serve_http(ip: IpAddr, manner: Manner, dialled: &Dialled, asked: &Notes, peers: &[SocketAddr]) -> Result<u16> {
    let (asked, peers) = (Arc::clone(asked), compact(peers));
    fakes::listen((ip, 0).into(), dialled, move |stream| {
        serve(&stream, manner, |request| {
            let question = asked_over_http(request);
            lock(&asked).push(question.clone());
            if question.event == "scrape" { scraped(&question.hashes) } else { announced(&peers) }
        })
    })
}

fn serve_udp(ip: IpAddr, asked: &Notes, peers: &[SocketAddr]) -> Result<u16> {
    const PORT: u16 = 8080;
    let (asked, mut script) = (Arc::clone(asked), UdpScript::peers(peers.iter().copied()));
    let answers = move |datagram: &Datagram| {
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
    };
    fakes::serve_datagrams((ip, PORT).into(), answers).map(|()| PORT)
}

/// Answers requests until either side closes.
fn serve(mut stream: &TcpStream, manner: Manner, answer: impl Fn(&Request) -> Vec<u8>) -> std::io::Result<()> {
    let remote = stream.peer_addr()?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = fakes::head(&mut reader)? {
        let body = answer(&Request::parse(&head, remote));
        if manner != Manner::Hangs {
            stream.write_all(&fakes::ok(body))?;
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
