//! Properties of every document: canonical ones generated from a grammar, damaged ones, and arbitrary bytes.

use bencode::{Dict, Document, Encoder, Limits, List, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

#[derive(Clone, Debug)]
enum Tree {
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Dict(BTreeMap<Vec<u8>, Tree>),
}

/// Keys that often share a prefix, which makes their order harder to decide.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..12), vec(prop_oneof![Just(b'a'), Just(0_u8), Just(0xff)], 0..6)]
}

fn tree() -> impl Strategy<Value = Tree> {
    let number = prop_oneof![any::<i64>(), any::<i16>().prop_map(i64::from), Just(0), Just(i64::MIN), Just(i64::MAX)];
    let leaf = prop_oneof![number.prop_map(Tree::Int), vec(any::<u8>(), 0..130).prop_map(Tree::Bytes)];
    leaf.prop_recursive(5, 40, 8, |inner| {
        prop_oneof![vec(inner.clone(), 0..8).prop_map(Tree::List), btree_map(key(), inner, 0..8).prop_map(Tree::Dict),]
    })
}

fn write(value: Encoder<'_>, tree: &Tree) {
    match tree {
        Tree::Int(number) => value.int(*number),
        Tree::Bytes(bytes) => value.bytes(bytes),
        Tree::List(items) => value.list(|list| items.iter().for_each(|item| write(list.item(), item))),
        Tree::Dict(entries) => {
            value.dict(|dict| entries.iter().for_each(|(key, entry)| write(dict.entry(key), entry)));
        }
    }
}

/// Canonical bytes, and the tree they encode.
fn canonical() -> impl Strategy<Value = (Tree, Vec<u8>)> {
    tree().prop_map(|tree| {
        let bytes = Encoder::encode(|value| write(value, &tree)).unwrap_or_default();
        (tree, bytes)
    })
}

/// Canonical bytes with a few changes: much closer to bencode than random bytes.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"0123456789:-ilde+"[..])];
    (canonical(), vec((any::<prop::sample::Index>(), byte, 0..3_u8), 1..4)).prop_map(|((_, mut bytes), changes)| {
        for (index, byte, change) in changes {
            let at = index.index(bytes.len() + 1);
            match change {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => _ = bytes.remove(at),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
            }
        }
        bytes
    })
}

fn encodes(value: Value<'_>, tree: &Tree) -> bool {
    match tree {
        Tree::Int(number) => value.as_int() == Some(*number),
        Tree::Bytes(bytes) => value.as_bytes() == Some(bytes),
        Tree::List(items) => value.as_list().is_some_and(|list| {
            list.iter().count() == items.len() && list.iter().zip(items).all(|(value, item)| encodes(value, item))
        }),
        Tree::Dict(entries) => value.as_dict().is_some_and(|dict| {
            let in_order = dict.iter().map(|(key, _)| key).eq(entries.keys().map(Vec::as_slice));
            in_order && entries.iter().all(|(key, entry)| dict.get(key).is_some_and(|value| encodes(value, entry)))
        }),
    }
}

/// Calls every getter on a value and its contents; false if a slice does not lie within the value.
fn sound(input: &[u8], value: Value<'_>) -> bool {
    let raw = value.raw();
    let inside = |part: &[u8], whole: &[u8]| {
        let (part, whole): (Range<*const u8>, Range<*const u8>) = (part.as_ptr_range(), whole.as_ptr_range());
        whole.start <= part.start && part.end <= whole.end
    };
    let within = |inner: Value<'_>| inside(inner.raw(), raw) && sound(input, inner);
    let list = value.as_list().is_none_or(|list: List<'_>| list.iter().all(within));
    let dict = value.as_dict().is_none_or(|dict: Dict<'_>| dict.iter().all(|(key, v)| inside(key, raw) && within(v)));
    let string = value.as_bytes().is_none_or(|bytes| inside(bytes, raw));
    let offset = input.get(value.offset()..).is_some_and(|rest| rest.starts_with(raw));
    let _ = (value.as_int(), value.as_str(), format!("{value:?}"));
    inside(raw, input) && !raw.is_empty() && offset && list && dict && string
}

/// Strict parsing accepts exactly what lenient parsing accepts without a deviation, and both give the same values.
fn strict_within_lenient(input: &[u8]) -> Result<(), TestCaseError> {
    let strict = Document::parse_strict(input, Limits::TORRENT);
    let lenient = Document::parse_lenient(input, Limits::TORRENT);
    match (&strict, &lenient) {
        (Ok(strict), Ok(lenient)) => {
            prop_assert!(lenient.deviations().is_empty() && lenient.trailing().is_empty());
            prop_assert_eq!(strict.root().raw(), input);
            prop_assert_eq!(strict.root(), lenient.root());
            prop_assert!(sound(input, strict.root()));
        }
        (Err(error), Ok(lenient)) => {
            // Strict parsing stops at the first deviation that lenient parsing reports.
            prop_assert!(!lenient.deviations().is_empty(), "{}", error);
            prop_assert_eq!(lenient.deviations().first().first().map(|found| found.offset), Some(error.offset));
            prop_assert!(sound(input, lenient.root()));
        }
        (Ok(_), Err(error)) => prop_assert!(false, "only strict reads it: {}", error),
        (Err(strict), Err(lenient)) => prop_assert!(strict.offset <= lenient.offset && lenient.offset <= input.len()),
    }
    Ok(())
}

proptest! {
    // A failure becomes a test of its own, so no files of failures are kept beside the sources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_documents_read_back_as_written((tree, bytes) in canonical()) {
        let document = Document::parse(&bytes).unwrap();
        prop_assert!(encodes(document.root(), &tree));
        let again = Encoder::encode(|value| value.value(document.root())).unwrap();
        prop_assert_eq!(&again, &bytes);
        strict_within_lenient(&bytes)?;
    }

    #[test]
    fn every_proper_prefix_of_a_canonical_document_is_refused((_, bytes) in canonical()) {
        for end in 0..bytes.len() {
            let prefix = bytes.get(..end).unwrap();
            prop_assert!(Document::parse(prefix).is_err(), "{}", prefix.escape_ascii());
        }
    }

    #[test]
    fn damaged_documents_never_panic(bytes in damaged()) {
        strict_within_lenient(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        strict_within_lenient(&bytes)?;
    }

    #[test]
    fn text_of_bencode_characters_never_panics(text in "[ild0-3:e-]{0,40}") {
        strict_within_lenient(text.as_bytes())?;
    }

    #[test]
    fn unsorted_and_duplicate_keys_are_counted_as_by_a_set(keys in vec(key(), 0..12)) {
        let mut input = b"d".to_vec();
        for key in &keys {
            input.extend_from_slice(format!("{}:", key.len()).as_bytes());
            input.extend_from_slice(key);
            input.extend_from_slice(b"le");
        }
        input.push(b'e');
        let sorted = keys.is_sorted_by(|a, b| a < b);
        prop_assert_eq!(Document::parse(&input).is_ok(), sorted);
        let unsorted = keys.windows(2).filter(|pair| pair[0] > pair[1]).count();
        let repeated = keys.len() - keys.iter().collect::<std::collections::BTreeSet<_>>().len();
        let document = Document::parse_lenient(&input, Limits::TORRENT).unwrap();
        prop_assert_eq!(document.deviations().total(), unsorted + repeated);
    }
}
