//! The identifiers of torrents.

use crate::hex::{self, Hex, ParseHexError, format_as_hex};
use std::fmt;
use std::str::FromStr;

/// 20 bytes that identify a torrent on the wire: the SHA-1 of the raw info dictionary (BEP 3), or the first 20 bytes of an
/// [`InfoHashV2`] (BEP 52). Formats and parses as 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoHash(pub [u8; 20]);

/// 32 bytes that identify a v2 torrent: the SHA-256 of the raw info dictionary (BEP 52). Formats and parses as 64
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoHashV2(pub [u8; 32]);

impl InfoHashV2 {
    /// The form for trackers, the DHT and the handshake: the first 20 bytes (BEP 52).
    #[must_use]
    pub fn truncated(&self) -> InfoHash {
        let mut short = [0; 20];
        short.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        InfoHash(short)
    }
}

format_as_hex!(InfoHash, InfoHashV2);

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Display for InfoHashV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHash({self})")
    }
}

impl fmt::Debug for InfoHashV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHashV2({self})")
    }
}

impl FromStr for InfoHash {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        hex::parse(text).map(Self)
    }
}

impl FromStr for InfoHashV2 {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        hex::parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_hash_formats_and_parses_as_hexadecimal() {
        let hash: InfoHash = "46AAE77116837bf0a0bbd95862b6696d07324c32".parse().unwrap();
        assert_eq!(hash.to_string(), "46aae77116837bf0a0bbd95862b6696d07324c32");
        assert_eq!(format!("{hash:x} {hash:X}").to_lowercase(), format!("{hash} {hash}"));
        assert!(format!("{hash:#x}").starts_with("0x46aa") && format!("{hash:X}").starts_with("46AA"));
        assert_eq!(hash.0[..3], [0x46, 0xaa, 0xe7]);
        for wrong in ["", "46", "zzaae77116837bf0a0bbd95862b6696d07324c32", "é6aae77116837bf0a0bbd95862b6696d07324c3"]
        {
            assert_eq!(wrong.parse::<InfoHash>(), Err(ParseHexError { digits: 40 }));
        }
    }

    #[test]
    fn a_truncated_v2_hash_is_its_first_20_bytes() {
        let long: InfoHashV2 = "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e".parse().unwrap();
        assert_eq!(long.truncated().to_string(), "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa");
    }
}
