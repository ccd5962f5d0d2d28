//! How much a tracker may send.

/// Upper bounds on one reply; exceeding one is an error of its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of head accepted; also bounds what is read ahead of the body. Twice as many may come until the head is complete:
    /// one head, what is read ahead, and whatever interim replies precede it.
    pub head_bytes: usize,
    /// Header lines accepted; real trackers send under 20, a proxy in front may add as many.
    pub head_lines: usize,
    /// Bytes of body accepted, and as many again once a compressed one is inflated. 5,000 dictionary peers are 400 KB;
    /// libtorrent takes 1 MiB.
    pub body_bytes: usize,
}

impl Limits {
    /// What suits real trackers.
    pub const DEFAULT: Self = Self { head_bytes: 64 << 10, head_lines: 100, body_bytes: 2 << 20 };

    /// Bytes that may come until the head is complete.
    pub(crate) fn until_head(self) -> usize {
        self.head_bytes.saturating_mul(2)
    }

    /// Bytes that may come after the head: the body, and a quarter of it for the framing of its chunks, which takes up a tenth
    /// at most when they are not absurdly small.
    pub(crate) fn after_head(self) -> usize {
        self.body_bytes.saturating_add(self.body_bytes / 4)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
