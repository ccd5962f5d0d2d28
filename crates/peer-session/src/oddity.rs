//! Deviations from the protocol that are read all the same.

use std::fmt;

/// A harmless deviation from the protocol: it is read as libtorrent reads it, and reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// BEP 3: the handshake comes first. Messages before it are read as if they had come behind it.
    MessagesBeforeHandshake,
    /// BEP 3: a bitfield may only come right after the handshake. A `have` before it is forgotten.
    HaveBeforeBitfield,
    /// BEP 6 allows one of bitfield, `have_all` and `have_none`, once. The last one is believed.
    PiecesTwice,
    /// BEP 3: the spare bits of a bitfield are zero. They are cleared.
    SpareBits,
}

impl Oddity {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 4] =
        [Self::MessagesBeforeHandshake, Self::HaveBeforeBitfield, Self::PiecesTwice, Self::SpareBits];

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::MessagesBeforeHandshake => "messages_before_handshake",
            Self::HaveBeforeBitfield => "have_before_bitfield",
            Self::PiecesTwice => "pieces_twice",
            Self::SpareBits => "spare_bits",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::HaveBeforeBitfield => 1,
            Self::PiecesTwice => 2,
            Self::SpareBits => 4,
            Self::MessagesBeforeHandshake => 8,
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The deviations of one peer: a byte, because thousands of peers are listened to at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(u8);

impl Oddities {
    /// Adds one.
    pub fn add(&mut self, oddity: Oddity) {
        self.0 |= oddity.bit();
    }

    /// Each of them once.
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL.into_iter().filter(move |oddity| self.0 & oddity.bit() != 0)
    }
}
