//! What the initiator says after its handshake, taken apart into messages.

/// One message (BEP 3) that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id; `None` for a keep-alive, which has none.
    pub id: Option<u8>,
    /// The length that the prefix gives, in bytes: the id counts, the prefix does not.
    pub length: u32,
}

/// The id of extension messages (BEP 10).
const EXTENDED: u8 = 20;

/// The id of hash requests (BEP 52), and of what is kept of them.
pub(crate) const HASH_REQUEST: u8 = 21;

/// The most that is kept of one message's payload.
const KEPT_BYTES: usize = 65_536;

/// Takes a stream apart, however it is cut.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Length prefix and id of the message that is coming.
    head: Vec<u8>,
    /// Bytes of its payload still to come.
    left: u32,
    /// Payloads of extension messages and hash requests, the last of which is coming; `None` where they are not asked for.
    extended: Option<Vec<Vec<u8>>>,
}

impl Frames {
    /// The same, which also keeps what extension messages say.
    pub(crate) fn keeping() -> Self {
        Self { extended: Some(Vec::new()), ..Self::default() }
    }

    /// The payloads of the extension messages that are complete and were not taken yet: the id of the extension, and what is
    /// for it. A hash request is as a message of an extension with its id.
    pub(crate) fn take_extended(&mut self) -> Vec<Vec<u8>> {
        let is_coming = self.is_kept();
        let Some(kept) = &mut self.extended else { return Vec::new() };
        let coming = kept.pop_if(|_| is_coming);
        let complete = std::mem::take(kept);
        kept.extend(coming);
        complete
    }

    /// The messages that these bytes complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Vec<Message> {
        let mut complete = Vec::new();
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = if self.id().is_none() {
                self.head.push(*byte);
                self.left = self.length().saturating_sub(1);
                let is_kept = self.is_kept();
                if let Some(kept) = self.extended.as_mut().filter(|_| is_kept) {
                    kept.push(self.head.get(4).copied().filter(|id| *id == HASH_REQUEST).into_iter().collect());
                }
                rest
            } else {
                self.skip(bytes)
            };
            complete.extend(self.complete());
        }
        complete
    }

    /// What remains when as much of the payload as there is has been passed over.
    fn skip<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(self.left);
        self.left -= length;
        let (skipped, rest) = bytes.split_at_checked(length as usize).unwrap_or((bytes, &[]));
        if self.is_kept()
            && let Some(payload) = self.extended.as_mut().and_then(|kept| kept.last_mut())
        {
            payload.extend(skipped.iter().take(KEPT_BYTES.saturating_sub(payload.len())));
        }
        rest
    }

    fn complete(&mut self) -> Option<Message> {
        let empty = self.head.len() == 4 && self.length() == 0;
        let whole = empty || self.id().is_some() && self.left == 0;
        let message = Message { id: self.id(), length: self.length() };
        whole.then(|| {
            self.head.clear();
            message
        })
    }

    fn length(&self) -> u32 {
        self.head.first_chunk().map_or(0, |prefix| u32::from_be_bytes(*prefix))
    }

    fn is_kept(&self) -> bool {
        matches!(self.id(), Some(EXTENDED | HASH_REQUEST))
    }

    fn id(&self) -> Option<u8> {
        self.head.get(4).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_point() {
        let stream = b"\0\0\0\x03\x14\0x\0\0\0\0\0\0\0\x01\x0f\0\0\0\x05\x04\0\0\0\x07\0\0\0\x09\x05";
        let messages =
            [(Some(20), 3), (None, 0), (Some(15), 1), (Some(4), 5)].map(|(id, length)| Message { id, length });
        for cut in 0..=stream.len() {
            let mut frames = Frames::default();
            let (one, other) = stream.split_at(cut);
            let found = [frames.feed(one), frames.feed(other)].concat();
            assert_eq!(found, messages, "cut at {cut}");
        }
    }

    #[test]
    fn extension_messages_are_kept_where_they_are_asked_for() {
        let stream = b"\0\0\0\x03\x14\0x\0\0\0\0\0\0\0\x01\x14\0\0\0\x02\x04z\0\0\0\x02\x14y\0\0\0\x02\x15h";
        for cut in 0..=stream.len() {
            let mut frames = Frames::keeping();
            let (one, other) = stream.split_at(cut);
            frames.feed(one);
            let mut kept = frames.take_extended();
            frames.feed(other);
            kept.extend(frames.take_extended());
            assert_eq!(kept, [b"\0x".as_slice(), b"", b"y", b"\x15h"], "cut at {cut}");
        }
        let mut frames = Frames::default();
        frames.feed(stream);
        assert_eq!(frames.take_extended(), Vec::<Vec<u8>>::new());
    }
}
