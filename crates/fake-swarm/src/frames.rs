//! What the initiator says after its handshake, taken apart into messages.

/// One message (BEP 3) that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id; `None` for a keep-alive, which has none.
    pub id: Option<u8>,
    /// The length that the prefix gives, in bytes: the id counts, the prefix does not.
    pub length: u32,
}

/// Takes a stream apart, however it is cut.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Length prefix and id of the message that is coming.
    head: Vec<u8>,
    /// Bytes of its payload still to come.
    left: u32,
}

impl Frames {
    /// The messages that these bytes complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Vec<Message> {
        let mut complete = Vec::new();
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = if self.id().is_none() {
                self.head.push(*byte);
                self.left = self.length().saturating_sub(1);
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
        bytes.get(length as usize..).unwrap_or_default()
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
}
