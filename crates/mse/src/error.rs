//! Why a handshake failed.

use crate::limits::{MAX_INITIAL_PAYLOAD, MAX_PAD};
use crate::method::CryptoProvide;
use crate::stage::Stage;
use std::fmt;

/// What went wrong: in our own configuration, or in the bytes of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Our configuration has too long a pad.
    #[error("configured to send a pad of {length} bytes, at most {MAX_PAD} are allowed")]
    OwnPadTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Our configuration has too long an initial payload.
    #[error("configured to send an initial payload of {length} bytes, at most {MAX_INITIAL_PAYLOAD} are allowed")]
    OwnInitialPayloadTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Our configuration provides no known method.
    #[error("configured to provide no known method")]
    NothingProvided,
    /// The handshake was over before.
    #[error("the handshake is over")]
    Over,

    /// The peer sends a plaintext handshake, which is still in the buffer.
    #[error("the peer speaks plaintext")]
    PlaintextHandshake,
    /// A public key of 0 or 1, with which the secret is known to all.
    #[error("the peer's public key is {key}")]
    PublicKeyTooSmall {
        /// The key.
        key: u8,
    },
    /// A public key of P - 1, with which the secret is 1 or P - 1, or an invalid one above.
    #[error("the peer's public key is not below P - 1")]
    PublicKeyTooLarge,
    /// No mark after the longest pad. For an initiator this means that the peer does not know the info-hash, or does not
    /// speak MSE at all.
    #[error("no end of the pad in {scanned} bytes after the peer's public key")]
    SyncNotFound {
        /// The bytes searched after the public key.
        scanned: usize,
    },
    /// The peer names a torrent that we do not know.
    #[error("the peer asks for an unknown info-hash")]
    UnknownInfoHash,
    /// The peer has another key.
    #[error("the verification constant is {found:#018x} instead of 0")]
    WrongVerificationConstant {
        /// The decrypted value.
        found: u64,
    },
    /// A pad that is announced to be too long.
    #[error("the peer's {pad} has {length} bytes, at most {MAX_PAD} are allowed")]
    PadTooLong {
        /// Which pad.
        pad: LengthPrefixedPad,
        /// Its length in bytes.
        length: u16,
    },
    /// The peer provides no method that we accept.
    #[error("nothing acceptable is provided: {provided}")]
    NothingInCommon {
        /// The methods it provides.
        provided: CryptoProvide,
    },
    /// The peer selected no method.
    #[error("the peer selected no method")]
    NothingSelected,
    /// The peer selected more than one method.
    #[error("the peer selected several methods at once: {}", CryptoProvide(*select))]
    SeveralSelected {
        /// The bits it sent.
        select: u32,
    },
    /// The peer selected a method that was not provided.
    #[error("the peer selected {}, provided was {provided}", CryptoProvide(*select))]
    NotOffered {
        /// The one bit it sent.
        select: u32,
        /// The methods that we provide.
        provided: CryptoProvide,
    },
}

/// A pad whose length is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LengthPrefixedPad {
    /// The initiator's.
    C,
    /// The responder's.
    D,
}

impl Error {
    /// The stage at which the peer's bytes were wrong; `None` if the mistake is ours.
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
    fn errors_name_the_fault_and_the_stage_of_the_peer() {
        let own = [
            (Error::OwnPadTooLong { length: 513 }, "configured to send a pad of 513 bytes, at most 512 are allowed"),
            (Error::NothingProvided, "configured to provide no known method"),
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
                "the peer selected plaintext, provided was RC4",
            ),
        ];
        for (error, stage, text) in theirs {
            assert_eq!((error.to_string().as_str(), error.stage()), (text, Some(stage)));
        }
    }
}
