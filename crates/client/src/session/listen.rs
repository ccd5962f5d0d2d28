//! What is heard after the handshake: we say what politeness asks for, request nothing, and listen for a moment.

use crate::census::role::may_be_lazy;
use crate::dial::attempt::Terms;
use crate::session::read::read_some;
use crate::session::said::{Said, Violation};
use crate::session::wire;
use bytes::BytesMut;
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// A line that has been quiet for so long has said what it had to say: clients send all of it within some milliseconds, but
/// for one that looks at its connections every half second.
const QUIET: Duration = Duration::from_millis(500);

/// Why the listening ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LingerEnd {
    /// All that can come has come, and then nothing for half a second; of a peer that has every piece, at once.
    #[error("all was said")]
    Quiet,
    /// Time was up.
    #[error("time was up")]
    TimeUp,
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer broke the protocol.
    #[error("after the handshake")]
    Violation(#[source] Violation),
    /// The buffers of all peers together were full.
    #[error("our buffers were full")]
    Budget,
    /// The peer sent more than is read of one peer.
    #[error("it sent more than {limit} bytes")]
    TooMuch {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Says what we are and that we have no piece, to those who understand it. rTorrent closes on a `have_none` that it did
/// not ask for.
async fn introduce<S: AsyncWrite + Unpin>(stream: &mut S, ours: Reserved, theirs: Reserved) -> std::io::Result<()> {
    let both = |bit| ours.contains(bit) && theirs.contains(bit);
    let mut messages = BytesMut::new();
    let mut say = |message: Message| Codec::default().encode(&message, &mut messages);
    // Neither of these can be too long for the codec.
    if both(Reserved::EXTENSION_PROTOCOL) {
        let _ = say(Message::Extended { id: 0, payload: ourselves().encode() });
    }
    if both(Reserved::FAST) {
        let _ = say(Message::HaveNone);
    }
    stream.write_all(&messages).await?;
    wire::sent(&messages);
    stream.flush().await
}

/// We are what we are, and speak no extension.
fn ourselves() -> ExtensionHandshake {
    ExtensionHandshake {
        client: Some(concat!("bt-handshake/", env!("CARGO_PKG_VERSION")).to_owned()),
        ..ExtensionHandshake::default()
    }
}

/// Listens to one peer.
pub(crate) struct Listener<'a> {
    received: BytesMut,
    terms: &'a Terms,
    theirs: Handshake,
    said: &'a mut Said,
    bytes: &'a mut usize,
}

impl<'a> Listener<'a> {
    /// `surplus` is what came after the peer's handshake already. What was `said`, and how many `bytes` came, is kept by
    /// the caller: it stays known when the listening is cut short.
    pub(crate) fn new(
        surplus: BytesMut,
        terms: &'a Terms,
        theirs: Handshake,
        said: &'a mut Said,
        bytes: &'a mut usize,
    ) -> Self {
        Self { received: surplus, terms, theirs, said, bytes }
    }

    /// Listens on a stream over which handshakes were exchanged, and says why it stopped.
    pub(crate) async fn listen<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> LingerEnd {
        let deadline = Instant::now() + self.terms.linger;
        // A peer that does not take what we say may have said enough all the same.
        let _ = timeout_at(deadline, introduce(stream, self.terms.reserved, self.theirs.reserved)).await;
        let quiet = QUIET.min(self.terms.linger);
        let mut charge = self.terms.bounds.linger().charge();
        loop {
            if let Err(violation) = self.understand() {
                return LingerEnd::Violation(violation);
            }
            if *self.bytes > self.terms.limits.peer_bytes {
                return LingerEnd::TooMuch { limit: self.terms.limits.peer_bytes };
            }
            if self.received.is_empty() {
                // A bitfield has been taken in, and its buffer is not needed again.
                self.received = BytesMut::new();
            }
            if !charge.hold(self.received.capacity() + self.said.pieces.bytes()) {
                return LingerEnd::Budget;
            }
            // A peer that always has something to say would never let the timer speak.
            if Instant::now() >= deadline {
                return LingerEnd::TimeUp;
            }
            let pieces = self.terms.torrent.pieces;
            let has_told = self.said.is_all_of(&self.theirs);
            // What more could come of a peer that has everything.
            if has_told && self.said.pieces.is_all(pieces) {
                return LingerEnd::Quiet;
            }
            // One that lacks a few pieces may be about to tell that it has them.
            let is_done = has_told && !may_be_lazy(self.said, pieces);
            let until = if is_done { deadline.min(Instant::now() + quiet) } else { deadline };
            match timeout_at(until, read_some(stream, &mut self.received)).await {
                Err(_) if until < deadline => return LingerEnd::Quiet,
                Err(_) => return LingerEnd::TimeUp,
                Ok(Ok(0) | Err(_)) => return LingerEnd::Closed,
                Ok(Ok(read)) => *self.bytes += read,
            }
        }
    }

    /// Takes in the whole messages that have come.
    fn understand(&mut self) -> Result<(), Violation> {
        let pieces = self.terms.torrent.pieces;
        let codec = Codec::bounded(pieces, self.terms.limits.message_bytes);
        while let Some(message) = codec.decode(&mut self.received)? {
            self.said.take(&message, pieces)?;
        }
        Ok(())
    }
}
