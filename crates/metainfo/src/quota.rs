//! Bounds on what a torrent can make large: names and texts, lists of trackers, web seeds and nodes.

/// Most bytes of one name or text that are kept; file systems take 255 in a name.
const TEXT_BYTES: usize = 64 << 10;

/// The part of a name or text that is kept: its first 64 KiB.
pub(crate) fn truncated(text: &[u8]) -> &[u8] {
    text.get(..TEXT_BYTES).unwrap_or(text)
}

/// How many entries and bytes one list may still take.
#[derive(Debug)]
pub(crate) struct ListQuota {
    entries: usize,
    bytes: usize,
}

impl ListQuota {
    /// Most entries of one list: an entry takes some ten bytes in a file and a hundred in memory.
    pub(crate) const ENTRIES: usize = 10_000;
    /// Most bytes of all entries of one list.
    const BYTES: usize = 1 << 20;

    pub(crate) fn new() -> Self {
        Self { entries: Self::ENTRIES, bytes: Self::BYTES }
    }

    /// Takes an entry of `bytes` bytes from the quota; false if it does not fit.
    pub(crate) fn try_take(&mut self, bytes: usize) -> bool {
        let left = self.entries.checked_sub(1).zip(self.bytes.checked_sub(bytes));
        left.map(|(entries, bytes)| *self = Self { entries, bytes }).is_some()
    }
}
