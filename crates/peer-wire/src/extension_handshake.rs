//! The extension handshake, message 20 with the extended id 0, in which a peer describes itself (BEP 10).

use crate::extension::Extension;
use crate::fields::{Dropped, FieldProblem, Fields};
use bencode::{Dict, Document, Encoder, Kind, Limits};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a peer says about itself. BEP 10: "All items in the dictionary are optional." An invalid field is `None` too, and
/// noted in [`dropped`](Self::dropped).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtensionHandshake {
    /// `m`: the extensions by name, with the id under which the sender accepts their messages. BEP 10: "the value 0 is used
    /// to turn off an extension". The names are untrusted text; see [`extension_id`](Self::extension_id) for known ones.
    pub extensions: BTreeMap<String, u8>,
    /// `v`: the client's name and version, never empty, at most [`MAX_CLIENT`](Self::MAX_CLIENT) bytes. Untrusted text: escape
    /// it for display.
    pub client: Option<String>,
    /// `p`: the TCP port the sender listens on, never 0.
    pub port: Option<u16>,
    /// `reqq`: how many outstanding requests the sender accepts without dropping any.
    pub reqq: Option<u32>,
    /// `metadata_size`: the length of the info dictionary in bytes (BEP 9), 1 to [`MAX_METADATA`](Self::MAX_METADATA).
    pub metadata_size: Option<u32>,
    /// `yourip`: our address as the sender sees it.
    pub yourip: Option<IpAddr>,
    /// `ipv4`: the sender's IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// `ipv6`: the sender's IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// `upload_only`: nothing more will be downloaded (BEP 21).
    pub upload_only: Option<bool>,
    /// `e`: the sender prefers encrypted connections.
    pub prefers_encryption: Option<bool>,
    /// `complete_ago`: how many seconds ago the sender last saw a complete copy, -1 for never (libtorrent's).
    pub complete_ago: Option<i64>,
    /// The fields that were dropped, or used only in part.
    pub dropped: Vec<Dropped>,
}

/// Why a payload is not an extension handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionHandshakeError {
    /// Not bencode, or beyond [`Limits::PEER_MESSAGE`].
    #[error("extension handshake is not bencode")]
    Bencode(#[source] bencode::Error),
    /// BEP 10: "The payload of the handshake message is a bencoded dictionary."
    #[error("extension handshake is not a dictionary but a {0}")]
    NotADict(Kind),
}

impl ExtensionHandshake {
    /// The longest client name kept, in bytes: the names of real clients have 5 to 40.
    pub const MAX_CLIENT: usize = 128;
    /// The largest `metadata_size` accepted, in bytes: the largest torrent file that is read.
    #[allow(clippy::cast_possible_truncation, reason = "96 MiB")]
    pub const MAX_METADATA: u32 = Limits::TORRENT.bytes as u32;
    /// The most extensions kept: real clients have up to 10, ids allow 255, and of 5,000 talkative peers at once each is in memory.
    pub const MAX_EXTENSIONS: usize = 32;
    /// The longest name of an extension kept, in bytes: real ones have up to 20.
    pub const MAX_EXTENSION_NAME: usize = 64;

    /// Reads the payload of the message, also if it is not canonical.
    ///
    /// # Errors
    /// Only if it is not a bencoded dictionary within [`Limits::PEER_MESSAGE`]: 64 KiB, depth 8.
    pub fn decode(payload: &[u8]) -> Result<Self, ExtensionHandshakeError> {
        let document =
            Document::parse_lenient(payload, Limits::PEER_MESSAGE).map_err(ExtensionHandshakeError::Bencode)?;
        let root = document.root();
        let dict = root.as_dict().ok_or(ExtensionHandshakeError::NotADict(root.kind()))?;
        let mut fields = Fields::of(dict);
        Ok(Self {
            extensions: fields.dict("m").map(|m| extensions(m, &mut fields)).unwrap_or_default(),
            client: fields.text("v", Self::MAX_CLIENT),
            port: fields.int("p", 1..=i64::from(u16::MAX)),
            reqq: fields.int("reqq", 0..=i64::from(u32::MAX)),
            metadata_size: fields.int("metadata_size", 1..=i64::from(Self::MAX_METADATA)),
            yourip: fields.address("yourip"),
            ipv4: fields.octets("ipv4").map(Ipv4Addr::from_octets),
            ipv6: fields.octets("ipv6").map(Ipv6Addr::from_octets),
            upload_only: fields.flag("upload_only"),
            prefers_encryption: fields.flag("e"),
            complete_ago: fields.int("complete_ago", -1..=i64::MAX),
            dropped: fields.dropped,
        })
    }

    /// The payload of the message: the fields that are set, without [`dropped`](Self::dropped).
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let bytes = Encoder::encode(|value| {
            value.dict(|dict| {
                dict.entry(b"m").dict(|m| {
                    self.extensions.iter().for_each(|(name, id)| m.entry(name.as_bytes()).int(i64::from(*id)));
                });
                let mut int = |key: &[u8], number: Option<i64>| {
                    number.into_iter().for_each(|number| dict.entry(key).int(number));
                };
                int(b"p", self.port.map(i64::from));
                int(b"reqq", self.reqq.map(i64::from));
                int(b"metadata_size", self.metadata_size.map(i64::from));
                int(b"upload_only", self.upload_only.map(i64::from));
                int(b"e", self.prefers_encryption.map(i64::from));
                int(b"complete_ago", self.complete_ago);
                let mut bytes = |key: &[u8], bytes: &[u8]| dict.entry(key).bytes(bytes);
                self.client.iter().for_each(|client| bytes(b"v", client.as_bytes()));
                self.ipv4.iter().for_each(|ip| bytes(b"ipv4", &ip.octets()));
                self.ipv6.iter().for_each(|ip| bytes(b"ipv6", &ip.octets()));
                self.yourip.iter().for_each(|ip| match ip {
                    IpAddr::V4(ip) => bytes(b"yourip", &ip.octets()),
                    IpAddr::V6(ip) => bytes(b"yourip", &ip.octets()),
                });
            });
        });
        // Each key occurs once, so there is always a canonical form.
        bytes.unwrap_or_default().into()
    }

    /// The id under which the sender accepts messages of an extension; `None` if it does not, or has turned it off.
    #[must_use]
    pub fn extension_id(&self, extension: Extension) -> Option<u8> {
        self.extensions.get(extension.name()).copied().filter(|id| *id != 0)
    }

    /// Adds the fields of a later handshake on the same connection. BEP 10: "the `m` dictionary is additive"; other fields
    /// replace earlier values.
    pub fn update(&mut self, later: Self) {
        for (name, id) in later.extensions {
            if self.extensions.len() < Self::MAX_EXTENSIONS || self.extensions.contains_key(&name) {
                self.extensions.insert(name, id);
            }
        }
        self.client = later.client.or(self.client.take());
        self.port = later.port.or(self.port);
        self.reqq = later.reqq.or(self.reqq);
        self.metadata_size = later.metadata_size.or(self.metadata_size);
        self.yourip = later.yourip.or(self.yourip);
        self.ipv4 = later.ipv4.or(self.ipv4);
        self.ipv6 = later.ipv6.or(self.ipv6);
        self.upload_only = later.upload_only.or(self.upload_only);
        self.prefers_encryption = later.prefers_encryption.or(self.prefers_encryption);
        self.complete_ago = later.complete_ago.or(self.complete_ago);
        for dropped in later.dropped {
            // One for each field, so that many handshakes do not make the list long.
            if self.dropped.iter().all(|known| known.key != dropped.key) {
                self.dropped.push(dropped);
            }
        }
    }
}

fn extensions(m: Dict<'_>, fields: &mut Fields<'_>) -> BTreeMap<String, u8> {
    let mut extensions = BTreeMap::new();
    let mut unusable = 0;
    for (name, id) in m {
        let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= ExtensionHandshake::MAX_EXTENSION_NAME);
        let id = id.as_int().and_then(|id| u8::try_from(id).ok());
        match (name, id) {
            (Some(name), Some(id)) if extensions.len() < ExtensionHandshake::MAX_EXTENSIONS => {
                extensions.entry(name.to_owned()).or_insert(id);
            }
            _ => unusable += 1,
        }
    }
    if unusable > 0 {
        fields.drop("m", FieldProblem::Entries(unusable));
    }
    extensions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(payload: &[u8]) -> ExtensionHandshake {
        ExtensionHandshake::decode(payload).unwrap()
    }

    /// The fields dropped of a handshake with one field, `d<key><value>e`, which must be empty otherwise.
    fn dropped(field: &str) -> Vec<String> {
        let read = decode(format!("d{field}e").as_bytes());
        let shown = read.dropped.iter().map(ToString::to_string).collect();
        assert_eq!(ExtensionHandshake { dropped: Vec::new(), ..read }, ExtensionHandshake::default(), "{field}");
        shown
    }

    #[test]
    fn the_example_of_bep_10_is_decoded_and_encoded() {
        // The length of the second name is 7 bytes; BEP 10 counts its characters.
        let payload = b"d1:md11:LT_metadatai1e7:\xc2\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e";
        let read = decode(payload);
        assert_eq!(read.extensions, BTreeMap::from([("LT_metadata".into(), 1), ("µT_PEX".into(), 2)]));
        assert_eq!((read.port, read.client.as_deref(), &read.dropped[..]), (Some(6881), Some("µTorrent 1.2"), &[][..]));
        assert_eq!(read.encode(), payload[..]);
    }

    #[test]
    fn every_field_is_read_in_any_order() {
        let read = decode(
            b"d6:yourip16:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
            12:complete_agoi-1e13:metadata_sizei31235e1:v5:hello4:reqqi2000e1:ei1e11:upload_onlyi0e\
            4:ipv44:\x0a\0\0\x014:ipv616:\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\
            1:pi65535e1:md11:ut_metadatai3e6:ut_pexi0ee7:unknownli1eeegarbage",
        );
        let expected = ExtensionHandshake {
            extensions: BTreeMap::from([("ut_metadata".into(), 3), ("ut_pex".into(), 0)]),
            client: Some("hello".into()),
            port: Some(65_535),
            reqq: Some(2000),
            metadata_size: Some(31_235),
            yourip: Some("2001:db8::1".parse().unwrap()),
            ipv4: Some("10.0.0.1".parse().unwrap()),
            ipv6: Some("fe80::2".parse().unwrap()),
            upload_only: Some(false),
            prefers_encryption: Some(true),
            complete_ago: Some(-1),
            dropped: Vec::new(),
        };
        assert_eq!(read, expected);
        assert_eq!(read.extension_id(Extension::UtMetadata), Some(3));
        assert_eq!(read.extension_id(Extension::UtPex), None);
        assert_eq!(read.extension_id(Extension::LtDonthave), None);
        assert_eq!(decode(&read.encode()), expected);
    }

    #[test]
    fn invalid_fields_are_dropped_and_noted() {
        for (field, noted) in [
            ("1:m2:no", "m: expected dictionary, found string"),
            ("1:mle", "m: expected dictionary, found list"),
            ("1:vi1e", "v: expected string, found integer"),
            ("1:p4:6881", "p: expected integer, found string"),
            ("1:pi0e", "p: out of range"),
            ("1:pi65536e", "p: out of range"),
            ("1:pi99999999999999999999e", "p: out of range"),
            ("4:reqqi-1e", "reqq: out of range"),
            ("4:reqqi4294967296e", "reqq: out of range"),
            ("13:metadata_sizei-1e", "metadata_size: out of range"),
            ("13:metadata_sizei0e", "metadata_size: out of range"),
            ("13:metadata_sizei100663297e", "metadata_size: out of range"),
            ("13:metadata_sizei2147483648e", "metadata_size: out of range"),
            ("6:yourip5:12345", "yourip: address of 5 bytes"),
            ("4:ipv416:0123456789abcdef", "ipv4: address of 16 bytes"),
            ("4:ipv64:0123", "ipv6: address of 4 bytes"),
            ("4:ipv6i4e", "ipv6: expected string, found integer"),
            ("11:upload_only1:1", "upload_only: expected integer, found string"),
            ("1:ede", "e: expected integer, found dictionary"),
            ("12:complete_agoi-2e", "complete_ago: out of range"),
            ("1:md1:ai256e1:bi-1e1:c1:1e", "m: 3 unusable entries"),
        ] {
            assert_eq!(dropped(field), [noted], "{field}");
        }
        assert_eq!(dropped("1:v0:"), [] as [String; 0]);
    }

    #[test]
    fn a_client_name_is_cut_at_a_character_and_invalid_bytes_are_replaced() {
        let long = "µ".repeat(100);
        let read = decode(format!("d1:v200:{long}e").as_bytes());
        assert_eq!(read.client, Some("µ".repeat(64)));
        assert_eq!(read.dropped, [Dropped { key: "v", problem: FieldProblem::Cut(200) }]);
        let long = format!("a{long}");
        assert_eq!(decode(format!("d1:v201:{long}e").as_bytes()).client, Some(format!("a{}", "µ".repeat(63))));
        let read = decode(b"d1:v12:\xb5Torrent 1.2e");
        assert_eq!(read.client.as_deref(), Some("\u{fffd}Torrent 1.2"));
        assert_eq!(read.dropped, [Dropped { key: "v", problem: FieldProblem::NotUtf8 }]);
        // Control characters are kept: escaping is done for display.
        assert_eq!(decode(b"d1:v9:\x1b[31mred!e").client.as_deref(), Some("\x1b[31mred!"));
    }

    #[test]
    fn extensions_are_bounded_in_number_and_length() {
        let entries: String = (0..70).map(|n| format!("2:{n:02}i{n}e")).collect();
        let read = decode(format!("d1:md{entries}65:{:065}i1eee", 0).as_bytes());
        assert_eq!(read.extensions.len(), ExtensionHandshake::MAX_EXTENSIONS);
        assert_eq!(read.dropped, [Dropped { key: "m", problem: FieldProblem::Entries(39) }]);
    }

    #[test]
    fn a_later_handshake_adds_to_the_first() {
        let mut read = decode(b"d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi1e1:v3:one4:reqqi-1ee");
        read.update(decode(b"d1:md11:LT_metadatai0e1:ai3ee1:pi2e4:reqqi-2e11:upload_onlyi1e1:elee"));
        assert_eq!(read.extensions, BTreeMap::from([("LT_metadata".into(), 0), ("a".into(), 3), ("ut_pex".into(), 2)]));
        assert_eq!((read.port, read.client.as_deref(), read.upload_only), (Some(2), Some("one"), Some(true)));
        assert_eq!(read.dropped.iter().map(|dropped| dropped.key).collect::<Vec<_>>(), ["reqq", "e"]);
        for n in 0..1000 {
            read.update(decode(format!("d1:md4:{n:04}i1eee").as_bytes()));
        }
        assert_eq!(read.extensions.len(), ExtensionHandshake::MAX_EXTENSIONS);
        assert_eq!(read.extension_id(Extension::UtPex), Some(2));
    }

    #[test]
    fn a_payload_that_is_not_a_bencoded_dictionary_is_refused() {
        let shown = |payload: &[u8]| {
            let error = ExtensionHandshake::decode(payload).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            format!("{error}: {source}")
        };
        let deep = [&b"d1:x"[..], &b"l".repeat(8), &b"e".repeat(9)].concat();
        let huge = [&b"d1:v65530:"[..], &b" ".repeat(65_530), b"e"].concat();
        let many = [&b"d1:xl"[..], &b"i0e".repeat(4_096), b"ee"].concat();
        for (payload, error) in [
            (&b""[..], "extension handshake is not bencode: unexpected end at byte 0"),
            (b"d1:v5:helloX", "extension handshake is not bencode: unexpected byte 0x58 at byte 11"),
            (b"le", "extension handshake is not a dictionary but a list: "),
            (&deep, "extension handshake is not bencode: nested deeper than 8 at byte 11"),
            (&huge, "extension handshake is not bencode: more than 65536 bytes at byte 65536"),
            (&many, "extension handshake is not bencode: more than 4096 tokens at byte "),
        ] {
            assert!(shown(payload).starts_with(error), "{} is not {error}", shown(payload));
        }
        assert_eq!(decode(b"de"), ExtensionHandshake::default());
    }
}
