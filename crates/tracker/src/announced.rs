//! A tracker's answer to an announce (BEP 3, 7, 23, 24, 31).

use crate::error::Error;
use crate::family::Family;
use crate::fields::{number, text};
use crate::latin1;
use crate::peer::Peer;
use crate::peers::{Collector, MAX_PEERS, Skipped};
use bencode::{Document, Limits};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A tracker's answer (BEP 3; over UDP BEP 15). What the tracker did not send is `None` or empty, never a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announced {
    /// Seconds to wait before the next announce.
    pub interval: Option<u32>,
    /// `min interval`: seconds that must pass before the next announce.
    pub min_interval: Option<u32>,
    /// Seeds, as the tracker counts them.
    pub complete: Option<u32>,
    /// Leechers, as the tracker counts them.
    pub incomplete: Option<u32>,
    /// Completed downloads, as the tracker counts them.
    pub downloaded: Option<u32>,
    /// To be sent back in later announces as `trackerid`; `None` for one longer than [`Announced::MAX_TRACKER_ID`].
    pub tracker_id: Option<Vec<u8>>,
    /// Our address as seen by the tracker (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// `warning message`: text for the user, cut by an ellipsis after 1,000 characters; not escaped.
    pub warning: Option<String>,
    /// The peers, in the tracker's order: `peers`, then `peers6`.
    pub peers: Vec<Peer>,
    /// Entries of the lists that are not in `peers`, by reason.
    pub skipped: Skipped,
}

impl Announced {
    /// Most peers taken from one reply; a compact body of 2 MiB could name 349,525.
    pub const MAX_PEERS: usize = MAX_PEERS;

    /// Longest tracker id that is kept, in bytes: in the URL that returns it each byte may take three characters.
    pub const MAX_TRACKER_ID: usize = 256;

    /// Reads the body of a reply.
    ///
    /// # Errors
    /// The tracker's refusal, or why this is not a tracker's reply.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let document = Document::parse_lenient(body, Limits::TRACKER_REPLY)?;
        let reply = document.root().as_dict().ok_or(Error::NotADict)?;
        if let Some(failure) = Error::failure(reply) {
            return Err(failure);
        }
        let mut collector = Collector::default();
        // Either list may be absent, and so may the interval; a reply without any of them is not a tracker's.
        let mut found = ["interval", "complete"].iter().any(|key| number(reply, key).is_some());
        let flags = reply.bytes("crypto_flags").unwrap_or_default();
        for (key, family, flags) in [("peers", Family::V4, flags), ("peers6", Family::V6, &[])] {
            if let Some(list) = reply.get(key.as_bytes()) {
                collector.add(list, family, flags);
                found = true;
            }
        }
        if let Err(error) = reply.int("interval")
            && !found
        {
            return Err(Error::NotATracker(error));
        }
        let tracker_id = reply.bytes("tracker id").ok().filter(|id| id.len() <= Self::MAX_TRACKER_ID);
        Ok(Self {
            interval: number(reply, "interval"),
            min_interval: number(reply, "min interval"),
            complete: number(reply, "complete"),
            incomplete: number(reply, "incomplete"),
            downloaded: number(reply, "downloaded"),
            tracker_id: tracker_id.map(<[u8]>::to_vec),
            external_ip: reply.bytes("external ip").ok().and_then(external_ip),
            warning: reply.bytes("warning message").ok().map(text),
            peers: collector.peers,
            skipped: collector.skipped,
        })
    }
}

/// BEP 24: 4 or 16 bytes, also when the tracker wrote them as text.
fn external_ip(bytes: &[u8]) -> Option<IpAddr> {
    address(bytes).or_else(|| latin1::undo(bytes).as_deref().and_then(address))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(|ip| Ipv4Addr::from(ip).into());
    v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|ip| IpAddr::from(Ipv6Addr::from(ip)).to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Failure, RetryIn};
    use crate::peer::PeerAddress;
    use bencode::Encoder;
    use proptest::prelude::*;

    #[test]
    fn a_reply_with_all_keys_is_read() {
        let body = b"d8:completei3e12:crypto_flags1:\x0110:downloadedi9e\
            11:external ip4:\x7f\0\0\x0910:incompletei2e8:intervali1800e12:min intervali900e\
            5:peers6:\x7f\0\0\x01\x1a\xe16:peers60:10:tracker id2:id15:warning message4:slowe";
        let announced = Announced::parse(body).unwrap();
        assert_eq!((announced.complete, announced.incomplete), (Some(3), Some(2)));
        assert_eq!((announced.interval, announced.min_interval), (Some(1800), Some(900)));
        assert_eq!(announced.external_ip, Some("127.0.0.9".parse().unwrap()));
        assert_eq!(announced.warning.as_deref(), Some("slow"));
        assert_eq!(announced.tracker_id.as_deref(), Some(&b"id"[..]));
        assert_eq!((announced.peers.len(), announced.peers[0].requires_crypto), (1, Some(true)));
        assert_eq!((announced.downloaded, announced.skipped.total()), (Some(9), 0));
    }

    #[test]
    fn an_endpoint_in_both_lists_is_one_peer() {
        let body = b"d12:crypto_flags1:\x015:peers6:\x7f\0\0\x01\x1a\xe1\
            6:peers618:\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\x1a\xe1e";
        let announced = Announced::parse(body).unwrap();
        assert_eq!(announced.skipped, Skipped { duplicates: 1, ..Skipped::default() });
        // The flags are those of `peers`, also when the other list has as many entries.
        assert_eq!(announced.peers[0].requires_crypto, Some(true));
        let body = b"d12:crypto_flags1:\x016:peers618:\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1e";
        assert_eq!(Announced::parse(body).unwrap().peers[0].requires_crypto, None);
    }

    #[test]
    fn a_tracker_id_is_kept_while_it_can_be_sent_back() {
        for (length, kept) in [(0, true), (Announced::MAX_TRACKER_ID, true), (Announced::MAX_TRACKER_ID + 1, false)] {
            let body = format!("d5:peers0:10:tracker id{length}:{}e", "x".repeat(length));
            assert_eq!(Announced::parse(body.as_bytes()).unwrap().tracker_id.is_some(), kept);
        }
    }

    #[test]
    fn external_ip_has_4_or_16_bytes() {
        for (ip, expected) in [
            (&b"\x01\x02\x03\x04"[..], Some("1.2.3.4")),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4], Some("1.2.3.4")),
            (&[0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Some("2000::1")),
            ("\u{7f}\0\0\u{81}".as_bytes(), Some("127.0.0.129")),
            ("\u{fe}\u{80}\0\0\0\0\0\0\0\0\0\0\0\0\0\u{1}".as_bytes(), Some("fe80::1")),
            ("\u{fe}\u{80}\0".as_bytes(), None),
            (b"1.2.3.4", None),
            (b"", None),
        ] {
            assert_eq!(external_ip(ip), expected.map(|ip| ip.parse().unwrap()));
        }
    }

    #[test]
    fn absent_and_negative_numbers_are_none() {
        let announced = Announced::parse(b"d5:peers0:e").unwrap();
        assert_eq!(announced, Announced::default());
        assert_eq!(Announced::parse(b"d8:intervali-1e5:peerslee").unwrap().interval, None);
        assert_eq!(Announced::parse(b"d8:intervali60ee").unwrap().interval, Some(60));
    }

    #[test]
    fn a_failure_comes_first_even_beside_peers() {
        let error = Announced::parse(b"d14:failure reason10:no\x1b[31mway5:peers6:\x7f\0\0\x01\x1a\xe1e").unwrap_err();
        assert_eq!(error.to_string(), "tracker refuses: no\\u{1b}[31mway");
        let error = Announced::parse(b"d14:failure reason2:no8:retry in5:nevere").unwrap_err();
        let never = Failure { reason: "no".to_owned(), retry_in: Some(RetryIn::Never), ..Failure::default() };
        assert_eq!(error, Error::Failure(never));
    }

    #[test]
    fn other_bodies_are_errors() {
        assert!(matches!(Announced::parse(b"<html>"), Err(Error::Bencode(_))));
        assert_eq!(Announced::parse(b"le"), Err(Error::NotADict));
        assert!(matches!(Announced::parse(b"de"), Err(Error::NotATracker(_))));
        assert!(matches!(Announced::parse(b""), Err(Error::Bencode(_))));
    }

    #[test]
    fn bytes_after_the_reply_are_ignored() {
        assert!(Announced::parse(b"d8:intervali1e5:peers0:e\r\n").is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Announced::parse(&body);
        }

        #[test]
        fn a_written_reply_is_read_back(
            interval in any::<u32>(), complete in proptest::option::of(any::<u32>()), id in any::<[u8; 5]>(),
            peers in proptest::collection::btree_set((any::<[u8; 4]>(), 1..u16::MAX), 0..20), flagged in any::<bool>(),
        ) {
            prop_assume!(!peers.iter().any(|(ip, _)| ip == &[0; 4]));
            let list: Vec<u8> = peers.iter().flat_map(|(ip, port)| [&ip[..], &port.to_be_bytes()].concat()).collect();
            let flags: Vec<u8> = peers.iter().map(|(ip, _)| ip[3] & 1).collect();
            let body = Encoder::encode(|encoder| {
                encoder.dict(|dict| {
                    if let Some(complete) = complete {
                        dict.entry(b"complete").int(complete.into());
                    }
                    if flagged {
                        dict.entry(b"crypto_flags").bytes(&flags);
                    }
                    dict.entry(b"interval").int(interval.into());
                    dict.entry(b"peers").bytes(&list);
                    dict.entry(b"tracker id").bytes(&id);
                });
            });
            let expected = peers.iter().map(|(ip, port)| Peer {
                address: PeerAddress::Socket((*ip, *port).into()),
                peer_id: None,
                requires_crypto: flagged.then_some(ip[3] & 1 == 1),
            });
            let expected = Announced {
                interval: Some(interval),
                complete,
                tracker_id: Some(id.to_vec()),
                peers: expected.collect(),
                ..Announced::default()
            };
            prop_assert_eq!(Announced::parse(&body.unwrap()), Ok(expected));
        }
    }
}
