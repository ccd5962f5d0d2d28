//! Whether a connection begins with a plaintext handshake or with MSE.

/// The kind of handshake that a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opening {
    /// A plaintext handshake (BEP 3).
    Plaintext,
    /// Anything else. It may be the public key of an MSE handshake, which looks like random bytes.
    MaybeMse,
}

impl Opening {
    /// BEP 3: "The handshake starts with character ninteen (decimal) followed by the string 'BitTorrent protocol'." A
    /// public key begins so once in 2^160 times.
    const PLAINTEXT: &'static [u8; 20] = b"\x13BitTorrent protocol";

    /// Decides by the first 20 bytes, or at the first byte that differs; `None` if more are needed.
    #[must_use]
    pub fn of(received: &[u8]) -> Option<Self> {
        let agreeing = received.iter().zip(Self::PLAINTEXT).take_while(|(found, wanted)| found == wanted).count();
        if agreeing == Self::PLAINTEXT.len() {
            Some(Self::Plaintext)
        } else if agreeing < received.len() {
            Some(Self::MaybeMse)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_different_byte_decides_or_else_the_twentieth() {
        for (received, expected) in [
            (&b""[..], None),
            (b"\x13BitTorrent protoco", None),
            (b"\x13BitTorrent protocol", Some(Opening::Plaintext)),
            (b"\x13BitTorrent protocol and more", Some(Opening::Plaintext)),
            (b"\x12", Some(Opening::MaybeMse)),
            (b"\x13BitTorrent Protocol", Some(Opening::MaybeMse)),
            (b"\x13BitTorrent protocoL", Some(Opening::MaybeMse)),
        ] {
            assert_eq!(Opening::of(received), expected, "{}", received.escape_ascii());
        }
    }
}
