//! How far a handshake has come.

use std::fmt;

/// What a side waits for, in the order in which it comes. Which part of a handshake a peer closed the connection in
/// says much about why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The 96 bytes of the peer's public key.
    PublicKey,
    /// The end of the pad behind it, of which nobody knows the length: for an initiator the encrypted verification
    /// constant, with which the peer shows that it knows the info-hash; for a responder the hash of the secret.
    Sync,
    /// The obscured info-hash; for a responder only.
    InfoHash,
    /// What the initiator provides, or what the responder selected.
    Negotiation,
    /// The second pad.
    Pad,
    /// The initial payload; for a responder only.
    InitialPayload,
    /// Nothing more: the handshake has succeeded or failed.
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
