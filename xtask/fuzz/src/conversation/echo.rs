//! An extension with a script.

use bytes::Bytes;
use peer_session::{Extension, Violation};
use peer_wire::ExtensionHandshake;
use std::sync::{Arc, Mutex};

/// The extension that we offer, under a name that real peers have for theirs. It says hello to a peer that names it too, then
/// waits for one message; answers each message with the same bytes, and cannot read an empty one.
pub(super) struct Echo(pub(super) Arc<Mutex<Heard>>);

/// What [`Echo`] has heard.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// Whether the peer was greeted.
    pub(super) greeted: bool,
    pub(super) messages: usize,
    /// The payloads, one after the other.
    pub(super) bytes: Vec<u8>,
}

impl Heard {
    /// Whether all of this was heard but for messages that came with the handshake: the peer could not know yet what to call the extension.
    pub(super) fn is_end_of(&self, whole: &Self) -> bool {
        self.greeted == whole.greeted && self.messages <= whole.messages && whole.bytes.ends_with(&self.bytes)
    }
}

/// The name of [`Echo`].
pub(super) const ECHO: &str = "ut_metadata";
/// What an empty message is.
pub(super) const UNREADABLE: Violation = Violation::ExtensionMessage { extension: ECHO };

impl Extension for Echo {
    fn name(&self) -> &'static str {
        ECHO
    }

    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes> {
        assert!(theirs.extensions.get(ECHO).is_some_and(|&id| id != 0));
        let mut heard = self.0.lock().expect("no panic before");
        assert!(!heard.greeted, "what comes first is said once");
        heard.greeted = true;
        Some(Bytes::from_static(b"hello"))
    }

    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        if payload.is_empty() {
            return Err(UNREADABLE);
        }
        let mut heard = self.0.lock().expect("no panic before");
        heard.messages += 1;
        heard.bytes.extend_from_slice(payload);
        Ok(Some(Bytes::copy_from_slice(payload)))
    }

    fn is_done(&self) -> bool {
        let heard = self.0.lock().expect("no panic before");
        !heard.greeted || heard.messages > 0
    }
}
