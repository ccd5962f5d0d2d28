//! Listening after the handshake: we introduce ourselves, request nothing, and hear what the peer sends for a moment.

use crate::advertised::{Advertised, Violation, may_be_lazy};
use crate::alarm::end;
use crate::budget::ByteBudget;
use crate::dump;
use crate::extensions::Extensions;
use crate::piece_count::PieceCount;
use crate::read::read_some;
use bytes::BytesMut;
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// A connection that has been silent for this long has sent all it will send at once: clients do so within some milliseconds,
/// except one that serves its connections every half second.
const QUIET: Duration = Duration::from_millis(500);

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

/// Why the listening ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenEnd {
    /// All that can come has come, and then nothing but what extensions hear for half a second; of a peer that has every piece, at
    /// once.
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

/// What ended a wait.
enum Next {
    Read(io::Result<usize>),
    /// Something is due, or has changed, for an extension.
    Changed,
    /// Nothing came until the end of the wait.
    Silence,
}

/// Listens to one peer. What was `said`, and how many `bytes` came, is kept by the caller: it stays known when the listening
/// is cut short.
pub(crate) struct Listener<'a> {
    /// What came after the peer's handshake already, and is not understood yet.
    pub(crate) received: BytesMut,
    pub(crate) client: &'a str,
    pub(crate) listening: &'a Listening,
    /// The bits of our handshake.
    pub(crate) reserved: Reserved,
    pub(crate) theirs: Handshake,
    pub(crate) extensions: Extensions,
    pub(crate) said: &'a mut Advertised,
    pub(crate) bytes: &'a mut usize,
    /// When it last said something of itself, and not to an extension: a list of peers long after the rest prolongs nothing.
    pub(crate) spoke: Instant,
}

impl Listener<'_> {
    /// Listens on a stream over which handshakes were exchanged, and says why it stopped.
    pub(crate) async fn listen<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> ListenEnd {
        let Listening { time, bytes: limit, budget, .. } = self.listening;
        let deadline = end(Instant::now(), *time);
        // A peer that does not take what we say may have said enough all the same.
        let _ = timeout_at(deadline, write(stream, self.introduction())).await;
        let mut charge = budget.charge();
        // What the extensions say first, once the peer has named them.
        let mut offers = true;
        loop {
            let mut answers = match self.understand(&mut offers) {
                Ok(answers) => answers,
                Err(violation) => return ListenEnd::Violation(violation),
            };
            if self.bytes.saturating_sub(self.extensions.asked_for()) > *limit {
                return ListenEnd::TooMuch { limit: *limit };
            }
            let is_introduced = self.both(Reserved::EXTENSION_PROTOCOL);
            let theirs = self.said.extension.as_deref().filter(|_| is_introduced);
            answers.unsplit(self.extensions.due(Instant::now(), theirs));
            let is_busy = self.extensions.are_busy(theirs);
            let deadline = if is_busy { end(deadline, self.extensions.time()) } else { deadline };
            if !answers.is_empty() {
                let _ = timeout_at(deadline, write(stream, answers)).await;
            }
            if self.received.is_empty() {
                // A bitfield has been taken in, and its buffer is not needed again.
                self.received = BytesMut::new();
            }
            if !charge.hold(self.received.capacity() + self.said.pieces.bytes()) {
                return ListenEnd::Budget;
            }
            // A peer that always has something to say would never let the timer speak.
            if Instant::now() >= deadline {
                return ListenEnd::TimeUp;
            }
            let Some(until) = self.until(deadline) else { return ListenEnd::Quiet };
            match self.next(stream, until).await {
                Next::Changed => {}
                Next::Silence if until < deadline => return ListenEnd::Quiet,
                // An extension may have become busy.
                Next::Silence => {}
                Next::Read(Ok(0) | Err(_)) => return ListenEnd::Closed,
                Next::Read(Ok(read)) => *self.bytes += read,
            }
        }
    }

    /// Waits for the next bytes, for the time when an extension is due, or until something changes for one.
    async fn next<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, until: Instant) -> Next {
        /// An extension that is due again at once is asked again after this: timers have no finer grain.
        const GRAIN: Duration = Duration::from_millis(1);
        let is_introduced = self.both(Reserved::EXTENSION_PROTOCOL);
        let Self { received, extensions, said, .. } = self;
        let theirs = said.extension.as_deref().filter(|_| is_introduced);
        let state = |extensions: &Extensions| {
            (extensions.wake(theirs), extensions.are_done(theirs), extensions.are_busy(theirs))
        };
        let before = state(extensions);
        let wake = before.0.map(|wake| wake.max(Instant::now() + GRAIN)).filter(|wake| *wake < until);
        let mut read = pin!(read_some(stream, received));
        let changed = poll_fn(|context| {
            extensions.watch(context.waker());
            if let Poll::Ready(read) = read.as_mut().poll(context) {
                return Poll::Ready(Next::Read(read));
            }
            if state(extensions) == before { Poll::Pending } else { Poll::Ready(Next::Changed) }
        });
        match timeout_at(wake.unwrap_or(until), changed).await {
            Ok(next) => next,
            Err(_) if wake.is_some() => Next::Changed,
            Err(_) => Next::Silence,
        }
    }

    /// How long to wait for the next byte; `None` when nothing more can come.
    fn until(&self, deadline: Instant) -> Option<Instant> {
        let pieces = self.listening.pieces.get();
        if !self.said.is_all_of(&self.theirs) || !self.extensions.are_done(self.theirs()) {
            return Some(deadline);
        }
        match &self.said.pieces {
            all if all.is_all(pieces) => None,
            // It lacks a few pieces, and may be about to tell that it has them.
            _ if may_be_lazy(self.said, pieces) => Some(deadline),
            _ => Some(deadline.min(self.spoke + QUIET.min(self.listening.time))),
        }
    }

    /// The peer's extension handshake, if ours was sent: libtorrent and WebTorrent close on a request before it.
    fn theirs(&self) -> Option<&ExtensionHandshake> {
        self.said.extension.as_deref().filter(|_| self.both(Reserved::EXTENSION_PROTOCOL))
    }

    /// Whether both sides' handshakes have this bit.
    fn both(&self, bit: Reserved) -> bool {
        self.reserved.contains(bit) && self.theirs.reserved.contains(bit)
    }

    /// Our extension handshake, and that we have no piece, as far as both sides support them. rTorrent closes on a `have_none`
    /// that it did not negotiate.
    fn introduction(&self) -> BytesMut {
        let mut messages = BytesMut::new();
        let mut say = |message: Message| Codec::default().encode(&message, &mut messages);
        // Neither of these can be too long for the codec.
        if self.both(Reserved::EXTENSION_PROTOCOL) {
            let ourselves = ExtensionHandshake {
                client: Some(self.client.to_owned()),
                extensions: self.extensions.offered(),
                ..ExtensionHandshake::default()
            };
            let _ = say(Message::Extended { id: 0, payload: ourselves.encode() });
        }
        if self.both(Reserved::FAST) {
            let _ = say(Message::HaveNone);
        }
        messages
    }

    /// Takes in the whole messages that have come; gives what the extensions say to them.
    fn understand(&mut self, offers: &mut bool) -> Result<BytesMut, Violation> {
        let pieces = self.listening.pieces.get();
        if let Some(pieces) = pieces {
            self.said.settle(pieces)?;
        }
        let codec = Codec::bounded(pieces, self.listening.message_bytes);
        let is_introduced = self.both(Reserved::EXTENSION_PROTOCOL);
        let mut answers = BytesMut::new();
        while let Some(message) = codec.decode(&mut self.received)? {
            self.said.take(&message, pieces)?;
            let theirs = self.said.extension.as_deref().filter(|_| is_introduced);
            match &message {
                Message::Extended { id: id @ 1.., payload } => {
                    answers.unsplit(self.extensions.hear((*id, payload), theirs)?);
                }
                Message::Hashes { .. } | Message::HashReject(_) => {
                    answers.unsplit(self.extensions.hear_message(&message));
                }
                _ => self.spoke = Instant::now(),
            }
            if *offers && let Some(theirs) = theirs {
                *offers = false;
                answers.unsplit(self.extensions.first_messages(theirs));
            }
        }
        if !self.received.is_empty() {
            self.spoke = Instant::now();
        }
        Ok(answers)
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, messages: BytesMut) -> io::Result<()> {
    stream.write_all(&messages).await?;
    dump::sent(&messages);
    stream.flush().await
}
