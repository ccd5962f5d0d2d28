//! The extension handshake (BEP 10), written by hand.

use std::net::IpAddr;
use std::str::FromStr;

use crate::bencoding::{dictionary, integer, string};
use crate::message;

/// What a peer says about itself; whatever is `None` or empty is left out.
///
/// ```
/// use fake_swarm::ExtensionHandshake;
///
/// let handshake = ExtensionHandshake { v: Some("Transmission 3.00"), p: Some(51413), ..Default::default() };
/// assert_eq!(handshake.dictionary(), b"d1:pi51413e1:v17:Transmission 3.00e");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtensionHandshake<'a> {
    /// The client and its version.
    pub v: Option<&'a str>,
    /// The port it listens on.
    pub p: Option<u16>,
    /// How many requests it lets wait.
    pub reqq: Option<u32>,
    /// The length of the info dictionary in bytes (BEP 9).
    pub metadata_size: Option<u32>,
    /// Whether it downloads nothing more (BEP 21).
    pub upload_only: Option<bool>,
    /// Where it sees the initiator, in 4 or 16 bytes.
    pub yourip: Option<IpAddr>,
    /// Whether it prefers encryption.
    pub e: Option<bool>,
    /// How many seconds ago it last saw a complete copy, -1 for never (libtorrent's).
    pub complete_ago: Option<i64>,
    /// Its ids for the extensions; 0 turns one off. Left out when empty, which some clients do and BEP 10 does not allow.
    pub m: Vec<(&'a str, u8)>,
    /// Further keys with values that are [encoded](crate::bencoding) already; a key that is there is there twice.
    pub extra: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> ExtensionHandshake<'a> {
    /// Reads the dictionary that a program sent. [`dictionary`](Self::dictionary) writes the same bytes again, if its keys
    /// are sorted and each is there once. `None` if it is no dictionary of integers and strings with an `m` of integers.
    #[must_use]
    pub fn read(dictionary: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        for (key, value) in entries(dictionary)? {
            match key {
                "complete_ago" => read.complete_ago = Some(number(value)?),
                "e" => read.e = Some(number::<u8>(value)? != 0),
                "m" => {
                    let ids = entries(value)?.into_iter().map(|(name, id)| Some((name, number(id)?)));
                    read.m = ids.collect::<Option<_>>()?;
                }
                "metadata_size" => read.metadata_size = Some(number(value)?),
                "p" => read.p = Some(number(value)?),
                "reqq" => read.reqq = Some(number(value)?),
                "upload_only" => read.upload_only = Some(number::<u8>(value)? != 0),
                "v" => read.v = Some(std::str::from_utf8(split_string(value)?.0).ok()?),
                "yourip" => {
                    let ip = split_string(value)?.0;
                    let v4 = <[u8; 4]>::try_from(ip).map(IpAddr::from);
                    read.yourip = Some(v4.or_else(|_| <[u8; 16]>::try_from(ip).map(IpAddr::from)).ok()?);
                }
                _ => read.extra.push((key, value.to_vec())),
            }
        }
        Some(read)
    }

    /// The bencoded dictionary.
    #[must_use]
    pub fn dictionary(&self) -> Vec<u8> {
        let number = |number: i64| integer(number);
        let address = |ip| match ip {
            IpAddr::V4(ip) => string(ip.octets()),
            IpAddr::V6(ip) => string(ip.octets()),
        };
        let ids = || dictionary(self.m.iter().map(|(name, id)| (name, integer(*id))));
        let fields = [
            ("complete_ago", self.complete_ago.map(number)),
            ("e", self.e.map(|yes| integer(u8::from(yes)))),
            ("m", (!self.m.is_empty()).then(ids)),
            ("metadata_size", self.metadata_size.map(|size| number(size.into()))),
            ("p", self.p.map(|port| number(port.into()))),
            ("reqq", self.reqq.map(|requests| number(requests.into()))),
            ("upload_only", self.upload_only.map(|yes| integer(u8::from(yes)))),
            ("v", self.v.map(string)),
            ("yourip", self.yourip.map(address)),
        ];
        let given = fields.into_iter().filter_map(|(key, value)| Some((key, value?)));
        dictionary(given.chain(self.extra.iter().cloned()))
    }

    /// The whole message.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        message::extension_handshake(&self.dictionary())
    }
}

/// The entries of a bencoded dictionary of integers, strings and dictionaries of them, each value as it was written.
pub(crate) fn entries(dictionary: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut rest = dictionary.strip_prefix(b"d")?;
    let mut entries = Vec::new();
    while rest != b"e" {
        let (key, after) = split_string(rest)?;
        let value;
        (value, rest) = after.split_at_checked(length(after)?)?;
        entries.push((std::str::from_utf8(key).ok()?, value));
    }
    Some(entries)
}

/// The length in bytes of the value that these bytes begin with.
fn length(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'i' => Some(bytes.iter().position(|byte| *byte == b'e')? + 1),
        b'd' => {
            let mut end = 1;
            while bytes.get(end)? != &b'e' {
                end += length(bytes.get(end..)?)?;
            }
            Some(end + 1)
        }
        _ => Some(bytes.len() - split_string(bytes)?.1.len()),
    }
}

/// A bencoded string and what follows it.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length = std::str::from_utf8(bytes.get(..colon)?).ok()?.parse().ok()?;
    bytes.get(colon + 1..)?.split_at_checked(length)
}

/// The value of a bencoded integer.
pub(crate) fn number<N: FromStr>(bytes: &[u8]) -> Option<N> {
    std::str::from_utf8(bytes.strip_prefix(b"i")?.strip_suffix(b"e")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    #[test]
    fn all_fields() {
        let handshake = ExtensionHandshake {
            v: Some("x"),
            p: Some(65535),
            reqq: Some(500),
            metadata_size: Some(u32::MAX),
            upload_only: Some(true),
            yourip: Some([127, 0, 0, 1].into()),
            e: Some(false),
            complete_ago: Some(-1),
            m: vec![("ut_pex", 1), ("ut_metadata", 2)],
            extra: vec![("v", integer(7)), ("ipv4", string([1, 2, 3, 4]))],
        };
        assert_eq!(
            handshake.dictionary(),
            b"d12:complete_agoi-1e1:ei0e4:ipv44:\x01\x02\x03\x041:md11:ut_metadatai2e6:ut_pexi1ee\
                13:metadata_sizei4294967295e1:pi65535e4:reqqi500e11:upload_onlyi1e1:v1:x1:vi7e6:yourip4:\x7f\0\0\x01e"
                .as_slice()
        );
        assert_eq!(ExtensionHandshake::default().message(), b"\0\0\0\x04\x14\0de");
        let over_v6 = ExtensionHandshake { yourip: Some(Ipv6Addr::LOCALHOST.into()), ..Default::default() };
        assert_eq!(over_v6.dictionary(), [b"d6:yourip16:".as_slice(), &[0; 15], b"\x01e"].concat());
    }
    #[test]
    fn a_dictionary_is_read_as_it_was_written() {
        let handshake = ExtensionHandshake {
            v: Some("x"),
            yourip: Some(Ipv6Addr::LOCALHOST.into()),
            m: vec![("ut_metadata", 2), ("ut_pex", 0)],
            extra: vec![("ipv4", string([1, 2, 3, 4]))],
            ..Default::default()
        };
        assert_eq!(ExtensionHandshake::read(&handshake.dictionary()), Some(handshake.clone()));
        let whole = handshake.dictionary();
        for end in 0..whole.len() {
            assert_eq!(ExtensionHandshake::read(&whole[..end]), None, "{end} bytes");
        }
        for wrong in [&b"d1:pi65536ee"[..], b"d6:yourip1:xe", b"d1:ei1e", b"d1:mi1ee", b"de "] {
            assert_eq!(ExtensionHandshake::read(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
