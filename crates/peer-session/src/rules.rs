//! What all conversations of a run have in common, and what an exchange of handshakes tells.

use crate::budget::ByteBudget;
use crate::piece_count::PieceCount;
use guard::Secrets;
use ids::PeerId;
use peer_wire::{ExtensionHandshake, Handshake};
use std::fmt;
use std::io;
use std::time::Duration;

/// How many times the deadline of a handshake an encrypted one has: it goes back and forth twice, and a client that looks at
/// its connections once a second, as aria2 does, was seen to take 3.5 s for it where it takes 1 s in the clear.
const ENCRYPTED: u32 = 2;

/// What all conversations of a run have in common.
pub struct Rules {
    /// Time for the exchange of handshakes, from the connection on; twice that with encryption.
    pub handshake_timeout: Duration,
    /// How long and how much is heard after the handshake.
    pub listening: Listening,
    /// Fills a buffer with random bytes, for the keys and the padding of encryption.
    pub entropy: fn(&mut [u8]) -> io::Result<()>,
    /// Whether a peer id is one of our own, of any connection: then we have reached ourselves.
    pub is_ours: Box<dyn Fn(PeerId) -> bool + Send + Sync>,
    /// What we call ourselves (`v` of the extension handshake).
    pub client: String,
    /// What the log may not show.
    pub secrets: Secrets,
}

/// What is heard of one peer after its handshake, at most.
#[derive(Clone, Debug)]
pub struct Listening {
    /// From the handshake on; zero for not at all.
    pub time: Duration,
    /// Bytes received from the peer, the handshake included.
    pub bytes: usize,
    /// Bytes of one message, where the number of pieces does not say how long a bitfield is.
    pub message_bytes: u32,
    /// Pieces of the torrent. May become known while peers are listened to.
    pub pieces: PieceCount,
    /// Memory of what is received and kept, shared by all conversations.
    pub budget: ByteBudget,
}

/// What an exchange of handshakes tells of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a> {
    /// Its handshake.
    pub theirs: Handshake,
    /// Time from the connection to it: a round trip at least.
    pub took: Duration,
    /// Its extension handshake, if that came along with it: an extension that it does not name need not be made.
    pub extension: Option<&'a ExtensionHandshake>,
}

impl Rules {
    /// Time for the exchange behind encryption.
    pub(crate) fn encrypted_timeout(&self) -> Duration {
        self.handshake_timeout.saturating_mul(ENCRYPTED)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handshake_timeout, listening, .. } = self;
        f.debug_struct("Rules")
            .field("handshake_timeout", handshake_timeout)
            .field("listening", listening)
            .finish_non_exhaustive()
    }
}
