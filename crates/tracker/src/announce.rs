//! What is asked of a tracker (BEP 3).

use ids::{InfoHash, PeerId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::fmt::Write;

/// One announce (BEP 3; over UDP BEP 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce<'id> {
    /// The torrent asked about; of a v2 one, the truncated hash (BEP 52).
    pub info_hash: InfoHash,
    /// Who asks; the same in every announce of a run.
    pub peer_id: PeerId,
    /// The port at which the asker could be reached.
    pub port: u16,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing; 0 would count the asker as a seed, and many trackers then name no seeds.
    pub left: u64,
    /// What has happened.
    pub event: Event,
    /// How many peers are wanted; `None` leaves it to the tracker. 0 means "none" to some and "all" to others.
    pub numwant: Option<u32>,
    /// Proves to the tracker that a later announce comes from the same asker (BEP 7); the same in every announce of a run.
    pub key: u32,
    /// Whether the asker speaks encrypted (HTTP only).
    pub crypto: Crypto,
    /// The [`tracker_id`](crate::Announced::tracker_id) of an earlier reply, sent back as `trackerid` (HTTP only).
    pub tracker_id: Option<&'id [u8]>,
}

/// What has happened since the last announce (BEP 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Event {
    /// Nothing: a regular announce.
    #[default]
    None,
    /// The first announce.
    Started,
    /// The last announce: the tracker should forget the asker.
    Stopped,
    /// The last piece has arrived.
    Completed,
}

/// Whether the asker speaks encrypted with peers (Message Stream Encryption).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crypto {
    /// It does not, or does not say.
    #[default]
    None,
    /// It can: `supportcrypto=1`.
    Supported,
    /// It insists: `requirecrypto=1`.
    Required,
}

/// All but the unreserved characters of RFC 3986: the one set that every tracker decodes.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `bytes` as they stand in a query.
pub(crate) fn escaped(bytes: &[u8]) -> percent_encoding::PercentEncode<'_> {
    percent_encode(bytes, ESCAPED)
}

impl Announce<'_> {
    /// A first announce ([`Event::Started`]) by somebody who has nothing and says nothing more: one byte left, because
    /// none would make a seed of it, and what else may be left out is. `key` should be random. Whoever sends it owes the
    /// tracker one with [`Event::Stopped`] and the same key.
    #[must_use]
    pub fn started(info_hash: InfoHash, peer_id: PeerId, port: u16, key: u32) -> Self {
        Self {
            info_hash,
            peer_id,
            port,
            uploaded: 0,
            downloaded: 0,
            left: 1,
            event: Event::Started,
            numwant: None,
            key,
            crypto: Crypto::None,
            tracker_id: None,
        }
    }

    /// The query string, without a leading `?` or `&`. Asks for a compact peer list (BEP 23).
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = format!(
            "info_hash={}&peer_id={}&port={}&uploaded={}&downloaded={}&left={}&compact=1&key={:08X}",
            escaped(&self.info_hash.0),
            escaped(&self.peer_id.0),
            self.port,
            self.uploaded,
            self.downloaded,
            self.left,
            self.key,
        );
        // Writing to a String cannot fail.
        if let Some(numwant) = self.numwant {
            let _ = write!(query, "&numwant={numwant}");
        }
        if let Some(event) = self.event.name() {
            let _ = write!(query, "&event={event}");
        }
        query.push_str(self.crypto.parameters());
        if let Some(id) = self.tracker_id {
            let _ = write!(query, "&trackerid={}", escaped(id));
        }
        query
    }
}

impl Event {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Started => Some("started"),
            Self::Stopped => Some("stopped"),
            Self::Completed => Some("completed"),
        }
    }
}

impl Crypto {
    fn parameters(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Supported => "&supportcrypto=1",
            Self::Required => "&requirecrypto=1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_escaped_but_for_the_unreserved_ones() {
        let announce = Announce {
            info_hash: InfoHash(*b"\x12\x34\x56 +%&=?/~._-aZ09\xff\0"),
            peer_id: PeerId(*b"-HS0100-abcdefghijkl"),
            port: 6881,
            uploaded: 0,
            downloaded: 0,
            left: 7,
            event: Event::Started,
            numwant: Some(200),
            key: 0xbeef,
            crypto: Crypto::None,
            tracker_id: None,
        };
        assert_eq!(
            announce.query(),
            "info_hash=%124V%20%2B%25%26%3D%3F%2F~._-aZ09%FF%00&peer_id=-HS0100-abcdefghijkl&port=6881\
             &uploaded=0&downloaded=0&left=7&compact=1&key=0000BEEF&numwant=200&event=started"
        );
        let regular = Announce { event: Event::None, numwant: None, ..announce };
        assert!(regular.query().ends_with("&key=0000BEEF"));
        let id = *b"a&b\0";
        let echoing = Announce { crypto: Crypto::Supported, tracker_id: Some(&id), ..regular };
        assert!(echoing.query().ends_with("&key=0000BEEF&supportcrypto=1&trackerid=a%26b%00"));
        let insisting = Announce { crypto: Crypto::Required, ..regular };
        assert!(insisting.query().ends_with("&requirecrypto=1"));
    }

    #[test]
    fn a_first_announce_says_what_it_must() {
        assert_eq!(
            Announce::started(InfoHash([b'a'; 20]), PeerId([b'b'; 20]), 50_000, 1).query(),
            "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=50000&uploaded=0&downloaded=0&left=1\
             &compact=1&key=00000001&event=started"
        );
    }

    proptest! {
        #[test]
        fn a_query_gives_back_what_was_put_into_it(
            hash in any::<[u8; 20]>(), id in any::<[u8; 20]>(), tracker_id in proptest::collection::vec(any::<u8>(), 0..40),
            numbers in any::<[u64; 3]>(), key in any::<u32>(), port in any::<u16>(), numwant in any::<u32>(),
        ) {
            let [uploaded, downloaded, left] = numbers;
            let announce = Announce {
                info_hash: InfoHash(hash),
                peer_id: PeerId(id),
                port,
                uploaded,
                downloaded,
                left,
                event: Event::Stopped,
                numwant: Some(numwant),
                key,
                crypto: Crypto::None,
                tracker_id: Some(&tracker_id),
            };
            let query = announce.query();
            let value = |name: &str| -> Vec<u8> {
                let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                percent_decode_str(pair.unwrap()).collect()
            };
            for (name, bytes) in [("info_hash", &hash[..]), ("peer_id", &id), ("trackerid", &tracker_id)] {
                prop_assert_eq!(value(name), bytes, "{}", name);
            }
            for (name, number) in [
                ("uploaded", uploaded),
                ("downloaded", downloaded),
                ("left", left),
                ("port", port.into()),
                ("numwant", numwant.into()),
            ] {
                prop_assert_eq!(value(name), number.to_string().into_bytes(), "{}", name);
            }
            prop_assert_eq!(value("key"), format!("{key:08X}").into_bytes());
            prop_assert_eq!(value("event"), b"stopped");
        }
    }
}
