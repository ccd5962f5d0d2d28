//! Writes canonical bencode: containers are closed automatically, keys are sorted, duplicate keys are errors.

use crate::value::{DictIter, Kind, ListIter, Value};
use std::io::Write;
use std::ops::Range;

/// Writes one value in the canonical form of BEP 3: keys "must be strings and appear in sorted order".
///
/// ```
/// let bytes = bencode::Encoder::encode(|value| {
///     value.dict(|dict| {
///         dict.entry(b"port").int(6881);
///         dict.entry(b"ip").bytes(b"127.0.0.1");
///     });
/// })?;
/// assert_eq!(bytes, b"d2:ip9:127.0.0.14:porti6881ee");
/// # Ok::<(), bencode::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct Encoder<'o> {
    output: &'o mut Output,
}

/// Why the input has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A dictionary has the same key twice.
    #[error("duplicate key {:?}", String::from_utf8_lossy(.0))]
    DuplicateKey(Vec<u8>),
    /// A dictionary entry, or the root, has no value.
    #[error("missing value")]
    MissingValue,
    /// An integer of a lenient document that does not fit `i64`.
    #[error("integer out of range")]
    IntegerOutOfRange,
}

/// Bytes that are allocated at first: most messages of peers and nodes fit.
const USUAL: usize = 128;

#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    /// Those of the dictionaries that are open, the outermost first.
    entries: Vec<Entry>,
    failed: Option<EncodeError>,
}

impl Encoder<'_> {
    /// Runs `write`, which writes exactly one value, and returns its bytes.
    ///
    /// # Errors
    /// The first reason why there is no canonical form.
    pub fn encode(write: impl FnOnce(Encoder<'_>)) -> Result<Vec<u8>, EncodeError> {
        let mut output = Output { bytes: Vec::with_capacity(USUAL), ..Output::default() };
        write(Encoder { output: &mut output });
        if output.bytes.is_empty() {
            output.fail(EncodeError::MissingValue);
        }
        output.failed.map_or(Ok(output.bytes), Err)
    }

    /// Writes an integer.
    pub fn int(self, number: i64) {
        self.output.int(number);
    }

    /// Writes a string, any bytes.
    pub fn bytes(self, bytes: &[u8]) {
        self.output.string(bytes);
    }

    /// Writes a list of the items that `write` adds.
    pub fn list(self, write: impl FnOnce(&mut ListEncoder<'_>)) {
        self.output.bytes.push(b'l');
        write(&mut ListEncoder { output: self.output });
        self.output.bytes.push(b'e');
    }

    /// Writes a dictionary of the entries that `write` adds, in any order.
    pub fn dict(self, write: impl FnOnce(&mut DictEncoder<'_>)) {
        let first = self.output.entries.len();
        self.output.bytes.push(b'd');
        write(&mut DictEncoder { output: self.output });
        self.output.finish_dict(first);
    }

    /// Writes a parsed value byte for byte as it was written, also if that is not canonical: an info dictionary, over whose bytes
    /// a hash is taken.
    pub fn as_written(self, value: Value<'_>) {
        self.output.bytes.extend_from_slice(value.raw());
    }

    /// Writes a parsed value in canonical form, even if it was not read in that form. Does not recurse.
    pub fn value(self, value: Value<'_>) {
        self.output.value(value);
    }
}

/// Adds values to a list.
#[derive(Debug)]
pub struct ListEncoder<'o> {
    output: &'o mut Output,
}

impl ListEncoder<'_> {
    /// The next item, whose value is to be written now; without a value there is no item.
    pub fn item(&mut self) -> Encoder<'_> {
        Encoder { output: self.output }
    }
}

/// Adds entries to a dictionary.
#[derive(Debug)]
pub struct DictEncoder<'o> {
    output: &'o mut Output,
}

/// The position of an entry in the output; it ends where the next one begins.
#[derive(Debug)]
struct Entry {
    key: Range<usize>,
    start: usize,
}

impl DictEncoder<'_> {
    /// The entry under `key`, whose value is to be written now. Entries may be added in any order.
    pub fn entry(&mut self, key: &[u8]) -> Encoder<'_> {
        self.output.key(key);
        Encoder { output: self.output }
    }
}

impl Output {
    fn fail(&mut self, error: EncodeError) {
        self.failed.get_or_insert(error);
    }

    fn int(&mut self, number: i64) {
        // Writing to a vector cannot fail.
        let _ = write!(self.bytes, "i{number}e");
    }

    fn string(&mut self, bytes: &[u8]) {
        let _ = write!(self.bytes, "{}:", bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn key(&mut self, key: &[u8]) {
        let start = self.bytes.len();
        self.string(key);
        self.entries.push(Entry { key: self.bytes.len() - key.len()..self.bytes.len(), start });
    }

    /// Sorts the entries of the innermost dictionary, of which this is the `first`, and closes it.
    fn finish_dict(&mut self, first: usize) {
        if self.is_canonical(self.entries.get(first..).unwrap_or_default()) {
            self.entries.truncate(first);
            self.bytes.push(b'e');
            return;
        }
        let entries = self.entries.split_off(first);
        let start = entries.first().map_or(self.bytes.len(), |entry| entry.start);
        let written = self.bytes.split_off(start);
        let ends: Vec<usize> = entries.iter().skip(1).map(|entry| entry.start).chain([start + written.len()]).collect();
        let slice = |range: Range<usize>| written.get(range.start - start..range.end - start).unwrap_or_default();
        let mut sorted: Vec<(&[u8], &[u8])> = Vec::with_capacity(entries.len());
        for (entry, end) in entries.into_iter().zip(ends) {
            if entry.key.end == end {
                self.fail(EncodeError::MissingValue);
            }
            sorted.push((slice(entry.key), slice(entry.start..end)));
        }
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            if let [(a, _), (b, _)] = pair
                && a == b
            {
                self.fail(EncodeError::DuplicateKey(a.to_vec()));
            }
        }
        self.bytes.extend(sorted.into_iter().flat_map(|(_, bytes)| bytes));
        self.bytes.push(b'e');
    }

    /// Whether the entries, which end the output, have values and are in order already: the usual case, which needs no copy.
    fn is_canonical(&self, entries: &[Entry]) -> bool {
        let key = |entry: &Entry| self.bytes.get(entry.key.clone());
        let are_in_order = |pair: &[Entry]| matches!(pair, [a, b] if a.key.end < b.start && key(a) < key(b));
        entries.windows(2).all(are_in_order) && entries.last().is_none_or(|last| last.key.end < self.bytes.len())
    }

    fn value(&mut self, value: Value<'_>) {
        enum Open<'doc> {
            List(ListIter<'doc>),
            /// With the first of its entries.
            Dict(DictIter<'doc>, usize),
        }
        let mut stack: Vec<Open<'_>> = Vec::new();
        let mut next = Some(value);
        loop {
            if let Some(value) = next.take() {
                match value.kind() {
                    Kind::Integer => match value.as_int() {
                        Some(number) => self.int(number),
                        None => self.fail(EncodeError::IntegerOutOfRange),
                    },
                    Kind::String => self.string(value.as_bytes().unwrap_or_default()),
                    Kind::List => {
                        self.bytes.push(b'l');
                        stack.extend(value.as_list().map(|list| Open::List(list.iter())));
                    }
                    Kind::Dict => {
                        self.bytes.push(b'd');
                        stack.extend(value.as_dict().map(|dict| Open::Dict(dict.iter(), self.entries.len())));
                    }
                }
            }
            next = match stack.last_mut() {
                None => break,
                Some(Open::List(values)) => values.next(),
                Some(Open::Dict(items, _)) => items.next().map(|(key, value)| {
                    self.key(key);
                    value
                }),
            };
            if next.is_none() {
                match stack.pop() {
                    Some(Open::Dict(_, first)) => self.finish_dict(first),
                    _ => self.bytes.push(b'e'),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::limits::Limits;
    use proptest::prelude::*;

    #[test]
    fn duplicate_keys_and_missing_values_are_refused() {
        let twice = Encoder::encode(|value| {
            value.dict(|dict| {
                dict.entry(b"a").int(1);
                dict.entry(b"a").int(2);
            });
        });
        assert_eq!(twice, Err(EncodeError::DuplicateKey(b"a".to_vec())));
        let missing = Encoder::encode(|value| {
            value.dict(|dict| {
                let _ = dict.entry(b"a");
            });
        });
        assert_eq!(missing, Err(EncodeError::MissingValue));
        assert_eq!(Encoder::encode(|_| ()), Err(EncodeError::MissingValue));
    }

    #[test]
    fn a_lenient_document_is_rewritten_in_canonical_form() {
        let document = Document::parse_lenient(b"d1:bi007e1:ali-0eee\n", Limits::TORRENT).unwrap();
        assert_eq!(Encoder::encode(|value| value.value(document.root())).unwrap(), b"d1:ali0ee1:bi7ee");
    }

    /// A value to be written, for the round trip.
    #[derive(Clone, Debug)]
    enum Tree {
        Int(i64),
        Bytes(Vec<u8>),
        List(Vec<Tree>),
        Dict(Vec<(Vec<u8>, Tree)>),
    }

    fn write(tree: &Tree, encoder: Encoder<'_>) {
        match tree {
            Tree::Int(number) => encoder.int(*number),
            Tree::Bytes(bytes) => encoder.bytes(bytes),
            Tree::List(items) => encoder.list(|list| items.iter().for_each(|item| write(item, list.item()))),
            Tree::Dict(items) => {
                encoder.dict(|dict| items.iter().for_each(|(key, item)| write(item, dict.entry(key))));
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
        let leaf = prop_oneof![any::<i64>().prop_map(Tree::Int), bytes().prop_map(Tree::Bytes)];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Tree::List),
                proptest::collection::btree_map(bytes(), inner, 0..5)
                    .prop_map(|map| map.into_iter().collect::<Vec<_>>())
                    .prop_shuffle()
                    .prop_map(Tree::Dict),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_tree_is_written_canonically_and_reads_back(tree in tree()) {
            let bytes = Encoder::encode(|value| write(&tree, value)).unwrap();
            let document = Document::parse(&bytes).unwrap();
            prop_assert_eq!(&Encoder::encode(|value| value.value(document.root())).unwrap(), &bytes);
            for end in 0..bytes.len() {
                prop_assert!(Document::parse(&bytes[..end]).is_err(), "prefix of {}", end);
            }
        }
    }
}
