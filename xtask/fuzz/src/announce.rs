//! Replies to announces over HTTP: what is read is within the limits, is the same when it is written in another form, and
//! does not depend on bytes after the reply.

use crate::escape::assert_error;
use crate::memory;
use bencode::Encoder;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use tracker::{Announced, Error, Peer, PeerAddress};

/// Memory for each byte of the input: 16 for the tape; for a peer of six bytes 64 in a list with twice the capacity it needs,
/// and 40 in a set, which doubles four times on its way.
const TIMES_THE_INPUT: usize = 80;
/// Memory for any input: the tracker's texts, and the first capacity of list and set.
const BESIDE: usize = 16 << 10;
/// The longest text of a tracker in characters: 1,000 and an ellipsis.
const LONGEST_TEXT: usize = 1001;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let bound = TIMES_THE_INPUT * input.len() + BESIDE;
    match memory::bounded(bound, || Announced::parse(input)) {
        Ok(announced) => {
            sound(&announced);
            let followed = Announced::parse(&[input, b"\r\n"].concat());
            assert_eq!(followed.as_ref(), Ok(&announced));
            let plain = without_flags(&announced);
            assert_eq!(Announced::parse(&in_dictionaries(&announced)), Ok(plain));
            if announced.peers.iter().all(|peer| socket(peer).is_some() && peer.peer_id.is_none()) {
                let families = |peer: &Peer| socket(peer).is_some_and(|address| address.is_ipv6());
                let mut sorted = announced;
                sorted.skipped = Default::default();
                sorted.peers.sort_by_key(families);
                assert_eq!(Announced::parse(&compact(&sorted)), Ok(sorted));
            }
        }
        Err(error) => refused(input, &error),
    }
}

/// Checks an error of an announce or a scrape: offsets within the input, and text that is harmless to a terminal.
pub(crate) fn refused(input: &[u8], error: &Error) {
    match error {
        Error::Failure(failure) => assert!(failure.reason.chars().count() <= LONGEST_TEXT),
        Error::Bencode(error) => assert!(error.offset <= input.len()),
        Error::NotATracker(error) => assert!(error.offset < input.len()),
        _ => {}
    }
    assert_error(error);
}

/// Checks what holds for every answer, over HTTP and UDP.
pub(crate) fn sound(announced: &Announced) {
    let Announced { peers, tracker_id, warning, external_ip, .. } = announced;
    assert!(peers.len() <= Announced::MAX_PEERS);
    assert_eq!(peers.iter().map(|peer| &peer.address).collect::<HashSet<_>>().len(), peers.len(), "each once");
    for peer in peers {
        match &peer.address {
            PeerAddress::Socket(address) => {
                assert!(address.port() != 0 && !address.ip().is_unspecified());
                assert_eq!(address.ip().to_canonical(), address.ip());
            }
            PeerAddress::Host(name, port) => {
                let name = name.as_str();
                let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
                assert!(*port != 0 && !name.is_empty() && name.len() <= 253 && name.bytes().all(allowed));
            }
        }
        assert_eq!(peer.address.to_string().parse(), Ok(peer.address.clone()));
    }
    assert!(tracker_id.as_ref().is_none_or(|id| id.len() <= Announced::MAX_TRACKER_ID));
    assert!(warning.as_ref().is_none_or(|text| text.chars().count() <= LONGEST_TEXT));
    assert!(external_ip.is_none_or(|ip| ip.to_canonical() == ip));
}

fn socket(peer: &Peer) -> Option<SocketAddr> {
    match &peer.address {
        PeerAddress::Socket(address) => Some(*address),
        PeerAddress::Host(..) => None,
    }
}

fn without_flags(announced: &Announced) -> Announced {
    let mut plain = announced.clone();
    plain.skipped = Default::default();
    plain.peers.iter_mut().for_each(|peer| peer.requires_crypto = None);
    plain
}

/// The reply with a dictionary for each peer, which has no place for the flags.
fn in_dictionaries(announced: &Announced) -> Vec<u8> {
    written(announced, |dict| {
        dict.entry(b"peers").list(|list| {
            for peer in &announced.peers {
                list.item().dict(|dict| {
                    let (host, port) = match &peer.address {
                        PeerAddress::Socket(address) => (address.ip().to_string(), address.port()),
                        PeerAddress::Host(name, port) => (name.to_string(), *port),
                    };
                    dict.entry(b"ip").bytes(host.as_bytes());
                    dict.entry(b"port").int(port.into());
                    peer.peer_id.iter().for_each(|id| dict.entry(b"peer id").bytes(&id.0));
                });
            }
        });
    })
}

/// The reply with compact lists, IPv4 first.
fn compact(announced: &Announced) -> Vec<u8> {
    let mut lists = [Vec::new(), Vec::new()];
    let mut flags = Vec::new();
    for peer in &announced.peers {
        let address = socket(peer).expect("an address");
        match address.ip() {
            IpAddr::V4(ip) => {
                lists[0].extend(ip.octets());
                flags.push(peer.requires_crypto.map_or(2, u8::from));
            }
            IpAddr::V6(ip) => lists[1].extend(ip.octets()),
        }
        lists[usize::from(address.is_ipv6())].extend(address.port().to_be_bytes());
    }
    written(announced, |dict| {
        dict.entry(b"peers6").bytes(&lists[1]);
        dict.entry(b"peers").bytes(&lists[0]);
        dict.entry(b"crypto_flags").bytes(&flags);
    })
}

/// The reply with its peers as `peers` writes them.
fn written(announced: &Announced, peers: impl Fn(&mut bencode::DictEncoder<'_>)) -> Vec<u8> {
    let Announced { interval, min_interval, complete, incomplete, downloaded, .. } = announced;
    let bytes = Encoder::encode(|value| {
        value.dict(|dict| {
            let numbers = [
                (&b"interval"[..], interval),
                (b"min interval", min_interval),
                (b"complete", complete),
                (b"incomplete", incomplete),
                (b"downloaded", downloaded),
            ];
            for (key, number) in numbers {
                number.iter().for_each(|&number| dict.entry(key).int(number.into()));
            }
            announced.tracker_id.iter().for_each(|id| dict.entry(b"tracker id").bytes(id));
            announced.warning.iter().for_each(|text| dict.entry(b"warning message").bytes(text.as_bytes()));
            match announced.external_ip {
                Some(IpAddr::V4(ip)) => dict.entry(b"external ip").bytes(&ip.octets()),
                Some(IpAddr::V6(ip)) => dict.entry(b"external ip").bytes(&ip.octets()),
                None => {}
            }
            peers(dict);
        });
    });
    bytes.expect("each key once")
}
