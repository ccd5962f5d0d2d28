//! What we say first, and what a peer may answer.

use crate::budget::ByteBudget;
use ids::{InfoHash, PeerId};
use peer_wire::{Handshake, Reserved};

/// What is said to every peer that is greeted with one info-hash.
#[derive(Clone, Debug)]
pub struct Greeting {
    pub(crate) ours: Handshake,
    pub(crate) also: Option<InfoHash>,
    pub(crate) budget: Option<ByteBudget>,
}

impl Greeting {
    /// Our handshake (BEP 3); the peer id in it is replaced by that of each connection.
    #[must_use]
    pub fn new(ours: Handshake) -> Self {
        Self { ours, also: None, budget: None }
    }

    /// Allows the other info-hash of a hybrid torrent as an answer, and asks for it. BEP 52: a peer that knows both halves may
    /// answer with the other one when [`Reserved::V2_UPGRADE`] is set. For any other torrent the bit must be clear:
    /// libtorrent closes on it.
    #[must_use]
    pub fn or(self, also: InfoHash) -> Self {
        let ours = Handshake { reserved: self.ours.reserved | Reserved::V2_UPGRADE, ..self.ours };
        Self { ours, also: Some(also), ..self }
    }

    /// Charges messages that come before the peer's handshake to a budget that connections share. Without one they are
    /// bounded for each connection alone, to 64 KiB.
    #[must_use]
    pub fn within(self, budget: ByteBudget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// The info-hash that is said first.
    #[must_use]
    pub fn info_hash(&self) -> InfoHash {
        self.ours.info_hash
    }
}

/// What is said on one connection: a greeting, and a peer id that no other connection has.
///
/// Clients close a second connection that comes with the peer id of an open one.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// What all connections of this info-hash say.
    pub greeting: &'a Greeting,
    /// The peer id of this one.
    pub peer_id: PeerId,
}

impl Hello<'_> {
    /// The 68 bytes that are sent, as a value.
    #[must_use]
    pub fn handshake(&self) -> Handshake {
        Handshake { peer_id: self.peer_id, ..self.greeting.ours }
    }
}
