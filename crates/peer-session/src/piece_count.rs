//! The number of pieces, which may become known in the middle of a run.

use std::sync::{Arc, OnceLock};

/// How many pieces the torrent has, once that is known. Clones share it.
///
/// A magnet link does not say; its metadata may come while peers are listened to.
#[derive(Clone, Debug, Default)]
pub struct PieceCount(Arc<OnceLock<u32>>);

impl PieceCount {
    /// The number, if it is known by now.
    #[must_use]
    pub fn get(&self) -> Option<u32> {
        self.0.get().copied()
    }

    /// Notes the number; `false` when another one is known already, which stays.
    pub fn learn(&self, pieces: u32) -> bool {
        *self.0.get_or_init(|| pieces) == pieces
    }
}

impl From<Option<u32>> for PieceCount {
    fn from(pieces: Option<u32>) -> Self {
        Self(Arc::new(pieces.map_or_else(OnceLock::new, OnceLock::from)))
    }
}
