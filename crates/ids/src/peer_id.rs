//! The identifiers of peers.

use crate::client::{self, ClientName};
use crate::hex::{self, Hex, ParseHexError, format_as_hex};
use std::fmt;

/// 20 bytes that a peer chooses for itself (BEP 3); by convention they begin with the name of its software (BEP 20).
///
/// `Display` escapes the bytes as text; `{:x}`, [`hex`](Self::hex) and [`from_hex`](Self::from_hex) use hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

/// The beginning of our own peer ids: a code that no other client uses, and the version.
const PREFIX: [u8; 8] = *b"-HS0100-";

/// Unreserved characters of RFC 3986, so that a tracker's percent-decoding cannot change them; 64, so that 6 bits choose one.
const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl PeerId {
    /// A peer id of our own: `-HS0100-` and twelve URL-safe characters, each from 6 bits of a byte of `entropy`.
    #[must_use]
    pub fn new(entropy: [u8; 12]) -> Self {
        let mut id = [0; 20];
        let random = entropy.map(|byte| ALPHABET.get(usize::from(byte & 63)).copied().unwrap_or(b'-'));
        id.iter_mut().zip(PREFIX.into_iter().chain(random)).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// The software that this id names, by the Azureus, Shadow or Mainline convention (BEP 20) or one of a single client; `None`
    /// if it follows none. The client name in a peer's extension handshake is more reliable.
    #[must_use]
    pub fn client(&self) -> Option<ClientName> {
        client::identify(&self.0)
    }

    /// Parses 40 hexadecimal digits, in upper or lower case.
    ///
    /// # Errors
    /// A wrong number of digits, or a character that is not a digit.
    pub fn from_hex(digits: &str) -> Result<Self, ParseHexError> {
        hex::parse(digits).map(Self)
    }

    /// As 40 hexadecimal digits, lower case.
    #[must_use]
    pub fn hex(&self) -> Hex<'_> {
        Hex(&self.0)
    }
}

/// The bytes as text, with `\x..` for bytes that are not printable ASCII.
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

format_as_hex!(PeerId);

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_ids_are_a_prefix_and_url_safe_characters() {
        let id = PeerId::new([0, 1, 25, 26, 51, 52, 61, 62, 63, 64, 127, 255]);
        assert_eq!(id.to_string(), "-HS0100-ABZaz09-_A__");
    }

    #[test]
    fn display_escapes_control_characters() {
        assert_eq!(PeerId(*b"\x1b[31m-\0\xff0123456789ab").to_string(), r"\x1b[31m-\x00\xff0123456789ab");
    }

    #[test]
    fn a_peer_id_formats_and_parses_as_hexadecimal() {
        let id = PeerId(*b"-qB4520-\0\xffcdefghijkl");
        assert_eq!(PeerId::from_hex(&id.hex().to_string()), Ok(id));
        assert_eq!(PeerId::from_hex(&format!("{id:X}")), Ok(id));
        for bad in ["", "-qB4520-abcdefghijkl", &"0".repeat(41)] {
            assert_eq!(PeerId::from_hex(bad), Err(ParseHexError { digits: 40 }));
        }
    }
}
