//! Listening after the handshake: we introduce ourselves, request nothing, and hear what the peer sends for a moment.

use crate::advertised::{Advertised, Pieces, Violation, may_be_lazy};
use crate::alarm::{before, end};
use crate::budget::Charge;
use crate::dump;
use crate::extensions::Extensions;
use crate::habits::sends_in_parts;
use crate::read::read_some;
use crate::rules::{Listening, Met, Rules};
use bytes::BytesMut;
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep};

/// A connection that has been silent for this long has sent all it will send at once, whatever its software: clients do so within
/// some milliseconds, except those that serve their connections every half second.
const QUIET: Duration = Duration::from_millis(500);
/// The same at least, of software that sends all of it in one go: its segments are under way at the same time, and come as far apart as
/// the network makes them and a machine that has much to do, which takes some milliseconds to send them.
const SHORTEST_QUIET: Duration = Duration::from_millis(50);

/// Why the listening ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenEnd {
    /// All that it says of itself at once has come, and then nothing of that for a moment: half of its handshake's time, or half a
    /// second where its software sends in parts. Of a peer that has every piece, at once.
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

/// What the peer says of itself, as long as it is listened to for that. What was `said` is kept by the caller: it stays known when
/// the listening is cut short.
pub(crate) struct Words<'a> {
    theirs: &'a Handshake,
    took: Duration,
    said: &'a mut Advertised,
    /// When it last said something of itself, and not to an extension: a list of peers long after the rest prolongs nothing.
    spoke: Instant,
    /// How long it is silent when it has said all.
    quiet: Duration,
}

/// Listens to one peer.
pub(crate) struct Listener {
    /// What has come and is not understood yet.
    received: BytesMut,
    extensions: Extensions,
    charge: Charge,
    deadline: Instant,
    /// Whether both sides speak the extension protocol (BEP 10), and fast (BEP 6).
    speaks_extensions: bool,
    speaks_fast: bool,
    /// Whether our extension handshake was sent, or is about to be: libtorrent and WebTorrent close on a request before it.
    is_introduced: bool,
    /// Whether the extensions have not said yet what they say first.
    offers: bool,
}

impl<'a> Words<'a> {
    /// Of a peer whose handshake `took` so long, a round trip at least.
    pub(crate) fn new(theirs: &'a Handshake, took: Duration, said: &'a mut Advertised) -> Self {
        let at_once = (took / 2).clamp(SHORTEST_QUIET, QUIET);
        let quiet = if sends_in_parts(theirs.peer_id) { QUIET } else { at_once };
        Self { theirs, took, said, spoke: Instant::now(), quiet }
    }

    /// How long to wait for the next byte; `None` when it can say nothing more.
    fn until(&self, deadline: Instant, listening: &Listening) -> Option<Instant> {
        let pieces = listening.pieces.get();
        if !self.said.is_all_of(self.theirs) {
            return Some(deadline);
        }
        match &self.said.pieces {
            all if all.is_all(pieces) => None,
            // It lacks a few pieces, and may be about to tell that it has them.
            _ if may_be_lazy(self.said, pieces) => Some(deadline),
            // It is silent about them, and a bitfield may follow.
            Pieces::Unknown => Some(deadline.min(self.spoke + QUIET.min(listening.time))),
            _ => Some(deadline.min(self.spoke + self.quiet.min(listening.time))),
        }
    }
}

impl Listener {
    /// For a conversation in which handshakes were exchanged, ours with the bits `ours`; `received` came behind the peer's.
    pub(crate) fn new(received: BytesMut, ours: Reserved, theirs: Reserved, listening: &Listening) -> Self {
        let both = |bit| ours.contains(bit) && theirs.contains(bit);
        Self {
            received,
            extensions: Extensions::default(),
            charge: listening.budget.charge(),
            deadline: end(Instant::now(), listening.time),
            speaks_extensions: both(Reserved::EXTENSION_PROTOCOL),
            speaks_fast: both(Reserved::FAST),
            is_introduced: false,
            offers: true,
        }
    }

    /// Takes in what came along with the peer's handshake, and makes the extensions. Says why the listening is over, if it is:
    /// nothing is said to a peer that has said all and speaks no extension that we speak, unless it has sent a message for one already.
    pub(crate) fn begin(
        &mut self,
        words: &mut Words<'_>,
        listening: &Listening,
        extensions: impl FnOnce(Met<'_>) -> Extensions,
    ) -> Option<ListenEnd> {
        if let Err(violation) = self.understand(listening, &mut Some(&mut *words)) {
            return Some(ListenEnd::Violation(violation));
        }
        let theirs = words.said.extension.as_deref().filter(|_| self.speaks_extensions);
        self.extensions = extensions(Met { theirs: *words.theirs, took: words.took, extension: theirs });
        theirs.into_iter().for_each(|theirs| self.extensions.meet(theirs));
        let is_all = !is_for_an_extension(&self.received) && words.until(self.deadline, listening).is_none();
        let is_over = is_all && !self.extensions.are_spoken();
        is_over.then_some(ListenEnd::Quiet)
    }

    /// Whether an extension that the peer speaks too waits for something, after the peer's own words ended so.
    pub(crate) fn goes_on_after(&self, end: &ListenEnd) -> bool {
        match end {
            ListenEnd::Quiet => !self.extensions.are_done(),
            ListenEnd::TimeUp => self.extensions.are_busy(),
            _ => false,
        }
    }

    /// Listens on a stream over which handshakes were exchanged, and says why it stopped: to the peer's `words`, or without them for as
    /// long as an extension waits for something. Counts into `bytes` what comes.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and thousands of these wait"
    )]
    pub(crate) fn listen<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        mut alarm: Pin<&mut Sleep>,
        rules: &Rules,
        mut words: Option<&mut Words<'_>>,
        bytes: &mut usize,
    ) -> impl Future<Output = ListenEnd> {
        async move {
            let listening = &rules.listening;
            loop {
                let messages = match self.messages(rules, &mut words) {
                    Ok(messages) => messages,
                    Err(violation) => return ListenEnd::Violation(violation),
                };
                if bytes.saturating_sub(self.extensions.asked_for()) > listening.bytes {
                    return ListenEnd::TooMuch { limit: listening.bytes };
                }
                let is_busy = self.extensions.are_busy();
                let deadline = if is_busy { end(self.deadline, self.extensions.time()) } else { self.deadline };
                if !messages.is_empty() {
                    alarm.as_mut().reset(deadline);
                    // A peer that does not take what we say may have said enough all the same.
                    let _ = before(alarm.as_mut(), pin!(write(stream, messages))).await;
                }
                let pieces = words.as_ref().map_or(0, |words| words.said.pieces.bytes());
                if !self.charge.hold(self.received.capacity() + pieces) {
                    return ListenEnd::Budget;
                }
                // What the peer says of itself is not waited for any longer because an extension is busy.
                let deadline = if words.is_some() { self.deadline } else { deadline };
                // A peer that always has something to say would never let the timer speak.
                if Instant::now() >= deadline {
                    return ListenEnd::TimeUp;
                }
                let until = match &words {
                    Some(words) => words.until(deadline, listening),
                    None => Some(deadline).filter(|_| !self.extensions.are_done()),
                };
                let Some(until) = until else { return ListenEnd::Quiet };
                match self.next(stream, alarm.as_mut(), until).await {
                    Next::Changed => {}
                    Next::Silence if until < deadline => return ListenEnd::Quiet,
                    // An extension may have become busy.
                    Next::Silence => {}
                    Next::Read(Ok(0) | Err(_)) => return ListenEnd::Closed,
                    Next::Read(Ok(read)) => *bytes += read,
                }
            }
        }
    }

    /// Waits for the next bytes, for the time when an extension is due, or until something changes for one.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and thousands of these wait"
    )]
    fn next<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        mut alarm: Pin<&mut Sleep>,
        until: Instant,
    ) -> impl Future<Output = Next> {
        async move {
            /// An extension that is due again at once is asked again after this: timers have no finer grain.
            const GRAIN: Duration = Duration::from_millis(1);
            let Self { received, extensions, .. } = self;
            let state = |extensions: &Extensions| (extensions.wake(), extensions.are_done(), extensions.are_busy());
            let was = state(extensions);
            let wake = was.0.map(|wake| wake.max(Instant::now() + GRAIN)).filter(|wake| *wake < until);
            alarm.as_mut().reset(wake.unwrap_or(until));
            let mut read = read_some(stream, received);
            let changed = poll_fn(|context| {
                extensions.watch(context.waker());
                if let Poll::Ready(read) = Pin::new(&mut read).poll(context) {
                    return Poll::Ready(Next::Read(read));
                }
                if state(extensions) == was { Poll::Pending } else { Poll::Ready(Next::Changed) }
            });
            match before(alarm, changed).await {
                Some(next) => next,
                None if wake.is_some() => Next::Changed,
                None => Next::Silence,
            }
        }
    }

    /// Our extension handshake, and that we have no piece, as far as both sides support them. rTorrent closes on a `have_none`
    /// that it did not negotiate.
    fn introduction(&self, client: &str) -> BytesMut {
        /// Bytes of what is said with all extensions.
        const USUAL: usize = 160;
        let mut messages = BytesMut::with_capacity(USUAL);
        let mut say = |message: Message| Codec::default().encode(&message, &mut messages);
        // Neither of these can be too long for the codec.
        if self.speaks_extensions {
            let ourselves = ExtensionHandshake {
                client: Some(client.to_owned()),
                extensions: self.extensions.offered(),
                ..ExtensionHandshake::default()
            };
            let _ = say(Message::Extended { id: 0, payload: ourselves.encode() });
        }
        if self.speaks_fast {
            let _ = say(Message::HaveNone);
        }
        messages
    }

    /// Takes in the whole messages that have come; gives all that there is to say now: our introduction first, once, and what the
    /// extensions say.
    fn messages(&mut self, rules: &Rules, words: &mut Option<&mut Words<'_>>) -> Result<BytesMut, Violation> {
        let mut messages = BytesMut::new();
        if !self.is_introduced {
            self.is_introduced = true;
            messages = self.introduction(&rules.client);
            let theirs = words.as_ref().and_then(|words| words.said.extension.as_deref());
            messages.unsplit(self.offer(theirs.filter(|_| self.speaks_extensions)));
        }
        messages.unsplit(self.understand(&rules.listening, words)?);
        messages.unsplit(self.extensions.due(Instant::now()));
        Ok(messages)
    }

    /// What the extensions say first, once the peer has named them.
    fn offer(&mut self, theirs: Option<&ExtensionHandshake>) -> BytesMut {
        let Some(theirs) = theirs.filter(|_| self.offers && self.is_introduced) else { return BytesMut::new() };
        self.offers = false;
        self.extensions.first_messages(theirs)
    }

    /// Takes in the whole messages that have come; gives what the extensions say to them.
    fn understand(&mut self, listening: &Listening, words: &mut Option<&mut Words<'_>>) -> Result<BytesMut, Violation> {
        let pieces = listening.pieces.get();
        if let Some((words, pieces)) = words.as_mut().zip(pieces) {
            words.said.settle(pieces)?;
        }
        let codec = Codec::bounded(pieces, listening.message_bytes);
        let mut answers = BytesMut::new();
        // What is for an extension waits until there are any.
        while (self.is_introduced || !is_for_an_extension(&self.received))
            && let Some(message) = codec.decode(&mut self.received)?
        {
            if let Some(words) = words {
                words.said.take(&message, pieces)?;
            }
            match &message {
                Message::Extended { id: id @ 1.., payload } => answers.unsplit(self.extensions.hear(*id, payload)?),
                Message::Hashes { .. } | Message::HashReject(_) => {
                    answers.unsplit(self.extensions.hear_message(&message));
                }
                Message::Extended { payload, .. } if self.speaks_extensions => {
                    match words.as_ref().map(|words| words.said.extension.as_deref()) {
                        Some(theirs) => {
                            theirs.into_iter().for_each(|theirs| self.extensions.meet(theirs));
                            answers.unsplit(self.offer(theirs));
                        }
                        None => self.extensions.meet(&ExtensionHandshake::decode(payload)?),
                    }
                }
                _ => {}
            }
            let is_of_itself =
                !matches!(message, Message::Extended { id: 1.., .. } | Message::Hashes { .. } | Message::HashReject(_));
            if let Some(words) = words.as_mut().filter(|_| is_of_itself) {
                words.spoke = Instant::now();
            }
        }
        match (self.received.is_empty(), words) {
            // A bitfield has been taken in, and its buffer is not needed again.
            (true, _) => self.received = BytesMut::new(),
            (false, Some(words)) => words.spoke = Instant::now(),
            (false, None) => {}
        }
        Ok(answers)
    }
}

/// Whether a message begins so that is for an extension and not the extension handshake: its length, its kind, its id.
fn is_for_an_extension(message: &[u8]) -> bool {
    matches!(message, [_, _, _, _, 20, id, ..] if *id != 0)
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, messages: BytesMut) -> io::Result<()> {
    stream.write_all(&messages).await?;
    dump::sent(&messages);
    stream.flush().await
}
