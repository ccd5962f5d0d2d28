//! The files of a torrent in one block of memory, which is smaller than the torrent's own list: a path stores only the
//! elements that differ from the path before it.

pub(crate) mod writer;

use crate::path_issue::{self, PathIssue};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One file (BEP 3 `files`, BEP 52 `file tree`), from [`Files::iter`]. More fields may be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct File<'t> {
    /// Directories and file name as written, the first 64 KiB of each: any bytes, also hostile ones. For a single-file
    /// torrent, its name. Empty for padding without a path.
    pub path: Vec<&'t [u8]>,
    /// Bytes; 0 for a symbolic link.
    pub length: u64,
    /// BEP 47 attributes.
    pub attributes: Attributes,
    /// BEP 47 `symlink path`: the target of a symbolic link, from the root of the torrent.
    pub symlink: Option<Vec<&'t [u8]>>,
    /// BEP 52 `pieces root`: the root of the file's merkle tree; `None` for an empty file or a v1 torrent.
    pub pieces_root: Option<[u8; 32]>,
    /// Whether its path is that of an earlier file or a directory, ignoring case.
    pub is_duplicate: bool,
}

impl File<'_> {
    /// The path joined with slashes, with what is not UTF-8 replaced. It may contain control characters: escape it for display.
    #[must_use]
    pub fn path_lossy(&self) -> String {
        let elements: Vec<_> = self.path.iter().map(|element| String::from_utf8_lossy(element)).collect();
        elements.join("/")
    }

    /// Reasons not to write a file under this path, each once, in order; for padding only that it is a duplicate.
    #[must_use]
    pub fn issues(&self) -> Vec<PathIssue> {
        let mut issues = if self.attributes.padding { Vec::new() } else { path_issue::issues(&self.path) };
        issues.extend(self.is_duplicate.then_some(PathIssue::Duplicate));
        issues
    }
}

/// The attributes of a file (BEP 47). Unknown letters are ignored, as BEP 47 requires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attributes {
    /// `p`: zeros that align the next file to a piece.
    pub padding: bool,
    /// `l`: a symbolic link.
    pub symlink: bool,
    /// `x`: executable.
    pub executable: bool,
    /// `h`: hidden.
    pub hidden: bool,
}

/// The files of a torrent, in its order. A file takes about ten bytes in addition to its name. Cheap to clone; clones share the
/// list until one of them [forgets](Self::forget) it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// For each file: flags; length; the number of leading elements that its path shares with the path before, and the number
    /// of others, each with its length and bytes; the number of elements of its target, in the same form; its root. Numbers
    /// have seven bits a byte.
    bytes: Arc<Vec<u8>>,
    len: usize,
    content_len: usize,
    content_size: u64,
}

const PADDING: u8 = 1;
const SYMLINK: u8 = 1 << 1;
const EXECUTABLE: u8 = 1 << 2;
const HIDDEN: u8 = 1 << 3;
const ROOT: u8 = 1 << 4;
const DUPLICATE: u8 = 1 << 5;
/// Its path shares nothing with the path before, and the next path shares nothing with it: the file can be removed.
const APART: u8 = 1 << 6;

impl Files {
    /// The number of files, padding included; also known after [`forget`](Self::forget).
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of files, without padding.
    #[must_use]
    pub fn content_len(&self) -> usize {
        self.content_len
    }

    /// Bytes of all files together, without padding.
    #[must_use]
    pub fn content_size(&self) -> u64 {
        self.content_size
    }

    /// Bytes of memory that the list takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Frees the list, unless a clone has it too. The counts and sizes remain known.
    pub fn forget(&mut self) {
        self.bytes = Arc::default();
    }

    /// Iterates over the files, in order; over none after [`forget`](Self::forget). Each [`File`] is built when it is reached.
    #[must_use]
    pub fn iter(&self) -> FilesIter<'_> {
        FilesIter(self.walk())
    }

    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { bytes: &self.bytes, at: 0, path: Vec::new(), apart: Vec::new() }
    }

    /// Marks the files at these offsets in the list as duplicates.
    pub(crate) fn mark_duplicates(&mut self, places: impl IntoIterator<Item = usize>) {
        let bytes = Arc::make_mut(&mut self.bytes);
        for place in places {
            bytes.get_mut(place).into_iter().for_each(|flags| *flags |= DUPLICATE);
        }
    }

    /// Removes a padding file whose path shares nothing with others.
    pub(crate) fn remove_padding(&mut self, place: Range<usize>) {
        Arc::make_mut(&mut self.bytes).drain(place);
        self.len -= 1;
    }
}

impl<'t> IntoIterator for &'t Files {
    type Item = File<'t>;
    type IntoIter = FilesIter<'t>;

    fn into_iter(self) -> FilesIter<'t> {
        self.iter()
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Iterator over the files of a torrent, from [`Files::iter`].
#[derive(Clone, Debug)]
pub struct FilesIter<'t>(Walk<'t>);

impl<'t> Iterator for FilesIter<'t> {
    type Item = File<'t>;

    fn next(&mut self) -> Option<File<'t>> {
        let step = self.0.next()?;
        let has = |flag| step.flags & flag != 0;
        Some(File {
            path: self.0.path(step).to_vec(),
            length: step.length,
            attributes: Attributes {
                padding: has(PADDING),
                symlink: has(SYMLINK),
                executable: has(EXECUTABLE),
                hidden: has(HIDDEN),
            },
            symlink: has(SYMLINK).then(|| self.0.target(step)),
            pieces_root: self.0.root(step),
            is_duplicate: has(DUPLICATE),
        })
    }
}

/// Walks over the files without building each [`File`].
#[derive(Clone, Debug)]
pub(crate) struct Walk<'t> {
    bytes: &'t [u8],
    at: usize,
    path: Vec<&'t [u8]>,
    apart: Vec<&'t [u8]>,
}

/// One file of a [`Walk`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    flags: u8,
    pub(crate) length: u64,
    /// The number of leading elements that its path shares with the path before.
    pub(crate) shared: usize,
    /// Offset of its entry in the list.
    pub(crate) begins: usize,
    target: usize,
    pub(crate) ends: usize,
}

impl Step {
    pub(crate) fn is_padding(self) -> bool {
        self.flags & PADDING != 0
    }

    /// Whether its path shares nothing with the paths before and after.
    pub(crate) fn is_apart(self) -> bool {
        self.flags & APART != 0
    }
}

impl<'t> Walk<'t> {
    pub(crate) fn next(&mut self) -> Option<Step> {
        let begins = self.at;
        let flags = *self.bytes.get(begins)?;
        self.at += 1;
        let (length, shared, count) = (self.number(), self.size(), self.size());
        let mut path = std::mem::take(if flags & APART != 0 { &mut self.apart } else { &mut self.path });
        path.truncate(shared);
        path.extend((0..count).map(|_| self.element()));
        *(if flags & APART != 0 { &mut self.apart } else { &mut self.path }) = path;
        let target = self.at;
        if flags & SYMLINK != 0 {
            for _ in 0..self.size() {
                self.element();
            }
        }
        self.at += if flags & ROOT != 0 { 32 } else { 0 };
        Some(Step { flags, length, shared, begins, target, ends: self.at })
    }

    /// The path of the last file.
    pub(crate) fn path(&self, step: Step) -> &[&'t [u8]] {
        if step.is_apart() { &self.apart } else { &self.path }
    }

    fn target(&self, step: Step) -> Vec<&'t [u8]> {
        let mut there = Walk { bytes: self.bytes, at: step.target, path: Vec::new(), apart: Vec::new() };
        (0..there.size()).map(|_| there.element()).collect()
    }

    pub(crate) fn root(&self, step: Step) -> Option<[u8; 32]> {
        let root = self.bytes.get(..step.ends).and_then(|bytes| bytes.last_chunk());
        root.filter(|_| step.flags & ROOT != 0).copied()
    }

    fn element(&mut self) -> &'t [u8] {
        let length = self.size();
        let element = self.bytes.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        element
    }

    #[expect(clippy::cast_possible_truncation, reason = "it was written as a `usize`")]
    fn size(&mut self) -> usize {
        self.number() as usize
    }

    /// Seven bits a byte, lowest first; the last byte is less than 128.
    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
}
