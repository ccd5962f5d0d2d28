//! The extensions that this side speaks (BEP 10): what each is called, what it says, and what it hears.

use crate::said::Violation;
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

/// The `m` of our extension handshake: an extension has the id of its place, from 1 on.
pub(crate) fn offered(extensions: &[Box<dyn Extension>]) -> BTreeMap<String, u8> {
    extensions.iter().zip(1..).map(|(extension, id)| (extension.name().to_owned(), id)).collect()
}

/// What the extensions that the peer speaks too say first.
pub(crate) fn first_messages(extensions: &mut [Box<dyn Extension>], theirs: &ExtensionHandshake) -> BytesMut {
    let mut messages = BytesMut::new();
    for extension in extensions {
        if is_spoken(extension.as_ref(), theirs) {
            let payload = extension.offer(theirs);
            say(extension.as_ref(), payload, theirs, &mut messages);
        }
    }
    messages
}

/// Hands a message to the extension that has this id of ours; gives what it answers. An id that we have not named is passed
/// over.
pub(crate) fn hear(
    extensions: &mut [Box<dyn Extension>],
    (id, payload): (u8, &[u8]),
    theirs: Option<&ExtensionHandshake>,
) -> Result<BytesMut, Violation> {
    let mut answer = BytesMut::new();
    let place = usize::from(id).checked_sub(1);
    if let Some(extension) = place.and_then(|place| extensions.get_mut(place)) {
        let payload = extension.heard(payload)?;
        if let Some(theirs) = theirs {
            say(extension.as_ref(), payload, theirs, &mut answer);
        }
    }
    Ok(answer)
}

fn is_spoken(extension: &dyn Extension, theirs: &ExtensionHandshake) -> bool {
    theirs.extensions.get(extension.name()).is_some_and(|&id| id != 0)
}

/// Encodes a message with the id that the peer gave the extension. One that is too long for the codec is a defect of the
/// extension and is not sent.
fn say(extension: &dyn Extension, payload: Option<Bytes>, theirs: &ExtensionHandshake, to: &mut BytesMut) {
    let id = theirs.extensions.get(extension.name()).copied().filter(|&id| id != 0);
    if let Some((id, payload)) = id.zip(payload) {
        let _ = Codec::default().encode(&Message::Extended { id, payload }, to);
    }
}
