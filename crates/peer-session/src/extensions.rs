//! The extensions that this side speaks (BEP 10, 52): what each is called, what it says, and what it hears.

use crate::advertised::Violation;
use bytes::{Bytes, BytesMut};
use peer_wire::{Codec, ExtensionHandshake, Message};
use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// One extension in one conversation. The caller makes it, hands it to a [`Session`](crate::Session), and reads from it what
/// was heard.
pub trait Extension: Send {
    /// Its key in `m` of the extension handshake, such as `ut_metadata`.
    fn name(&self) -> &'static str;

    /// Whether its messages have ids of their own, as hash requests have (BEP 52), and not those of BEP 10. Then `m` does not name it,
    /// every peer is taken to speak it, what it says is whole messages with their length, and it hears by
    /// [`heard_message`](Self::heard_message).
    fn has_own_ids(&self) -> bool {
        false
    }

    /// What to say first, once both extension handshakes are through and the peer's names this extension; `None` to wait for
    /// the peer.
    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes>;

    /// Takes in one message of the peer's, without its two ids, and gives what to say to it.
    ///
    /// # Errors
    /// What the message breaks; the conversation ends with it.
    fn heard(&mut self, _payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        Ok(None)
    }

    /// Takes in a message with an id of its own, and gives what to say to it.
    fn heard_message(&mut self, _message: &Message) -> Option<Bytes> {
        None
    }

    /// When it has something to say, or to give up, without a message of the peer's: then [`due`](Self::due) is called. `None` for
    /// never. The same until something changes.
    fn wake(&self) -> Option<Instant> {
        None
    }

    /// What to say at that time.
    fn due(&mut self, _now: Instant) -> Option<Bytes> {
        None
    }

    /// Keeps the waker of this conversation, to be woken when [`wake`](Self::wake), [`is_done`](Self::is_done) or
    /// [`is_busy`](Self::is_busy) changes through something outside of it. Called before each wait.
    fn watch(&mut self, _waker: &Waker) {}

    /// Whether it is in the middle of something useful, for which the peer is listened to longer than
    /// [`Listening::time`](crate::Listening::time): see [`Extensions::within`].
    fn is_busy(&self) -> bool {
        false
    }

    /// Bytes received that it had asked for. They do not count towards [`Listening::bytes`](crate::Listening::bytes), so it has to
    /// have a limit of its own.
    fn asked_for(&self) -> usize {
        0
    }

    /// Whether it waits for nothing more. A peer that has said all it will say of itself is [kept](crate::Rest) for as long as this
    /// is false, and time is left.
    fn is_done(&self) -> bool;
}

/// The extensions of one conversation.
#[derive(Default)]
pub struct Extensions {
    list: Vec<Offered>,
    time: Duration,
}

/// One of them, and the way to the peer; `None` while the peer is not known to speak it.
struct Offered {
    extension: Box<dyn Extension>,
    way: Option<Way>,
}

/// How messages of an extension get to the peer.
#[derive(Clone, Copy)]
enum Way {
    /// As those of BEP 10, under the peer's id.
    Id(u8),
    /// As they are.
    Itself,
}

impl Extensions {
    /// Adds one. An extension has the id of its place, from 1 on.
    #[must_use]
    pub fn with(mut self, extension: Box<dyn Extension>) -> Self {
        // There are few, and connections are many.
        self.list.reserve_exact(1);
        self.list.push(Offered { extension, way: None });
        self
    }

    /// Sets how long a peer is listened to beyond [`Listening::time`](crate::Listening::time) while an extension
    /// [is busy](Extension::is_busy); not at all unless this is called.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    /// Takes in an extension handshake of the peer's: which of them it speaks too. An id of 0 takes one back, and what is not
    /// named stays as it was (BEP 10).
    pub(crate) fn meet(&mut self, theirs: &ExtensionHandshake) {
        for Offered { extension, way } in &mut self.list {
            match theirs.extensions.get(extension.name()) {
                _ if extension.has_own_ids() => *way = Some(Way::Itself),
                Some(&id) => *way = Some(id).filter(|&id| id != 0).map(Way::Id),
                None => {}
            }
        }
    }

    /// Whether the peer speaks any of them.
    pub(crate) fn are_spoken(&self) -> bool {
        self.spoken().next().is_some()
    }

    /// Whether all of them that the peer speaks too wait for nothing more.
    pub(crate) fn are_done(&self) -> bool {
        self.spoken().all(Extension::is_done)
    }

    /// Whether one of them that the peer speaks too is busy.
    pub(crate) fn are_busy(&self) -> bool {
        self.spoken().any(Extension::is_busy)
    }

    /// Bytes received that they had asked for.
    pub(crate) fn asked_for(&self) -> usize {
        self.list.iter().map(|offered| offered.extension.asked_for()).sum()
    }

    /// When the next of them is due that the peer speaks too and that waits for something.
    pub(crate) fn wake(&self) -> Option<Instant> {
        self.spoken().filter(|extension| !extension.is_done()).filter_map(Extension::wake).min()
    }

    /// What those say that are due and that the peer speaks too.
    pub(crate) fn due(&mut self, now: Instant) -> BytesMut {
        let mut messages = BytesMut::new();
        for Offered { extension, way } in &mut self.list {
            if let Some(way) = way
                && extension.wake().is_some_and(|wake| wake <= now)
            {
                say(*way, extension.due(now), &mut messages);
            }
        }
        messages
    }

    /// Lets each of them wake this conversation.
    pub(crate) fn watch(&mut self, waker: &Waker) {
        self.list.iter_mut().for_each(|offered| offered.extension.watch(waker));
    }

    fn spoken(&self) -> impl Iterator<Item = &dyn Extension> {
        self.list.iter().filter(|offered| offered.way.is_some()).map(|offered| &*offered.extension as &dyn Extension)
    }

    /// The `m` of our extension handshake.
    pub(crate) fn offered(&self) -> BTreeMap<String, u8> {
        let named = self.list.iter().zip(1..).filter(|(offered, _)| !offered.extension.has_own_ids());
        named.map(|(offered, id)| (offered.extension.name().to_owned(), id)).collect()
    }

    /// What those say first that the peer speaks too.
    pub(crate) fn first_messages(&mut self, theirs: &ExtensionHandshake) -> BytesMut {
        let mut messages = BytesMut::new();
        for Offered { extension, way } in &mut self.list {
            if let Some(way) = way {
                say(*way, extension.offer(theirs), &mut messages);
            }
        }
        messages
    }

    /// Hands a message to the extension with this id in our handshake; gives what it answers. An unknown id is ignored.
    pub(crate) fn hear(&mut self, id: u8, payload: &[u8]) -> Result<BytesMut, Violation> {
        let mut answer = BytesMut::new();
        let place = usize::from(id).checked_sub(1);
        if let Some(Offered { extension, way }) = place.and_then(|place| self.list.get_mut(place)) {
            let payload = extension.heard(payload)?;
            if let Some(way) = way {
                say(*way, payload, &mut answer);
            }
        }
        Ok(answer)
    }

    /// Hands a message to those whose messages have ids of their own; gives what they answer.
    pub(crate) fn hear_message(&mut self, message: &Message) -> BytesMut {
        let mut answers = BytesMut::new();
        for Offered { extension, .. } in self.list.iter_mut().filter(|offered| offered.extension.has_own_ids()) {
            say(Way::Itself, extension.heard_message(message), &mut answers);
        }
        answers
    }
}

/// Encodes a message. One that is too long for the codec is a defect of the extension and is not sent.
fn say(way: Way, payload: Option<Bytes>, to: &mut BytesMut) {
    match (way, payload) {
        (Way::Id(id), Some(payload)) => {
            let _ = Codec::default().encode(&Message::Extended { id, payload }, to);
        }
        (Way::Itself, Some(messages)) => to.extend_from_slice(&messages),
        (_, None) => {}
    }
}
