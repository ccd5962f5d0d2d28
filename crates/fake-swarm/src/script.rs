//! What a fake tracker answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use crate::bencoding::{dictionary, integer, list, string};
use crate::udp_script::UdpCounts;

/// What a fake tracker does with each request. Whatever it does, the request is recorded first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackerScript {
    /// Peers in compact form: `peers` (BEP 23) and, if there are any of IPv6, `peers6` (BEP 7).
    Peers {
        /// The peers of both families.
        peers: Vec<SocketAddr>,
        /// Seconds to the next announce; the key is left out if `None`.
        interval: Option<u32>,
        /// Whether to send no more peers than `numwant` asks for.
        honour_numwant: bool,
        /// Further keys with values that are [encoded](crate::bencoding) already, such as `complete`.
        extra: Vec<(String, Vec<u8>)>,
    },
    /// Peers as a list of dictionaries, the original form of BEP 3.
    Dictionary {
        /// The peers.
        peers: Vec<DictionaryPeer>,
        /// Seconds to the next announce; the key is left out if `None`.
        interval: Option<u32>,
        /// Further keys with values that are [encoded](crate::bencoding) already.
        extra: Vec<(String, Vec<u8>)>,
    },
    /// A bencoded `failure reason`, with status 200 as real trackers send it.
    Failure(String),
    /// Some other body.
    Body {
        /// The HTTP status; one that HTTP does not know becomes 500.
        status: u16,
        /// The value of `Content-Type`; left out if it is not a valid header value.
        content_type: String,
        /// The body.
        body: Vec<u8>,
    },
    /// A body that is labelled `Content-Encoding: gzip`, whatever it is; see [`gzip`](crate::gzip).
    Gzip(Vec<u8>),
    /// A redirect.
    Redirect {
        /// The HTTP status; one that HTTP does not know becomes 500.
        status: u16,
        /// The value of `Location`; left out if it is not a valid header value.
        location: String,
        /// Whether the request's own query follows it, as most servers do it.
        keep_query: bool,
    },
    /// A body that never ends, as fast as it is taken.
    EndlessBody,
    /// Bytes, and then others again and again, as fast as they are taken: a head or chunks without end.
    Endless {
        /// What comes first, status line and all.
        first: Vec<u8>,
        /// What is repeated.
        then: Vec<u8>,
    },
    /// Exactly these bytes, status line and all, then the connection is closed: replays a captured reply.
    Raw(Vec<u8>),
    /// Exactly these bytes, and the connection stays open.
    RawKeepOpen(Vec<u8>),
    /// No answer, and the connection stays open.
    Silence,
    /// No answer, and the connection is closed.
    CloseAtOnce,
    /// The beginning of a valid head, one byte a second.
    Trickle,
    /// A valid head at once, then the body, one byte a second.
    TrickleBody(Vec<u8>),
    /// Something else, but later.
    Delay(Duration, Box<TrackerScript>),
    /// A scrape (a path that names `scrape`) is answered with what is counted, anything else by another script.
    Counting {
        /// What is counted of each torrent, by info-hash; others are left out of the answer.
        counts: Vec<([u8; 20], UdpCounts)>,
        /// How many torrents of one request are looked at, the first ones.
        most: usize,
        /// What else is answered.
        otherwise: Box<TrackerScript>,
    },
    /// Something else, to several requests over one connection; only to those that ask for what HTTP can say, not for bytes.
    KeepAlive {
        /// After how many requests the connection is closed, without a word in the last reply.
        most: usize,
        /// What is answered.
        then: Box<TrackerScript>,
    },
}

/// A peer in a [`TrackerScript::Dictionary`]. Nothing in it need be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DictionaryPeer {
    /// An IPv4 or IPv6 address or a host name.
    pub ip: String,
    /// The port.
    pub port: i64,
    /// The peer id; left out if `None`.
    pub peer_id: Option<[u8; 20]>,
}

impl DictionaryPeer {
    /// A peer without a peer id.
    #[must_use]
    pub fn new(ip: impl Into<String>, port: i64) -> Self {
        Self { ip: ip.into(), port, peer_id: None }
    }
}

impl TrackerScript {
    /// These peers in compact form, all of them, with an interval of 1800 s.
    #[must_use]
    pub fn peers<A: Into<SocketAddr>>(peers: impl IntoIterator<Item = A>) -> Self {
        let peers = peers.into_iter().map(Into::into).collect();
        Self::Peers { peers, interval: Some(1800), honour_numwant: false, extra: Vec::new() }
    }

    /// These peers as dictionaries, with an interval of 1800 s.
    #[must_use]
    pub fn dictionary(peers: impl IntoIterator<Item = DictionaryPeer>) -> Self {
        Self::Dictionary { peers: peers.into_iter().collect(), interval: Some(1800), extra: Vec::new() }
    }

    /// A temporary redirect to this URL or path, which the request's own query follows.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::Redirect { status: 302, location: location.into(), keep_query: true }
    }

    /// A head that never ends, one header after the other.
    #[must_use]
    pub fn endless_head() -> Self {
        Self::endless("HTTP/1.1 200 OK\r\n", "X-Reason: there is always one more\r\n")
    }

    /// `100 Continue` (RFC 9110, 15.2.1) again and again.
    #[must_use]
    pub fn endless_continue() -> Self {
        Self::endless("", "HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// A body in chunks (RFC 9112, 7.1), which begins so and goes on so without end.
    #[must_use]
    pub fn endless_chunks(first: &str, then: &str) -> Self {
        Self::endless(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{first}"), then)
    }

    fn endless(first: &str, then: &str) -> Self {
        Self::Endless { first: first.into(), then: then.into() }
    }

    /// A valid head that promises a body, and then nothing; the connection stays open.
    #[must_use]
    pub fn stall_after_head() -> Self {
        Self::RawKeepOpen(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n".to_vec())
    }

    /// This script over connections that are never closed.
    #[must_use]
    pub fn kept_alive(self) -> Self {
        Self::KeepAlive { most: usize::MAX, then: Box::new(self) }
    }

    /// This script, after a delay.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::Delay(delay, Box::new(self))
    }
}

/// The reply of [`TrackerScript::Peers`].
pub(crate) fn compact(peers: &[SocketAddr], interval: Option<u32>, extra: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for peer in peers {
        match peer {
            SocketAddr::V4(peer) => v4.extend(peer.ip().octets().into_iter().chain(peer.port().to_be_bytes())),
            SocketAddr::V6(peer) => v6.extend(peer.ip().octets().into_iter().chain(peer.port().to_be_bytes())),
        }
    }
    let mut entries = vec![("peers", string(v4))];
    if !v6.is_empty() {
        entries.push(("peers6", string(v6)));
    }
    reply(entries, interval, extra)
}

/// The reply of [`TrackerScript::Dictionary`].
pub(crate) fn dictionaries(peers: &[DictionaryPeer], interval: Option<u32>, extra: &[(String, Vec<u8>)]) -> Vec<u8> {
    let peers = peers.iter().map(|peer| {
        let mut entries = vec![("ip", string(&peer.ip)), ("port", integer(peer.port))];
        entries.extend(peer.peer_id.map(|id| ("peer id", string(id))));
        dictionary(entries)
    });
    reply(vec![("peers", list(peers))], interval, extra)
}

/// The reply of [`TrackerScript::Counting`] to a scrape.
pub(crate) fn counted(asked: &[[u8; 20]], counts: &[([u8; 20], UdpCounts)]) -> Vec<u8> {
    let known: BTreeMap<[u8; 20], UdpCounts> = counts.iter().copied().collect();
    let asked: BTreeSet<&[u8; 20]> = asked.iter().collect();
    let files = asked.into_iter().filter_map(|info_hash| known.get_key_value(info_hash));
    let files = files.map(|(info_hash, counts)| {
        let UdpCounts { seeders, completed, leechers } = *counts;
        let numbers = [("complete", seeders), ("downloaded", completed), ("incomplete", leechers)];
        (info_hash, dictionary(numbers.map(|(name, number)| (name, integer(number)))))
    });
    dictionary([("files", dictionary(files))])
}

/// The reply of [`TrackerScript::Failure`].
pub(crate) fn failure(reason: &str) -> Vec<u8> {
    dictionary([("failure reason", string(reason))])
}

fn reply<'a>(mut entries: Vec<(&'a str, Vec<u8>)>, interval: Option<u32>, extra: &'a [(String, Vec<u8>)]) -> Vec<u8> {
    entries.extend(interval.map(|seconds| ("interval", integer(seconds))));
    entries.extend(extra.iter().map(|(key, value)| (key.as_str(), value.clone())));
    dictionary(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn compact_bytes() {
        let v4 = SocketAddr::from((Ipv4Addr::new(127, 1, 2, 3), 6881));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        assert_eq!(compact(&[], None, &[]), b"d5:peers0:e");
        assert_eq!(compact(&[v4], Some(60), &[]), b"d8:intervali60e5:peers6:\x7f\x01\x02\x03\x1a\xe1e");
        assert_eq!(
            compact(&[v6, v4], None, &[("complete".to_owned(), integer(5))]),
            b"d8:completei5e5:peers6:\x7f\x01\x02\x03\x1a\xe16:peers618:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50e"
        );
    }

    #[test]
    fn dictionary_bytes() {
        let named = DictionaryPeer { peer_id: Some([b'i'; 20]), ..DictionaryPeer::new("peer.example", 6881) };
        assert_eq!(
            dictionaries(&[named, DictionaryPeer::new("::1", -1)], Some(5), &[]),
            b"d8:intervali5e5:peersld2:ip12:peer.example7:peer id20:iiiiiiiiiiiiiiiiiiii4:porti6881ee\
              d2:ip3:::14:porti-1eeee"
        );
    }

    #[test]
    fn counted_bytes() {
        let (a, b) = ([b'a'; 20], [b'b'; 20]);
        let counts = UdpCounts { seeders: 1, completed: 2, leechers: 3 };
        let entry = "20:aaaaaaaaaaaaaaaaaaaad8:completei1e10:downloadedi2e10:incompletei3ee";
        assert_eq!(counted(&[b, a, a], &[(a, counts)]), format!("d5:filesd{entry}ee").as_bytes());
        assert_eq!(counted(&[b], &[(a, counts)]), b"d5:filesdee");
    }

    #[test]
    fn failure_bytes() {
        assert_eq!(failure("no"), b"d14:failure reason2:noe");
    }
}
