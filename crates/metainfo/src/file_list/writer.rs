//! Builds a list of files.

use super::{APART, Attributes, DUPLICATE, EXECUTABLE, File, Files, HIDDEN, PADDING, ROOT, SYMLINK};
use std::ops::Range;
use std::sync::Arc;

/// Builds a [`Files`].
#[derive(Debug, Default)]
pub(crate) struct FilesWriter {
    /// All but the list itself.
    files: Files,
    bytes: Vec<u8>,
    /// The ranges of the last path's elements in the list.
    last: Vec<Range<usize>>,
}

impl FilesWriter {
    pub(crate) fn push(&mut self, file: &File<'_>) {
        let shared = self.last.iter().zip(&file.path).take_while(|(place, element)| self.is(place, element)).count();
        self.last.truncate(shared);
        let rest = file.path.get(shared..).unwrap_or_default();
        self.head(file, 0, shared, rest.len());
        for element in rest {
            let place = self.element(element);
            self.last.push(place);
        }
        self.tail(file);
    }

    /// Adds a file whose path shares nothing with the others.
    pub(crate) fn push_apart(&mut self, file: &File<'_>) {
        self.head(file, APART, 0, file.path.len());
        for element in &file.path {
            self.element(element);
        }
        self.tail(file);
    }

    pub(crate) fn finish(mut self) -> Files {
        self.bytes.shrink_to_fit();
        self.files.bytes = Arc::new(self.bytes);
        self.files
    }

    fn is(&self, place: &Range<usize>, element: &[u8]) -> bool {
        self.bytes.get(place.clone()) == Some(element)
    }

    fn head(&mut self, file: &File<'_>, more: u8, shared: usize, others: usize) {
        let of = |has: bool, flag| if has { flag } else { 0 };
        let Attributes { padding, symlink: _, executable, hidden } = file.attributes;
        let flags = of(padding, PADDING) | of(executable, EXECUTABLE) | of(hidden, HIDDEN);
        let flags = flags | of(file.symlink.is_some(), SYMLINK) | of(file.pieces_root.is_some(), ROOT);
        self.bytes.push(flags | of(file.is_duplicate, DUPLICATE) | more);
        self.number(file.length);
        self.number(shared as u64);
        self.number(others as u64);
        self.files.len += 1;
        if !padding {
            self.files.content_len += 1;
            self.files.content_size += file.length;
        }
    }

    fn tail(&mut self, file: &File<'_>) {
        if let Some(target) = &file.symlink {
            self.number(target.len() as u64);
            for element in target {
                self.element(element);
            }
        }
        self.bytes.extend(file.pieces_root.iter().flatten());
    }

    fn element(&mut self, element: &[u8]) -> Range<usize> {
        self.number(element.len() as u64);
        let begins = self.bytes.len();
        self.bytes.extend_from_slice(element);
        begins..self.bytes.len()
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits")]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
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
    fn a_directory_is_stored_once_for_the_files_that_follow() {
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
        fn files_are_read_as_they_were_written(
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
