//! A part of a file that is asked for.

use metainfo::File;
use web_seed::ByteRange;

/// A part of a file that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    /// Its directories and its name.
    pub(crate) path: Vec<Vec<u8>>,
    pub(crate) range: ByteRange,
}

impl PlannedFile {
    /// `count` bytes of `file` from `first` on.
    pub(crate) fn part(file: &File<'_>, first: u64, count: u64) -> Option<Self> {
        let path = file.path.iter().map(|element| element.to_vec()).collect();
        Some(Self { path, range: ByteRange::new(first, count, file.length)? })
    }

    /// Its path, as it is shown.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.path.join(&b'/')).into_owned()
    }

    /// Its path, as a URL is made from it.
    pub(crate) fn path(&self) -> Vec<&[u8]> {
        self.path.iter().map(Vec::as_slice).collect()
    }
}
