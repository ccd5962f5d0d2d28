//! Why a peer closes, in an extension of libtorrent.

use std::fmt;

/// Why libtorrent closes a connection: a number of its own, in an extension of its FIN. Other clients give no reason.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CloseReason(pub u32);

impl CloseReason {
    /// The peer has a connection to this address.
    pub const DUPLICATE: Self = Self(1);
    /// The peer waited too long for us.
    pub const TIMED_OUT: Self = Self(8);
    /// The peer's limit of connections is reached.
    pub const FULL: Self = Self(15);
}

/// A few words, or the number.
impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DUPLICATE => f.write_str("connected already"),
            Self::TIMED_OUT => f.write_str("timed out"),
            Self::FULL => f.write_str("too many connections"),
            Self(number) => write!(f, "reason {number}"),
        }
    }
}
