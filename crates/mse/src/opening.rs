//! Which of the two ways a connection is opened.

/// What the first bytes of a connection open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opening {
    /// A handshake in plaintext (BEP 3).
    Plaintext,
    /// Anything else, which may be the public key of an MSE handshake: that has no form to know it by.
    MaybeMse,
}

impl Opening {
    /// BEP 3: "The handshake starts with character ninteen (decimal) followed by the string 'BitTorrent protocol'." A
    /// public key begins so once in 2^160 times.
    const PLAINTEXT: &'static [u8; 20] = b"\x13BitTorrent protocol";

    /// Tells by the first 20 bytes, or by fewer once one of them differs; `None` when more are needed.
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
    fn the_first_difference_decides_and_so_does_the_twentieth_byte() {
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
