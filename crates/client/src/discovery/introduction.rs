//! What a source says of a peer, and what follows from it for dialling that peer.

use guard::AddressPolicy;
use ids::InfoHash;
use report::Source;

/// What a source says of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Introduction<'s> {
    pub(crate) source: &'s Source,
    /// Which addresses this source may have us dial.
    pub(crate) policy: AddressPolicy,
    /// The swarm that the peer is said to be in.
    pub(crate) info_hash: InfoHash,
    /// Whether it is said to require encryption.
    pub(crate) requires_crypto: bool,
    /// Whether it is said to take uTP.
    pub(crate) takes_utp: bool,
}

/// How a peer is to be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DialHints {
    /// The info-hash to greet it with.
    pub(crate) info_hash: InfoHash,
    /// Whether a source said that it requires encryption.
    pub(crate) requires_crypto: bool,
    /// Whether a source said that it takes uTP.
    pub(crate) takes_utp: bool,
    /// Whether the user named it.
    pub(crate) by_user: bool,
}
