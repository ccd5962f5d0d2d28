//! The announce (BEP 3).

use ids::{InfoHash, PeerId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::fmt::Write;

/// One announce (BEP 3; over UDP BEP 15): begin with [`Announce::started`], then change fields or use the `with_…` methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announce<'id> {
    /// The torrent asked about; of a v2 one, the truncated hash (BEP 52).
    pub info_hash: InfoHash,
    /// The peer id of the client; the same in every announce of a run.
    pub peer_id: PeerId,
    /// The port at which the client accepts connections.
    pub port: u16,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing; with 0 the client counts as a seed, and many trackers name no seeds to a seed.
    pub left: u64,
    /// What has happened since the last announce.
    pub event: Event,
    /// How many peers are wanted; `None` leaves it to the tracker. 0 means none to some trackers and the default to others.
    pub numwant: Option<u32>,
    /// Shows the tracker that a later announce is from the same client, also from another address (BEP 7); the same in every
    /// announce of a run.
    pub key: u32,
    /// Whether the client supports encryption (HTTP only).
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
    /// The last announce: the tracker should forget the client.
    Stopped,
    /// The download has completed.
    Completed,
}

/// Whether the client encrypts connections to peers (Message Stream Encryption).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Crypto {
    /// It does not, or says nothing.
    #[default]
    None,
    /// It can: `supportcrypto=1`.
    Supported,
    /// It requires it: `requirecrypto=1`.
    Required,
}

/// All but the unreserved characters of RFC 3986: the one set that every tracker decodes.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `bytes` percent-encoded for a query.
pub(crate) fn escaped(bytes: &[u8]) -> percent_encoding::PercentEncode<'_> {
    percent_encode(bytes, ESCAPED)
}

impl<'id> Announce<'id> {
    /// A first announce ([`Event::Started`]) of a client that has nothing: one byte left, because 0 would make it a seed, and
    /// no optional parameter. `key` should be random. After it the client owes the tracker one with [`Event::Stopped`] and
    /// the same key.
    #[must_use]
    pub const fn started(info_hash: InfoHash, peer_id: PeerId, port: u16, key: u32) -> Self {
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

    /// The same about another torrent.
    #[must_use]
    pub const fn with_info_hash(mut self, info_hash: InfoHash) -> Self {
        self.info_hash = info_hash;
        self
    }

    /// The same with another event.
    #[must_use]
    pub const fn with_event(mut self, event: Event) -> Self {
        self.event = event;
        self
    }

    /// The same with other numbers of bytes: uploaded and downloaded since `started`, and left.
    #[must_use]
    pub const fn with_bytes(mut self, uploaded: u64, downloaded: u64, left: u64) -> Self {
        (self.uploaded, self.downloaded, self.left) = (uploaded, downloaded, left);
        self
    }

    /// The same with another number of peers wanted.
    #[must_use]
    pub const fn with_numwant(mut self, numwant: Option<u32>) -> Self {
        self.numwant = numwant;
        self
    }

    /// The same with other support for encryption.
    #[must_use]
    pub const fn with_crypto(mut self, crypto: Crypto) -> Self {
        self.crypto = crypto;
        self
    }

    /// The same with the [`tracker_id`](crate::Announced::tracker_id) of an earlier reply.
    #[must_use]
    pub const fn with_tracker_id(mut self, tracker_id: Option<&'id [u8]>) -> Self {
        self.tracker_id = tracker_id;
        self
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
    fn bytes_are_escaped_except_the_unreserved_ones() {
        let info_hash = InfoHash(*b"\x12\x34\x56 +%&=?/~._-aZ09\xff\0");
        let started = Announce::started(info_hash, PeerId(*b"-HS0100-abcdefghijkl"), 6881, 0xbeef);
        let announce = started.with_bytes(0, 0, 7).with_numwant(Some(200));
        assert_eq!(
            announce.query(),
            "info_hash=%124V%20%2B%25%26%3D%3F%2F~._-aZ09%FF%00&peer_id=-HS0100-abcdefghijkl&port=6881\
             &uploaded=0&downloaded=0&left=7&compact=1&key=0000BEEF&numwant=200&event=started"
        );
        let regular = announce.with_event(Event::None).with_numwant(None);
        assert!(regular.query().ends_with("&key=0000BEEF"));
        let id = *b"a&b\0";
        let echoing = regular.with_crypto(Crypto::Supported).with_tracker_id(Some(&id));
        assert!(echoing.query().ends_with("&key=0000BEEF&supportcrypto=1&trackerid=a%26b%00"));
        let requiring = regular.with_crypto(Crypto::Required);
        assert!(requiring.query().ends_with("&requirecrypto=1"));
    }

    #[test]
    fn a_first_announce_has_no_optional_parameter() {
        assert_eq!(
            Announce::started(InfoHash([b'a'; 20]), PeerId([b'b'; 20]), 50_000, 1).query(),
            "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=50000&uploaded=0&downloaded=0&left=1\
             &compact=1&key=00000001&event=started"
        );
    }

    proptest! {
        #[test]
        fn a_query_decodes_to_the_fields_of_the_announce(
            hash in any::<[u8; 20]>(), id in any::<[u8; 20]>(), tracker_id in proptest::collection::vec(any::<u8>(), 0..40),
            numbers in any::<[u64; 3]>(), key in any::<u32>(), port in any::<u16>(), numwant in any::<u32>(),
        ) {
            let [uploaded, downloaded, left] = numbers;
            let announce = Announce::started(InfoHash(hash), PeerId(id), port, key)
                .with_bytes(uploaded, downloaded, left)
                .with_event(Event::Stopped)
                .with_numwant(Some(numwant))
                .with_tracker_id(Some(&tracker_id));
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
