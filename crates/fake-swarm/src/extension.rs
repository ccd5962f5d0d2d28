//! The extension handshake (BEP 10), written by hand.

use std::net::IpAddr;

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
    pub m: &'a [(&'a str, u8)],
    /// Further keys with values that are [encoded](crate::bencoding) already; a key that is there is there twice.
    pub extra: Vec<(&'a str, Vec<u8>)>,
}

impl ExtensionHandshake<'_> {
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
            m: &[("ut_pex", 1), ("ut_metadata", 2)],
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
}
