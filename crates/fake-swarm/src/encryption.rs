//! How a fake peer answers plaintext and Message Stream Encryption (MSE, also PE).

use crate::ending::Ending;
use crate::mse::KEY_LENGTH;

/// `crypto_provide` and `crypto_select` for a payload in plaintext.
pub const PLAINTEXT: u32 = 1;
/// `crypto_provide` and `crypto_select` for a payload under RC4.
pub const RC4: u32 = 2;

/// A peer's policy of encryption. The default takes plaintext and speaks no MSE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encryption {
    /// For an initiator that begins with a handshake.
    pub plaintext: Plaintext,
    /// For an initiator that begins with anything else.
    pub mse: Mse,
}

/// How a peer answers a handshake in plaintext.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plaintext {
    /// Answers it.
    #[default]
    Accepted,
    /// Sends nothing, and ends like this where it would have answered.
    Refused(Ending),
}

/// How a peer answers bytes that are not the beginning of a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mse {
    /// Reads them as a handshake, which is for no torrent of its own.
    #[default]
    Unknown,
    /// Ends like this as soon as 20 bytes have come, without a byte: [`Ending::Closes`] as libtorrent with encryption
    /// disabled, [`Ending::Stays`] as a client that waits forever for more.
    Refused(Ending),
    /// Answers as a responder.
    Spoken(Responder),
}

/// How a peer answers MSE. On an initiator that wants another torrent it closes (FIN) after `req2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    /// What it selects.
    pub select: Select,
    /// The length of PadB in bytes; the protocol allows 0 to 512.
    pub pad_b: usize,
    /// The length of PadD in bytes; the protocol allows 0 to 512, and up to 65,535 fit.
    pub pad_d: u16,
    /// What it does wrong.
    pub fault: Option<Fault>,
}

/// How a responder chooses `crypto_select`. Without a choice it closes (FIN) after its public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// The first of these that the initiator provides.
    FirstOf(Vec<u32>),
    /// This, and only if it is all that the initiator provides, as webtorrent and some settings of Transmission demand.
    Exactly(u32),
    /// This, whether it was provided or not. A payload follows under RC4 if the bit of [`RC4`] is set.
    Always(u32),
}

/// What a responder does wrong. One that breaks off is made with [`Peer::at_most`](crate::Peer::at_most).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Sends this as its public key, such as one of [`DEGENERATE_KEYS`](crate::DEGENERATE_KEYS), and no more.
    Key([u8; KEY_LENGTH]),
    /// Nothing, by the protocol: chooses its key so that the secret begins with a zero byte, as one in 256 does by chance,
    /// and as no other responder here does. Some clients leave that byte out of their hashes.
    ShortSecret,
    /// Its PadB has no end.
    EndlessPad,
    /// Sends more than a whole PadB and its verification constant could be, and no constant; then no more.
    NoSync,
    /// Sends a whole answer with a verification constant that is not zero.
    WrongConstant,
}

impl Encryption {
    /// Takes both, and selects what a current client prefers: RC4.
    #[must_use]
    pub fn enabled() -> Self {
        Self { plaintext: Plaintext::Accepted, mse: Mse::Spoken(Responder::default()) }
    }

    /// Closes on plaintext (FIN, without a byte) and selects RC4, or else plaintext.
    #[must_use]
    pub fn required() -> Self {
        Self { plaintext: Plaintext::Refused(Ending::Closes), ..Self::enabled() }
    }

    /// Closes on plaintext (FIN, without a byte) and answers MSE so.
    #[must_use]
    pub fn required_by(responder: Responder) -> Self {
        Self { mse: Mse::Spoken(responder), ..Self::required() }
    }
}

/// Without pads and faults; selects RC4, or else plaintext.
impl Default for Responder {
    fn default() -> Self {
        Self { select: Select::FirstOf(vec![RC4, PLAINTEXT]), pad_b: 0, pad_d: 0, fault: None }
    }
}

impl Responder {
    /// One that selects so.
    #[must_use]
    pub fn selecting(select: Select) -> Self {
        Self { select, ..Self::default() }
    }

    /// How many bytes it says before the handshake: public key, PadB, verification constant (8), `crypto_select` (4),
    /// the length of PadD (2), and PadD.
    #[must_use]
    pub fn length(&self) -> usize {
        KEY_LENGTH + self.pad_b + 8 + 4 + 2 + usize::from(self.pad_d)
    }
}

impl Select {
    /// The choice from what the initiator provides.
    pub(crate) fn from(&self, provide: u32) -> Option<u32> {
        match self {
            Self::FirstOf(wanted) => wanted.iter().copied().find(|method| provide & method != 0),
            Self::Exactly(method) => (provide == *method).then_some(*method),
            Self::Always(method) => Some(*method),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections() {
        for (select, provide, choice) in [
            (Select::FirstOf(vec![RC4, PLAINTEXT]), 3, Some(2)),
            (Select::FirstOf(vec![PLAINTEXT, RC4]), 3, Some(1)),
            (Select::FirstOf(vec![RC4]), 1, None),
            (Select::FirstOf(vec![RC4]), 0xffff_fffe, Some(2)),
            (Select::FirstOf(vec![]), 3, None),
            (Select::Exactly(RC4), 2, Some(2)),
            (Select::Exactly(RC4), 3, None),
            (Select::Always(7), 0, Some(7)),
        ] {
            assert_eq!(select.from(provide), choice, "{select:?} from {provide}");
        }
    }
}
