//! How much a server may send.

/// Upper bounds on one reply; exceeding one is an error of its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of head accepted; also bounds what is read ahead of the body, in a buffer of at least 8,192 bytes. Twice this
    /// may come until the head is complete: the head, what is read ahead, and interim replies before it.
    pub head_bytes: usize,
    /// Header lines accepted, at most 100,000; real trackers send under 20, and a proxy in front may add as many.
    pub head_lines: usize,
    /// Bytes of body accepted. A tracker's reply with 5,000 dictionary peers has 400 KB; libtorrent accepts 1 MiB.
    pub body_bytes: usize,
}

impl Limits {
    /// Suits real trackers: 64 KiB and 100 lines of head, 2 MiB of body.
    pub const DEFAULT: Self = Self { head_bytes: 64 << 10, head_lines: 100, body_bytes: 2 << 20 };

    /// The same with another limit on the bytes of a head.
    #[must_use]
    pub const fn with_head_bytes(mut self, bytes: usize) -> Self {
        self.head_bytes = bytes;
        self
    }

    /// The same with another limit on the lines of a head.
    #[must_use]
    pub const fn with_head_lines(mut self, lines: usize) -> Self {
        self.head_lines = lines;
        self
    }

    /// The same with another limit on the bytes of a body.
    #[must_use]
    pub const fn with_body_bytes(mut self, bytes: usize) -> Self {
        self.body_bytes = bytes;
        self
    }

    /// Bytes that may come until the head is complete.
    pub(crate) fn until_head(self) -> usize {
        self.head_bytes.saturating_mul(2)
    }

    /// Bytes that may come after the head: the body, and a quarter of it for the framing of chunks, which takes a tenth at
    /// most unless the chunks are tiny.
    pub(crate) fn after_head(self) -> usize {
        self.body_bytes.saturating_add(self.body_bytes / 4)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
