//! The files of a v2 torrent: a tree of dictionaries (BEP 52).

use crate::diagnostic::Diagnostics;
use crate::error::{Error, Problem};
use crate::file_list::{Attributes, File};
use crate::files::{Entry, Layout, LayoutWriter, MAX_PATH_ELEMENTS, PADDING_DIRECTORY};
use crate::quota::truncated;
use bencode::{Dict, Kind, Value};

/// Most bytes of all paths written out: a directory's name is in the tree once but in the path of each file below it, so 96
/// MiB of tree could become terabytes of paths. 300,000 files, each below 10 directories, need less than this.
const MAX_PATHS_BYTES: usize = 256 << 20;
/// Memory of an element in addition to its bytes.
const ELEMENT_BYTES: usize = 64;

/// Walks the tree in wire order, without recursion. Inserts padding after each file up to the end of its last piece, as
/// libtorrent does, so that sizes and piece numbers are those of a hybrid's v1 part and those that clients show.
pub(crate) fn parse(
    tree: Dict<'_>,
    piece_length: u32,
    has_v1_list: bool,
    diagnostics: &mut Diagnostics,
) -> Result<Layout, Error> {
    let mut layout = LayoutWriter::default();
    let mut path: Vec<&[u8]> = Vec::new();
    let mut open = vec![tree.iter()];
    let mut bytes_left = MAX_PATHS_BYTES;
    while let Some(entries) = open.last_mut() {
        let Some((name, value)) = entries.next() else {
            open.pop();
            path.pop();
            continue;
        };
        path.push(truncated(name));
        let node = node(name, value, &path)?;
        if let Some(leaf) = leaf(node) {
            let too_much =
                || Error::field(shown(&path), Problem::TooMuchPath { limit: MAX_PATHS_BYTES }, value.offset());
            bytes_left = bytes_left.checked_sub(written_out(&path)).ok_or_else(too_much)?;
            let file = file(leaf, &path, diagnostics)?;
            layout.push(&file, || shown(&path), value.offset())?;
            align(&mut layout, piece_length, &path, value.offset())?;
            path.pop();
        } else if open.len() > MAX_PATH_ELEMENTS {
            return Err(Error::field(shown(&path), Problem::TooDeep { limit: MAX_PATH_ELEMENTS }, value.offset()));
        } else {
            open.push(node.iter());
        }
    }
    Ok(layout.finish(!has_v1_list && is_single(tree)))
}

fn node<'d>(name: &[u8], value: Value<'d>, path: &[&[u8]]) -> Result<Dict<'d>, Error> {
    // The empty name is reserved for the dictionary of a file.
    if name.is_empty() {
        return Err(Error::field(shown(path), Problem::Empty, value.offset()));
    }
    let mistyped = || Problem::mistyped(value, Kind::Dict);
    value.as_dict().ok_or_else(|| Error::field(shown(path), mistyped(), value.offset()))
}

/// Calls `file` with the dictionary of each file of a tree that [`parse`] accepts, in its order.
pub(crate) fn each_file<'d>(tree: Dict<'d>, mut file: impl FnMut(Value<'d>)) {
    let mut open = vec![tree.iter()];
    while let Some(entries) = open.last_mut() {
        match entries.next().map(|(_, node)| node.as_dict()) {
            None => _ = open.pop(),
            Some(node) => match node.map(|node| (node, leaf(node))) {
                Some((_, Some(leaf))) => file(leaf),
                Some((node, None)) => open.push(node.iter()),
                None => {}
            },
        }
    }
}

/// The value under the empty name, if it is the only entry: then the node is a file.
fn leaf(node: Dict<'_>) -> Option<Value<'_>> {
    let mut entries = node.iter();
    match (entries.next(), entries.next()) {
        (Some((b"", value)), None) => Some(value),
        _ => None,
    }
}

/// Whether the tree is a single file without a directory.
fn is_single(tree: Dict<'_>) -> bool {
    let mut entries = tree.iter();
    match (entries.next(), entries.next()) {
        (Some((_, value)), None) => value.as_dict().and_then(leaf).is_some(),
        _ => false,
    }
}

fn file<'d>(leaf: Value<'d>, path: &[&'d [u8]], diagnostics: &mut Diagnostics) -> Result<File<'d>, Error> {
    let at = || shown(path);
    let mistyped = || Problem::mistyped(leaf, Kind::Dict);
    let dict = leaf.as_dict().ok_or_else(|| Error::field(at(), mistyped(), leaf.offset()))?;
    let entry = Entry::read(dict, &at, diagnostics)?;
    if entry.attributes.padding {
        return Err(Error::field(at(), Problem::V2Padding, leaf.offset()));
    }
    let pieces_root = if entry.length > 0 { Some(pieces_root(dict, &at)?) } else { None };
    let mut file = entry.file(path.to_vec());
    // BitComet's names of padding files have no meaning in v2.
    file.attributes.padding = false;
    Ok(File { pieces_root, ..file })
}

fn pieces_root(dict: Dict<'_>, at: &dyn Fn() -> String) -> Result<[u8; 32], Error> {
    let root = dict.bytes("pieces root").map_err(|error| Error::in_dict(&at(), error))?;
    // No data has a hash of zeros; they would mean that there is no tree.
    let root = <[u8; 32]>::try_from(root).ok().filter(|root| *root != [0; 32]);
    let offset = || dict.get(b"pieces root").map_or(0, Value::offset);
    root.ok_or_else(|| Error::field(format!("{}.pieces root", at()), Problem::NotARoot, offset()))
}

/// Adds padding up to the end of a piece.
fn align(layout: &mut LayoutWriter, piece_length: u32, path: &[&[u8]], offset: usize) -> Result<(), Error> {
    let piece_length = u64::from(piece_length);
    let Some(used) = layout.total.checked_rem(piece_length).filter(|&used| used > 0) else { return Ok(()) };
    let length = piece_length - used;
    let (name, attributes) = (length.to_string(), Attributes { padding: true, ..Attributes::default() });
    let padding =
        File { path: vec![PADDING_DIRECTORY.as_bytes(), name.as_bytes()], length, attributes, ..File::default() };
    layout.push_apart(&padding, || shown(path), offset)
}

/// Memory that a path takes when written out.
fn written_out(path: &[&[u8]]) -> usize {
    path.iter().map(|element| element.len() + ELEMENT_BYTES).sum()
}

/// The path of a field in the tree for an error message; long names are cut.
fn shown(path: &[&[u8]]) -> String {
    /// Bytes of one name that are shown.
    const SHOWN: usize = 64;
    let mut shown = "info.file tree".to_owned();
    for element in path {
        shown.push('.');
        shown.extend(element.get(..SHOWN).unwrap_or(element).escape_ascii().map(char::from));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    const ROOT: &str = "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr";

    fn leaf(length: u64) -> String {
        format!("d0:d6:lengthi{length}e11:pieces root32:{ROOT}ee")
    }

    fn tree(written: &str) -> Result<Layout, String> {
        let limits = Limits::TORRENT.with_bytes(Limits::MAX_BYTES);
        let document = Document::parse_strict(written.as_bytes(), limits).unwrap();
        let root = document.root().as_dict().unwrap();
        parse(root, 16384, false, &mut Diagnostics::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_padded_to_pieces() {
        let layout = tree(&format!("d1:a{}1:bd1:c{}e1:dd0:d6:lengthi0eeee", leaf(5), leaf(16384))).unwrap();
        let found: Vec<(String, u64, bool)> =
            layout.files.iter().map(|file| (file.path_lossy(), file.length, file.attributes.padding)).collect();
        assert_eq!(
            found,
            [
                ("a".into(), 5, false),
                (".pad/16379".into(), 16379, true),
                ("b/c".into(), 16384, false),
                ("d".into(), 0, false)
            ]
        );
        assert_eq!((layout.total, layout.single), (32768, false));
        assert!(tree(&format!("d1:a{}e", leaf(1))).unwrap().single);
    }

    #[test]
    fn a_long_directory_name_above_many_files_is_refused() {
        let files: String = (0..5000).map(|number| format!("4:{number:04}d0:d6:lengthi0eee")).collect();
        let name = "n".repeat(60_000);
        let error = tree(&format!("d{}:{name}d{files}ee", name.len())).unwrap_err();
        assert!(error.contains("paths of more than 268435456 bytes altogether"));
    }

    #[test]
    fn invalid_trees_are_refused_for_their_fault() {
        let deep = format!("{}{}{}", "d1:d".repeat(102), leaf(1), "e".repeat(102));
        assert!(tree(&deep).unwrap_err().contains("more than 100 path elements"));
        for (written, error) in [
            (leaf(5), "info.file tree.: empty (at byte 3)"),
            ("d1:ai5ee".into(), "info.file tree.a: expected dictionary, found integer (at byte 4)"),
            ("d1:ad0:i5eee".into(), "info.file tree.a: expected dictionary, found integer (at byte 7)"),
            ("d1:ad0:d6:lengthi5eeee".into(), "info.file tree.a.pieces root: missing (at byte 7)"),
            (
                "d1:ad0:d6:lengthi5e11:pieces root1:xeee".into(),
                "info.file tree.a.pieces root: not a merkle root (at byte 33)",
            ),
            ("d1:ad0:d6:lengthi-5eeee".into(), "info.file tree.a.length: negative (at byte 16)"),
            ("d1:ad0:d4:attr1:p6:lengthi5eeee".into(), "info.file tree.a: padding in a v2 file tree (at byte 7)"),
        ] {
            assert_eq!(tree(&written).unwrap_err(), error, "{written}");
        }
    }
}
