//! Bytes that came in place of a handshake, and what they look like.

use peer_wire::Handshake;
use std::collections::HashSet;
use std::fmt;

/// Bytes that no handshake begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBitTorrent {
    /// The first bytes as they came, at most 68.
    pub beginning: Vec<u8>,
}

/// What bytes look like that are not BitTorrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sniffed {
    /// A web server, or a page of one.
    Http,
    /// A TLS record.
    Tls,
    /// An SSH banner.
    Ssh,
    /// Messages of BitTorrent, without the handshake that comes first.
    Messages,
    /// Random bytes: encryption, or compressed data.
    HighEntropy,
    /// None of these.
    Other,
}

impl NotBitTorrent {
    /// Of what was received; its first 68 bytes are kept.
    #[must_use]
    pub fn of(received: &[u8]) -> Self {
        Self { beginning: received.get(..Handshake::LENGTH).unwrap_or(received).to_vec() }
    }

    /// What the bytes look like.
    #[must_use]
    pub fn looks(&self) -> Sniffed {
        let bytes = self.beginning.as_slice();
        let printable = bytes.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
        let different = bytes.iter().collect::<HashSet<_>>().len();
        match bytes {
            [b'H', b'T', b'T', b'P', b'/', ..] | [b'<', ..] => Sniffed::Http,
            [b'S', b'S', b'H', b'-', ..] => Sniffed::Ssh,
            // RFC 8446, 5.1: a record's type, then the legacy version 3.x.
            [0x14..=0x17, 0x03, 0..=4, ..] => Sniffed::Tls,
            // BEP 3: a length and an id; what peers begin with is a bitfield, `have_all`, `have_none` (BEP 6) or an extension
            // handshake (BEP 10), and short.
            [0, 0, _, _, 5 | 14 | 15 | 20, ..] => Sniffed::Messages,
            // Random bytes are printable in 4 of 10 cases; 20 of them are hardly ever mostly printable. Of 68 of them 60
            // differ; where many are the same, as in zeros, they are not random.
            _ if bytes.len() >= 20 && printable * 3 < bytes.len() * 2 && different * 3 > bytes.len() * 2 => {
                Sniffed::HighEntropy
            }
            _ => Sniffed::Other,
        }
    }
}

impl fmt::Display for NotBitTorrent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// As much of a banner as a line can bear.
        const SHOWN: usize = 24;
        let what = match self.looks() {
            Sniffed::Http => "HTTP",
            Sniffed::Tls => "TLS",
            Sniffed::Ssh => "SSH",
            Sniffed::Messages => "messages without a handshake",
            Sniffed::HighEntropy => "high-entropy bytes, maybe encryption",
            Sniffed::Other => "something else",
        };
        let beginning = self.beginning.get(..SHOWN).unwrap_or(&self.beginning);
        let instead = if self.looks() == Sniffed::Messages { "" } else { " instead of BitTorrent" };
        write!(f, "{what}{instead}, beginning \"{}\"", beginning.escape_ascii())
    }
}

impl std::error::Error for NotBitTorrent {}
