//! Writes a list of files.

use super::{APART, Attributes, DUPLICATE, EXECUTABLE, File, Files, HIDDEN, PADDING, ROOT, SYMLINK};
use std::ops::Range;

/// A list that is being written.
#[derive(Debug, Default)]
pub(crate) struct FilesWriter {
    files: Files,
    /// Where the elements of the last path are.
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

    /// Adds a file whose path has nothing to do with the others.
    pub(crate) fn push_apart(&mut self, file: &File<'_>) {
        self.head(file, APART, 0, file.path.len());
        for element in &file.path {
            self.element(element);
        }
        self.tail(file);
    }

    pub(crate) fn finish(mut self) -> Files {
        self.files.bytes.shrink_to_fit();
        self.files
    }

    fn is(&self, place: &Range<usize>, element: &[u8]) -> bool {
        self.files.bytes.get(place.clone()) == Some(element)
    }

    fn head(&mut self, file: &File<'_>, more: u8, shared: usize, others: usize) {
        let of = |has: bool, flag| if has { flag } else { 0 };
        let Attributes { padding, symlink: _, executable, hidden } = file.attributes;
        let flags = of(padding, PADDING) | of(executable, EXECUTABLE) | of(hidden, HIDDEN);
        let flags = flags | of(file.symlink.is_some(), SYMLINK) | of(file.pieces_root.is_some(), ROOT);
        self.files.bytes.push(flags | of(file.is_duplicate, DUPLICATE) | more);
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
        self.files.bytes.extend(file.pieces_root.iter().flatten());
    }

    fn element(&mut self, element: &[u8]) -> Range<usize> {
        self.number(element.len() as u64);
        let begins = self.files.bytes.len();
        self.files.bytes.extend_from_slice(element);
        begins..self.files.bytes.len()
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits")]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.files.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.files.bytes.push(number as u8);
    }
}
