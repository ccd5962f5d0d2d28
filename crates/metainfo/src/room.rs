//! How much is kept of what has no bound of its own: names and texts, lists of trackers, web seeds and nodes.

/// Most bytes of one name or text that are kept; file systems take 255 in a name.
const TEXT_BYTES: usize = 64 << 10;

/// As much of a name or text as is kept.
pub(crate) fn kept(text: &[u8]) -> &[u8] {
    text.get(..TEXT_BYTES).unwrap_or(text)
}

/// What is left for one list.
#[derive(Debug)]
pub(crate) struct Room {
    entries: usize,
    bytes: usize,
}

impl Room {
    /// Most entries of one list that are kept: an entry takes some ten bytes in a file and a hundred in memory.
    pub(crate) const ENTRIES: usize = 10_000;
    /// Most bytes of all of them.
    const BYTES: usize = 1 << 20;

    pub(crate) fn new() -> Self {
        Self { entries: Self::ENTRIES, bytes: Self::BYTES }
    }

    /// Takes the room for an entry, if there is as much.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.entries.checked_sub(1).zip(self.bytes.checked_sub(bytes));
        left.map(|(entries, bytes)| *self = Self { entries, bytes }).is_some()
    }
}
