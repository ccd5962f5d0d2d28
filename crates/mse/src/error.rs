//! Why there is no encrypted connection.

use crate::{CryptoProvide, MAX_INITIAL_PAYLOAD, MAX_PAD, Stage};
use std::fmt;

/// What went wrong: with what we were told to do, or with what the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// We were told to send too long a pad.
    #[error("told to send a pad of {length} bytes, at most {MAX_PAD} are allowed")]
    OwnPadTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// We were told to send too long an initial payload.
    #[error("told to send an initial payload of {length} bytes, at most {MAX_INITIAL_PAYLOAD} are allowed")]
    OwnInitialPayloadTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// We were told to provide no method that we know.
    #[error("told to provide no known method")]
    NothingProvided,
    /// The handshake had ended before.
    #[error("the handshake is over")]
    Over,

    /// The peer opens the connection in plaintext, or answers so. What it sent is still in the buffer.
    #[error("the peer speaks plaintext")]
    PlaintextHandshake,
    /// A public key of 0 or 1, with which everybody could tell the secret.
    #[error("the peer's public key is {key}")]
    PublicKeyTooSmall {
        /// The key.
        key: u8,
    },
    /// A public key of P - 1, with which everybody could guess the secret, or above, which is none.
    #[error("the peer's public key is not below P - 1")]
    PublicKeyTooLarge,
    /// The longest pad there may be has passed, and then some, without the mark that ends it. An initiator sees this
    /// of whoever does not know the info-hash, or does not speak MSE at all.
    #[error("no end of the pad in {scanned} bytes after the peer's public key")]
    SyncNotFound {
        /// The bytes looked at, all after the public key.
        scanned: usize,
    },
    /// The peer means a torrent that is none of ours.
    #[error("the peer asks for an unknown info-hash")]
    UnknownInfoHash,
    /// The peer does not have the key it should have.
    #[error("the verification constant is {found:#018x} instead of 0")]
    WrongVerificationConstant {
        /// What was decrypted.
        found: u64,
    },
    /// A pad that announces more bytes than are allowed.
    #[error("the peer's {pad} has {length} bytes, at most {MAX_PAD} are allowed")]
    PadTooLong {
        /// Which one.
        pad: LengthPrefixedPad,
        /// Its length in bytes.
        length: u16,
    },
    /// The peer provides nothing that we accept.
    #[error("nothing acceptable is provided: {provided}")]
    NothingInCommon {
        /// What it provides.
        provided: CryptoProvide,
    },
    /// The peer selected nothing.
    #[error("the peer selected no method")]
    NothingSelected,
    /// The peer selected more than one method.
    #[error("the peer selected several methods at once: {}", CryptoProvide(*select))]
    SeveralSelected {
        /// The bits it sent.
        select: u32,
    },
    /// The peer selected something that was not offered.
    #[error("the peer selected {}, offered was {provided}", CryptoProvide(*select))]
    NotOffered {
        /// The one bit it sent.
        select: u32,
        /// What we provide.
        provided: CryptoProvide,
    },
}

/// One of the pads whose length is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LengthPrefixedPad {
    /// The initiator's.
    C,
    /// The responder's.
    D,
}

impl Error {
    /// Where in the handshake the peer's bytes were wrong; `None` when the mistake is on our own side.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::OwnPadTooLong { .. } | Self::OwnInitialPayloadTooLong { .. } | Self::NothingProvided | Self::Over => {
                None
            }
            Self::PlaintextHandshake | Self::PublicKeyTooSmall { .. } | Self::PublicKeyTooLarge => {
                Some(Stage::PublicKey)
            }
            Self::SyncNotFound { .. } => Some(Stage::Sync),
            Self::UnknownInfoHash => Some(Stage::InfoHash),
            Self::WrongVerificationConstant { .. }
            | Self::PadTooLong { .. }
            | Self::NothingInCommon { .. }
            | Self::NothingSelected
            | Self::SeveralSelected { .. }
            | Self::NotOffered { .. } => Some(Stage::Negotiation),
        }
    }
}

impl fmt::Display for LengthPrefixedPad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::C => "PadC",
            Self::D => "PadD",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_is_and_whose_fault() {
        let own = [
            (Error::OwnPadTooLong { length: 513 }, "told to send a pad of 513 bytes, at most 512 are allowed"),
            (Error::NothingProvided, "told to provide no known method"),
            (Error::Over, "the handshake is over"),
        ];
        for (error, text) in own {
            assert_eq!((error.to_string().as_str(), error.stage()), (text, None));
        }
        let theirs = [
            (Error::PublicKeyTooSmall { key: 1 }, Stage::PublicKey, "the peer's public key is 1"),
            (
                Error::WrongVerificationConstant { found: 0x1234 },
                Stage::Negotiation,
                "the verification constant is 0x0000000000001234 instead of 0",
            ),
            (
                Error::PadTooLong { pad: LengthPrefixedPad::D, length: 513 },
                Stage::Negotiation,
                "the peer's PadD has 513 bytes, at most 512 are allowed",
            ),
            (
                Error::SeveralSelected { select: 3 },
                Stage::Negotiation,
                "the peer selected several methods at once: plaintext, RC4",
            ),
            (
                Error::NotOffered { select: 1, provided: CryptoProvide::RC4 },
                Stage::Negotiation,
                "the peer selected plaintext, offered was RC4",
            ),
        ];
        for (error, stage, text) in theirs {
            assert_eq!((error.to_string().as_str(), error.stage()), (text, Some(stage)));
        }
    }
}
