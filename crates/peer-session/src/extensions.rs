//! The extensions that this side speaks (BEP 10): what each is called, what it says, and what it hears.

use crate::advertised::Violation;
use bytes::{Bytes, BytesMut};
use peer_wire::{Codec, ExtensionHandshake, Message};
use std::collections::BTreeMap;

/// One extension in one conversation. The caller makes it, hands it to a [`Session`](crate::Session), and reads from it what
/// was heard.
pub trait Extension: Send {
    /// Its key in `m` of the extension handshake, such as `ut_metadata`.
    fn name(&self) -> &'static str;

    /// What to say first, once both extension handshakes are through and the peer's names this extension; `None` to wait for
    /// the peer.
    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes>;

    /// Takes in one message of the peer's, without its two ids, and gives what to say to it.
    ///
    /// # Errors
    /// What the message breaks; the conversation ends with it.
    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation>;

    /// Whether it waits for nothing more. A peer that has said all it will say of itself is listened to for as long as this is
    /// false, and time is left.
    fn is_done(&self) -> bool;
}

/// The extensions of one conversation.
#[derive(Default)]
pub struct Extensions(Vec<Box<dyn Extension>>);

impl Extensions {
    /// Adds one. An extension has the id of its place, from 1 on.
    #[must_use]
    pub fn with(mut self, extension: Box<dyn Extension>) -> Self {
        self.0.push(extension);
        self
    }

    /// Whether all of them that the peer speaks too wait for nothing more.
    pub(crate) fn are_done(&self, theirs: Option<&ExtensionHandshake>) -> bool {
        let is_spoken = |extension: &dyn Extension| theirs.is_some_and(|theirs| id_of(extension, theirs).is_some());
        self.0.iter().all(|extension| extension.is_done() || !is_spoken(extension.as_ref()))
    }

    /// The `m` of our extension handshake.
    pub(crate) fn offered(&self) -> BTreeMap<String, u8> {
        self.0.iter().zip(1..).map(|(extension, id)| (extension.name().to_owned(), id)).collect()
    }

    /// What those say first that the peer speaks too.
    pub(crate) fn first_messages(&mut self, theirs: &ExtensionHandshake) -> BytesMut {
        let mut messages = BytesMut::new();
        for extension in &mut self.0 {
            if let Some(id) = id_of(extension.as_ref(), theirs) {
                say(id, extension.offer(theirs), &mut messages);
            }
        }
        messages
    }

    /// Hands a message to the extension with this id in our handshake; gives what it answers. An unknown id is ignored.
    pub(crate) fn hear(
        &mut self,
        (id, payload): (u8, &[u8]),
        theirs: Option<&ExtensionHandshake>,
    ) -> Result<BytesMut, Violation> {
        let mut answer = BytesMut::new();
        let place = usize::from(id).checked_sub(1);
        if let Some(extension) = place.and_then(|place| self.0.get_mut(place)) {
            let payload = extension.heard(payload)?;
            if let Some(id) = theirs.and_then(|theirs| id_of(extension.as_ref(), theirs)) {
                say(id, payload, &mut answer);
            }
        }
        Ok(answer)
    }
}

/// The id that the peer gives an extension; 0 takes it back (BEP 10).
fn id_of(extension: &dyn Extension, theirs: &ExtensionHandshake) -> Option<u8> {
    theirs.extensions.get(extension.name()).copied().filter(|&id| id != 0)
}

/// Encodes a message. One that is too long for the codec is a defect of the extension and is not sent.
fn say(id: u8, payload: Option<Bytes>, to: &mut BytesMut) {
    if let Some(payload) = payload {
        let _ = Codec::default().encode(&Message::Extended { id, payload }, to);
    }
}
