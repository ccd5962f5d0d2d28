//! The files of a v1 torrent: a `length`, or a list `files` (BEP 3, 47).

use crate::diagnostic::Diagnostics;
use crate::error::{Error, Problem};
use crate::file_list::writer::FilesWriter;
use crate::file_list::{Attributes, File, Files};
use crate::quota::truncated;
use crate::safe_name::{safe_element, safe_name};
use bencode::{Dict, FieldError, FieldProblem, Kind, List, Value};

/// Largest file: libtorrent counts a file's 16 KiB blocks in half the range of an `int`, which is 16 TiB.
const MAX_FILE_BYTES: i64 = ((i32::MAX / 2) as i64) * BLOCK_BYTES - 1;
/// Most bytes of all files together, as in libtorrent: its offsets have 48 bits.
const MAX_TOTAL_BYTES: u64 = (1 << 48) - 1;
/// Most elements of a path, as in libtorrent.
pub(crate) const MAX_PATH_ELEMENTS: usize = 100;
/// The directory in which libtorrent puts padding without a path, under its length: beside the torrent's own directory.
pub(crate) const PADDING_DIRECTORY: &str = ".pad";
/// A block, the leaf of v2's merkle trees (BEP 52).
pub(crate) const BLOCK_BYTES: i64 = 16 << 10;

/// The files in order, and their total size.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) files: Files,
    pub(crate) total: u64,
    /// Whether it is a single file, which is not in a directory named after the torrent.
    pub(crate) single: bool,
}

/// Builds a [`Layout`].
#[derive(Debug, Default)]
pub(crate) struct LayoutWriter {
    files: FilesWriter,
    pub(crate) total: u64,
}

impl LayoutWriter {
    pub(crate) fn push(&mut self, file: &File<'_>, at: impl FnOnce() -> String, offset: usize) -> Result<(), Error> {
        self.add(file.length, at, offset)?;
        self.files.push(file);
        Ok(())
    }

    /// Adds a file whose path shares nothing with those of the others.
    pub(crate) fn push_apart(
        &mut self,
        file: &File<'_>,
        at: impl FnOnce() -> String,
        offset: usize,
    ) -> Result<(), Error> {
        self.add(file.length, at, offset)?;
        self.files.push_apart(file);
        Ok(())
    }

    fn add(&mut self, length: u64, at: impl FnOnce() -> String, offset: usize) -> Result<(), Error> {
        let total = self.total.checked_add(length).filter(|&total| total <= MAX_TOTAL_BYTES);
        self.total = total.ok_or_else(|| Error::field(at(), Problem::OUT_OF_RANGE, offset))?;
        Ok(())
    }

    pub(crate) fn finish(self, single: bool) -> Layout {
        Layout { files: self.files.finish(), total: self.total, single }
    }
}

/// The v1 files. If there are both `files` and `length`, `files` is used, as in libtorrent.
pub(crate) fn parse(info: Dict<'_>, name: &[u8], diagnostics: &mut Diagnostics) -> Result<Layout, Error> {
    match info.get(b"files").and_then(Value::as_list) {
        Some(list) => several(list, name, diagnostics),
        None => single(info, name, diagnostics),
    }
}

fn single(info: Dict<'_>, name: &[u8], diagnostics: &mut Diagnostics) -> Result<Layout, Error> {
    let at = || "info".to_owned();
    // The name is the whole path, so something must be left of it.
    if name.is_empty() || safe_name(name).is_none() {
        return Err(Error::field("info.name", Problem::Empty, info.value().offset()));
    }
    let entry = Entry::read(info, &at, diagnostics)?;
    let mut layout = LayoutWriter::default();
    layout.push(&entry.file(vec![name]), at, info.value().offset())?;
    Ok(layout.finish(true))
}

fn several(list: List<'_>, name: &[u8], diagnostics: &mut Diagnostics) -> Result<Layout, Error> {
    let mut layout = LayoutWriter::default();
    // The name is the first element of every path, so if it marks padding, all files are padding.
    let all_padding = marks_padding(name);
    for (index, file) in list.iter().enumerate() {
        let at = || format!("info.files[{index}]");
        let Some(file) = file.as_dict() else {
            let problem = Problem::mistyped(file, Kind::Dict);
            return Err(Error::field(at(), problem, file.offset()));
        };
        let mut entry = Entry::read(file, &at, diagnostics)?;
        let path = path(file, entry.attributes.padding, &at, diagnostics)?;
        entry.attributes.padding |= all_padding;
        layout.push(&entry.file(path), at, file.value().offset())?;
    }
    Ok(layout.finish(false))
}

/// The fields of a file other than its path, in v1 and v2.
pub(crate) struct Entry<'d> {
    pub(crate) length: u64,
    pub(crate) attributes: Attributes,
    pub(crate) symlink: Option<Vec<&'d [u8]>>,
}

impl<'d> Entry<'d> {
    pub(crate) fn read(file: Dict<'d>, at: &dyn Fn() -> String, diagnostics: &mut Diagnostics) -> Result<Self, Error> {
        let mut attributes = attributes(file, at, diagnostics);
        // BEP 47: a symbolic link has no content, even if a length is given.
        let length = if attributes.symlink { 0 } else { length(file, at, diagnostics)? };
        let symlink = if attributes.symlink { symlink(file, at, diagnostics)? } else { None };
        attributes.symlink = symlink.is_some();
        Ok(Self { length, attributes, symlink })
    }

    pub(crate) fn file(self, path: Vec<&'d [u8]>) -> File<'d> {
        let Self { length, mut attributes, symlink } = self;
        attributes.padding |= path.iter().any(|element| marks_padding(element));
        File { path, length, attributes, symlink, ..File::default() }
    }
}

/// Whether a path element marks its file as padding, as BitComet did before BEP 47. libtorrent looks for the mark in the name
/// that it would write to disk.
fn marks_padding(element: &[u8]) -> bool {
    const MARK: &str = "_____padding_file_";
    element.len() >= MARK.len() && safe_element(element).contains(MARK)
}

fn attributes(file: Dict<'_>, at: &dyn Fn() -> String, diagnostics: &mut Diagnostics) -> Attributes {
    let Some(value) = file.get(b"attr") else { return Attributes::default() };
    let Some(letters) = value.as_bytes() else {
        ignored(diagnostics, at, "attr", Kind::String, value);
        return Attributes::default();
    };
    let has = |letter| letters.contains(&letter);
    Attributes { padding: has(b'p'), symlink: has(b'l'), executable: has(b'x'), hidden: has(b'h') }
}

fn length(file: Dict<'_>, at: &dyn Fn() -> String, diagnostics: &mut Diagnostics) -> Result<u64, Error> {
    let offset = || file.get(b"length").map_or(0, Value::offset);
    let length = match file.int("length") {
        // libtorrent reads a number outside `i64`, or whose negation is, as 0.
        Ok(i64::MIN) | Err(FieldError { problem: FieldProblem::OutOfRange, .. }) => {
            diagnostics.ignored(|| format!("{}.length", at()), Problem::OUT_OF_RANGE, offset());
            return Ok(0);
        }
        found => found.map_err(|error| Error::in_dict(&at(), error))?,
    };
    let problem = |problem| Error::field(format!("{}.length", at()), problem, offset());
    if length > MAX_FILE_BYTES {
        return Err(problem(Problem::OUT_OF_RANGE));
    }
    u64::try_from(length).map_err(|_| problem(Problem::Negative))
}

/// The target of a symbolic link; without a target it is an empty file.
fn symlink<'d>(
    file: Dict<'d>,
    at: &dyn Fn() -> String,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Vec<&'d [u8]>>, Error> {
    let offset = file.value().offset();
    let Some(value) = file.get(b"symlink path") else {
        diagnostics.ignored(|| format!("{}.symlink path", at()), Problem::MISSING, offset);
        return Ok(None);
    };
    let Some(list) = value.as_list() else {
        ignored(diagnostics, at, "symlink path", Kind::List, value);
        return Ok(None);
    };
    let mut target = elements(list, &|| format!("{}.symlink path", at()))?;
    // BEP 47 forbids `.` and `..`; libtorrent drops them.
    target.retain(|element| !matches!(*element, b"." | b".."));
    if target.is_empty() {
        diagnostics.ignored(|| format!("{}.symlink path", at()), Problem::Empty, value.offset());
        return Ok(None);
    }
    Ok(Some(target))
}

fn path<'d>(
    file: Dict<'d>,
    padding: bool,
    at: &dyn Fn() -> String,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<&'d [u8]>, Error> {
    let utf8 = file.get(b"path.utf-8");
    if let Some(value) = utf8.filter(|value| value.as_list().is_none()) {
        ignored(diagnostics, at, "path.utf-8", Kind::List, value);
    }
    let list = match utf8.and_then(Value::as_list).map_or_else(|| file.list("path"), Ok) {
        Ok(list) => list,
        // BEP 47: padding files need no path.
        Err(_) if padding => return Ok(Vec::new()),
        Err(error) => return Err(Error::in_dict(&at(), error)),
    };
    let path = elements(list, &|| format!("{}.path", at()))?;
    if path.is_empty() && !padding {
        return Err(Error::field(format!("{}.path", at()), Problem::Empty, list.value().offset()));
    }
    Ok(path)
}

fn elements<'d>(list: List<'d>, at: &dyn Fn() -> String) -> Result<Vec<&'d [u8]>, Error> {
    let mut elements = Vec::new();
    for (index, element) in list.iter().enumerate() {
        if index >= MAX_PATH_ELEMENTS {
            let problem = Problem::TooDeep { limit: MAX_PATH_ELEMENTS };
            return Err(Error::field(at(), problem, list.value().offset()));
        }
        let Some(bytes) = element.as_bytes() else {
            let problem = Problem::mistyped(element, Kind::String);
            return Err(Error::field(format!("{}[{index}]", at()), problem, element.offset()));
        };
        elements.push(truncated(bytes));
    }
    Ok(elements)
}

fn ignored(diagnostics: &mut Diagnostics, at: &dyn Fn() -> String, key: &str, expected: Kind, value: Value<'_>) {
    let problem = Problem::mistyped(value, expected);
    diagnostics.ignored(|| format!("{}.{key}", at()), problem, value.offset());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_issue::PathIssue;
    use bencode::{Document, Limits};

    fn files(written: &str) -> Result<(Files, Vec<String>), String> {
        let text = format!("d5:files{written}e");
        let document = Document::parse_lenient(text.as_bytes(), Limits::TORRENT).unwrap();
        let mut diagnostics = Diagnostics::default();
        let layout = parse(document.root().as_dict().unwrap(), b"n", &mut diagnostics);
        let shown = diagnostics.first().iter().map(ToString::to_string).collect();
        layout.map(|layout| (layout.files, shown)).map_err(|error| error.to_string())
    }

    #[test]
    fn attributes_and_links() {
        let (found, notes) =
            files("ld4:attr2:xh6:lengthi1e4:pathl1:aeed4:attr1:l4:pathl1:b2:..e12:symlink pathl2:..1:aeee").unwrap();
        let found: Vec<File<'_>> = found.iter().collect();
        assert!(found[0].attributes.executable && found[0].attributes.hidden);
        assert_eq!(found[1].symlink, Some(vec![&b"a"[..]]));
        assert_eq!((found[1].length, found[1].issues()), (0, vec![PathIssue::Dots]));
        assert_eq!(notes, [""; 0]);
        let (found, notes) = files("ld4:attr1:l4:pathl1:beed4:attri1e6:lengthi1e4:pathl1:aeee").unwrap();
        assert!(found.iter().all(|file| !file.attributes.symlink));
        assert_eq!(
            notes,
            [
                "info.files[0].symlink path: missing, ignored (at byte 9)",
                "info.files[1].attr: expected string, found integer, ignored (at byte 38)",
            ]
        );
    }

    #[test]
    fn padding_needs_no_path_and_utf8_paths_take_precedence() {
        let (found, _) = files("ld4:attr1:p6:lengthi9eed6:lengthi1e4:pathl1:ae10:path.utf-8l1:beee").unwrap();
        let found: Vec<File<'_>> = found.iter().collect();
        assert!(found[0].attributes.padding && found[0].path.is_empty());
        assert_eq!(found[1].path, [b"b"]);
    }

    #[test]
    fn padding_of_bitcomet_is_recognised_in_the_safe_name() {
        let padding = |name: &str, element: &str| {
            let list = format!("d5:filesld6:lengthi9e4:pathl{}:{element}eeee", element.len());
            let document = Document::parse_lenient(list.as_bytes(), Limits::TORRENT).unwrap();
            let dict = document.root().as_dict().unwrap();
            let layout = parse(dict, name.as_bytes(), &mut Diagnostics::default()).unwrap();
            layout.files.iter().all(|file| file.attributes.padding)
        };
        let cut = "x".repeat(240) + "_____padding_file_0_";
        for (name, element, found) in [
            ("n", "_____padding_file_0_", true),
            ("n", "x_____padding_file_0_", true),
            ("n", "____/_padding_file_", true),
            ("n", cut.as_str(), false),
            ("_____padding_file_", "a", true),
        ] {
            assert_eq!(padding(name, element), found, "{name} {element}");
        }
    }

    #[test]
    fn a_length_outside_64_bits_is_read_as_zero() {
        for number in ["18446744073709551615", "9223372036854775808", "-9223372036854775808"] {
            let (found, notes) = files(&format!("ld6:lengthi{number}e4:pathl1:aeee")).unwrap();
            assert!(found.iter().all(|file| file.length == 0));
            assert_eq!(notes, ["info.files[0].length: out of range, ignored (at byte 18)"]);
        }
    }

    #[test]
    fn paths_deeper_than_libtorrent_accepts_are_refused() {
        let deep = |elements| format!("ld6:lengthi1e4:pathl{}eee", "1:d".repeat(elements));
        assert!(files(&deep(100)).is_ok());
        assert_eq!(files(&deep(101)).unwrap_err(), "info.files[0].path: more than 100 path elements (at byte 27)");
    }
}
