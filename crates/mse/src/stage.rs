//! The stages of a handshake.

use std::fmt;

/// What a side waits for, in order. The stage at which a peer closes the connection tells much about the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The 96 bytes of the peer's public key.
    PublicKey,
    /// The end of the first pad, whose length is unknown. An initiator waits for the encrypted verification constant, which
    /// shows that the peer knows the info-hash; a responder for the hash of the secret.
    Sync,
    /// The obscured info-hash; only for a responder.
    InfoHash,
    /// The methods that the initiator provides, or the one that the responder selected.
    Negotiation,
    /// The second pad.
    Pad,
    /// The initial payload; only for a responder.
    InitialPayload,
    /// Nothing: the handshake has succeeded or failed.
    Over,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicKey => "public key",
            Self::Sync => "synchronisation",
            Self::InfoHash => "info-hash",
            Self::Negotiation => "negotiation",
            Self::Pad => "pad",
            Self::InitialPayload => "initial payload",
            Self::Over => "end",
        })
    }
}
