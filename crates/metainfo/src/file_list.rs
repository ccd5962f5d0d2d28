//! The files of a torrent, one after the other in one block of memory: what is kept of a file is less than what the torrent
//! says of it, and a directory that follows itself is kept once.

mod writer;

pub(crate) use writer::FilesWriter;

use crate::path_issue;
use crate::path_issue::PathIssue;
use std::fmt;
use std::ops::Range;

/// One file (BEP 3 `files`, BEP 52 `file tree`), as [`Files`] hands it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File<'t> {
    /// Directories and file name, as written, of each the first 64 KiB: any bytes, hostile ones too. For a single-file torrent, its name. Empty for
    /// padding without a path.
    pub path: Vec<&'t [u8]>,
    /// Bytes; 0 for a symbolic link.
    pub length: u64,
    /// BEP 47 attributes.
    pub attributes: Attributes,
    /// BEP 47 `symlink path`: what a symbolic link points to, from the root of the torrent.
    pub symlink: Option<Vec<&'t [u8]>>,
    /// BEP 52 `pieces root`: the root of the file's merkle tree, unless it is empty or a v1 file.
    pub pieces_root: Option<[u8; 32]>,
    /// Whether its path is an earlier file's, or a directory's, when case is folded.
    pub is_duplicate: bool,
}

impl File<'_> {
    /// The path with lossy text and slashes. Controls and tricks of direction are still in it: what shows it escapes it.
    #[must_use]
    pub fn path_lossy(&self) -> String {
        let elements: Vec<_> = self.path.iter().map(|element| String::from_utf8_lossy(element)).collect();
        elements.join("/")
    }

    /// Why not to write a file under this path, each reason once, in order; of padding only that it is a duplicate.
    #[must_use]
    pub fn issues(&self) -> Vec<PathIssue> {
        let mut issues = if self.attributes.padding { Vec::new() } else { path_issue::issues(&self.path) };
        issues.extend(self.is_duplicate.then_some(PathIssue::Duplicate));
        issues
    }
}

/// The attributes of a file (BEP 47); other letters are ignored, as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// The files of a torrent in its order. A million of them take some ten bytes each beside their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Of each file: flags; its length; how many leading elements its path shares with the one before, and how many others it
    /// has, each with its length; the same of its target; its root.
    bytes: Vec<u8>,
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
/// It shares nothing with the path before, and none after it shares with it: it can be taken out.
const APART: u8 = 1 << 6;

impl Files {
    /// How many there are, padding included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many there are, padding left out.
    #[must_use]
    pub fn content_len(&self) -> usize {
        self.content_len
    }

    /// Bytes of all of them together, padding left out.
    #[must_use]
    pub fn content_size(&self) -> u64 {
        self.content_size
    }

    /// Bytes of memory that the list takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets the files themselves: from then on only the counts are known.
    pub fn forget(&mut self) {
        self.bytes = Vec::new();
    }

    /// The files in order, unless they are [forgotten](Self::forget). Each is put together when its turn comes.
    #[must_use]
    pub fn iter(&self) -> FilesIter<'_> {
        FilesIter(self.walk())
    }

    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { bytes: &self.bytes, at: 0, path: Vec::new(), apart: Vec::new() }
    }

    /// Marks the files at these places as duplicates.
    pub(crate) fn mark_duplicates(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            self.bytes.get_mut(place).into_iter().for_each(|flags| *flags |= DUPLICATE);
        }
    }

    /// Takes out padding that stands apart.
    pub(crate) fn remove_padding(&mut self, place: Range<usize>) {
        self.bytes.drain(place);
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

/// The files of a torrent, from [`Files::iter`].
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

/// A look at each file without putting it together.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'t> {
    bytes: &'t [u8],
    at: usize,
    path: Vec<&'t [u8]>,
    apart: Vec<&'t [u8]>,
}

/// One file on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    flags: u8,
    pub(crate) length: u64,
    /// How many leading elements of its path are those of the file before.
    pub(crate) shared: usize,
    /// Where it is kept, and where its target and root are.
    pub(crate) begins: usize,
    target: usize,
    pub(crate) ends: usize,
}

impl Step {
    pub(crate) fn is_padding(self) -> bool {
        self.flags & PADDING != 0
    }

    /// Whether its path has nothing to do with that of the next file.
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

    /// The path of the file that was looked at last.
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

    #[expect(clippy::cast_possible_truncation, reason = "it was a `usize` when it was written")]
    fn size(&mut self) -> usize {
        self.number() as usize
    }

    /// Seven bits a byte, the lowest first; the last byte is less than 128.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(files: &[(File<'_>, bool)]) -> Files {
        let mut writer = FilesWriter::default();
        files.iter().for_each(|(file, apart)| if *apart { writer.push_apart(file) } else { writer.push(file) });
        writer.finish()
    }

    #[test]
    fn a_directory_is_kept_once_while_files_of_it_follow() {
        let (folder, padding) = ([b'd'; 1000], Attributes { padding: true, ..Attributes::default() });
        let file = |name| (File { path: vec![&folder, name], length: 300, ..File::default() }, false);
        let pad = (File { path: vec![b".pad", b"1"], length: 1, attributes: padding, ..File::default() }, true);
        let files = written(&[file(b"a"), pad.clone(), file(b"b"), pad, file(b"c")]);
        assert!(files.memory() < 1100, "{}", files.memory());
        assert_eq!((files.len(), files.content_len(), files.content_size()), (5, 3, 900));
        let shown: Vec<String> = files.iter().map(|file| file.path_lossy().split_off(4)).collect();
        assert_eq!(shown[1..4], ["/1".to_owned(), format!("{}/b", "d".repeat(996)), "/1".to_owned()]);
    }

    proptest! {
        #[test]
        fn files_come_back_as_they_were(
            written_files in proptest::collection::vec(
                (
                    proptest::collection::vec(proptest::collection::vec(97..99_u8, 0..2), 0..4),
                    any::<(u64, bool, bool, bool)>(),
                    proptest::option::of(proptest::collection::vec(any::<Vec<u8>>(), 1..3)),
                    proptest::option::of(any::<[u8; 32]>()),
                    any::<(bool, bool)>(),
                ),
                0..20,
            )
        ) {
            let files: Vec<(File<'_>, bool)> = written_files.iter().map(|(path, of, target, root, (duplicate, apart))| {
                let &(length, padding, executable, hidden) = of;
                let file = File {
                    path: path.iter().map(Vec::as_slice).collect(),
                    length: length >> 16,
                    attributes: Attributes { padding, symlink: target.is_some(), executable, hidden },
                    symlink: target.as_ref().map(|target| target.iter().map(Vec::as_slice).collect()),
                    pieces_root: *root,
                    is_duplicate: *duplicate,
                };
                (file, *apart)
            }).collect();
            let kept = written(&files);
            prop_assert_eq!(kept.len(), files.len());
            prop_assert!(kept.iter().eq(files.into_iter().map(|(file, _)| file)));
        }
    }
}
