//! The names peers give themselves.

use crate::client::{self, ClientName};
use crate::hex::{self, Hex, ParseHexError};
use std::fmt;

/// 20 bytes a peer chooses for itself (BEP 3); by convention they begin with the name of its software (BEP 20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

/// What our own peer ids begin with: a code no other client uses, and the version.
const PREFIX: [u8; 8] = *b"-HS0100-";

/// RFC 3986 unreserved characters, so that no tracker's percent-decoding can garble the rest; 64, so that 6 bits choose.
const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl PeerId {
    /// Our own peer id: `-HS0100-` and twelve URL-safe characters, 6 bits of each byte of `entropy`.
    #[must_use]
    pub fn new(entropy: [u8; 12]) -> Self {
        let mut id = [0; 20];
        let random = entropy.map(|byte| ALPHABET.get(usize::from(byte & 63)).copied().unwrap_or(b'-'));
        id.iter_mut().zip(PREFIX.into_iter().chain(random)).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// The software this id names, by the Azureus, Shadow or Mainline convention (BEP 20) or one of the odd ones;
    /// `None` when it follows none. What a peer says in its extension handshake is more reliable.
    #[must_use]
    pub fn client(&self) -> Option<ClientName> {
        client::identify(&self.0)
    }

    /// Reads what [`hex`](Self::hex) shows: 40 hexadecimal digits, of either case.
    ///
    /// # Errors
    /// Another number of digits, or a character that is none.
    pub fn from_hex(digits: &str) -> Result<Self, ParseHexError> {
        hex::parse(digits).map(Self)
    }

    /// As 40 hexadecimal digits, lower case.
    #[must_use]
    pub fn hex(&self) -> Hex<'_> {
        Hex(&self.0)
    }
}

/// The bytes as text, with `\x..` for what is not printable ASCII.
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_ids_are_prefix_and_url_safe_entropy() {
        let id = PeerId::new([0, 1, 25, 26, 51, 52, 61, 62, 63, 64, 127, 255]);
        assert_eq!(id.to_string(), "-HS0100-ABZaz09-_A__");
    }

    #[test]
    fn display_escapes_what_a_terminal_would_obey() {
        assert_eq!(PeerId(*b"\x1b[31m-\0\xff0123456789ab").to_string(), r"\x1b[31m-\x00\xff0123456789ab");
    }
    #[test]
    fn hexadecimal_is_read_as_it_is_shown() {
        let id = PeerId(*b"-qB4520-\0\xffcdefghijkl");
        assert_eq!(PeerId::from_hex(&id.hex().to_string()), Ok(id));
        for bad in ["", "-qB4520-abcdefghijkl", &"0".repeat(41)] {
            assert_eq!(PeerId::from_hex(bad), Err(ParseHexError { digits: 40 }));
        }
    }
}
