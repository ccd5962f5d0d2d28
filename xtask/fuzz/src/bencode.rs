//! Bencode: strict parsing is lenient parsing without deviations, both agree with the [model](crate::model), and what is
//! read can be written again, parsed value by value, and refused by exact limits.

use crate::memory;
use crate::model::{self, Model, Seen};
use bencode::{DeviationKind, Deviations, Dict, Document, EncodeError, Encoder, Error, ErrorKind, Limits, Value};

/// The tape takes at most 16 bytes for each byte of any input.
const TIMES_THE_INPUT: usize = 16;
/// Memory beside the tape: 64 deviations, a few bytes for each open dictionary.
const BESIDE: usize = 8 << 10;
/// Most prefixes of a document that are tried.
const PREFIXES: usize = 32;
/// Most bytes of values that are parsed again on their own.
const CUT_OUT_BYTES: usize = 16 << 10;
/// Most keys of a dictionary that are looked up.
const LOOKUPS: usize = 64;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let bound = TIMES_THE_INPUT * input.len() + BESIDE;
    let strict = memory::bounded(bound, || Document::parse_strict(input, Limits::TORRENT));
    let lenient = memory::bounded(bound, || Document::parse_lenient(input, Limits::TORRENT));
    let model = model::read(input);
    differential(input, &strict, &lenient);
    match (&lenient, &model) {
        (Ok(document), Some(model)) => {
            agree_with_model(input, document, model);
            values_stand_alone(document, strict.is_ok());
            lookups(document);
            limits_hold(input, model);
            rewriting(input, document, model);
        }
        (Err(error), Some(_)) => panic!("refused, although the model reads it: {error}"),
        (Ok(_), None) => panic!("read, although the model refuses it"),
        (Err(_), None) => {}
    }
    if strict.is_ok() {
        prefixes_are_refused(input);
    }
}

/// The main property: strict parsing accepts exactly what lenient parsing accepts without a deviation, and gives the same
/// values; otherwise it stops at the first deviation.
fn differential(input: &[u8], strict: &Result<Document<'_>, Error>, lenient: &Result<Document<'_>, Error>) {
    for error in [strict, lenient].into_iter().filter_map(|result| result.as_ref().err()) {
        assert!(error.offset <= input.len(), "an error beyond the end: {error}");
    }
    match (strict, lenient) {
        (Ok(strict), Ok(lenient)) => {
            assert!(strict.deviations().is_empty() && lenient.deviations().is_empty());
            assert!(strict.trailing().is_empty() && strict.root().raw() == input);
            assert_eq!(seen(strict), seen(lenient));
        }
        (Err(Error { offset, kind: ErrorKind::NotCanonical(kind) }), lenient) => match lenient {
            Ok(lenient) => {
                let first = lenient.deviations().first().first().map(|first| (first.offset, first.kind));
                assert_eq!(first, Some((*offset, *kind)));
            }
            Err(later) => assert!(later.offset >= *offset, "{later}, after strict parsing stopped at {offset}"),
        },
        (Err(strict), lenient) => assert_eq!(Some(strict), lenient.as_ref().err()),
        (Ok(_), Err(error)) => panic!("read by strict parsing only: {error}"),
    }
}

/// Every value of a document, each before what is in it.
fn seen<'d>(document: &'d Document<'_>) -> Vec<Seen<'d>> {
    let mut values = Vec::new();
    let mut left = vec![document.root()];
    while let Some(value) = left.pop() {
        let inner: Vec<Value<'_>> = match (value.as_list(), value.as_dict()) {
            (Some(list), _) => list.iter().collect(),
            (None, dict) => dict.into_iter().flatten().map(|(_, value)| value).collect(),
        };
        left.extend(inner.into_iter().rev());
        let keys = value.as_dict().into_iter().flatten().map(|(key, _)| key).collect();
        let (int, bytes) = (value.as_int(), value.as_bytes());
        values.push(Seen { offset: value.offset(), kind: value.kind(), raw: value.raw(), int, bytes, keys });
    }
    values
}

/// Every value, with its place in the input, and every deviation.
fn agree_with_model(input: &[u8], document: &Document<'_>, model: &Model<'_>) {
    let values = seen(document);
    assert_eq!(values, model.values);
    for Seen { offset, raw, bytes, .. } in values {
        // The same bytes in memory, not a copy.
        assert!(std::ptr::eq(raw, &input[offset..offset + raw.len()]));
        let content = bytes.map_or(raw, |bytes| &raw[raw.len() - bytes.len()..]);
        assert!(std::ptr::eq(content, bytes.unwrap_or(raw)));
    }
    assert_eq!(document.trailing(), &input[model.end..]);
    let found = document.deviations();
    assert_eq!(found.total(), model.deviations.len());
    let mut first: Vec<_> = found.first().iter().map(|found| (found.offset, found.kind)).collect();
    first.sort_by_cached_key(|&(offset, kind)| (offset, kind.to_string()));
    if found.total() <= Deviations::KEPT {
        assert_eq!(first, model.deviations);
    } else {
        assert!(first.len() >= Deviations::KEPT && first.iter().all(|found| model.deviations.contains(found)));
        assert!(model.deviations.iter().all(|(_, kind)| first.iter().any(|(_, noticed)| noticed == kind)));
    }
}

/// The raw bytes of any value parse to the same value.
fn values_stand_alone(document: &Document<'_>, canonical: bool) {
    let values = seen(document);
    let mut left = CUT_OUT_BYTES;
    for (place, value) in values.iter().enumerate() {
        let Some(rest) = left.checked_sub(value.raw.len()) else { break };
        left = rest;
        let parse = if canonical { Document::parse_strict } else { Document::parse_lenient };
        let alone = parse(value.raw, Limits::TORRENT).expect("a value cut out of its document");
        assert!(alone.trailing().is_empty());
        let mut inner = seen(&alone);
        inner.iter_mut().for_each(|inner| inner.offset += value.offset);
        assert_eq!(inner, values[place..place + inner.len()]);
    }
}

/// A look-up gives the first entry under its key.
fn lookups(document: &Document<'_>) {
    let mut left = vec![document.root()];
    while let Some(value) = left.pop() {
        left.extend(value.as_list().into_iter().flatten());
        let Some(dict) = value.as_dict() else { continue };
        left.extend(dict.iter().map(|(_, value)| value));
        for (key, _) in dict.iter().take(LOOKUPS) {
            let first = dict.iter().find(|(other, _)| *other == key).map(|(_, value)| value.offset());
            assert_eq!(dict.get(key).map(Value::offset), first);
            typed_lookup(dict, key);
        }
    }
}

/// The typed getters agree with the plain one.
fn typed_lookup(dict: Dict<'_>, key: &[u8]) {
    let (Ok(name), Some(value)) = (std::str::from_utf8(key), dict.get(key)) else { return };
    assert_eq!(dict.int(name).ok(), value.as_int());
    assert_eq!(dict.bytes(name).ok(), value.as_bytes());
    assert_eq!(dict.list(name).ok(), value.as_list());
    assert_eq!(dict.dict(name).ok(), value.as_dict());
    assert!(dict.int(name).err().is_none_or(|error| error.offset == value.offset()));
}

/// A document passes limits that it meets exactly; each limit that is one less refuses it with its own error.
fn limits_hold(input: &[u8], model: &Model<'_>) {
    let exact = Limits::TORRENT.with_bytes(input.len()).with_depth(model.depth).with_tokens(model.tokens);
    let kind = |limits| Document::parse_lenient(input, limits).err().map(|error| error.kind);
    assert_eq!(kind(exact), None);
    let (limit, tokens) = (exact.bytes - 1, exact.tokens - 1);
    assert_eq!(kind(exact.with_bytes(limit)), Some(ErrorKind::TooManyBytes { limit }));
    assert_eq!(kind(exact.with_tokens(tokens)), Some(ErrorKind::TooManyTokens { limit: tokens }));
    if let Some(depth) = exact.depth.checked_sub(1) {
        assert_eq!(kind(exact.with_depth(depth)), Some(ErrorKind::TooDeep { limit: depth }));
    }
}

/// The encoder writes the canonical form: the same bytes if the document was canonical, and writing again changes nothing.
fn rewriting(input: &[u8], document: &Document<'_>, model: &Model<'_>) {
    let duplicate = model.deviations.iter().any(|&(_, kind)| kind == DeviationKind::DuplicateKey);
    let too_large = model.values.iter().any(|value| value.kind == bencode::Kind::Integer && value.int.is_none());
    match Encoder::encode(|value| value.value(document.root())) {
        Ok(written) => {
            assert!(!duplicate && !too_large);
            assert!(!model.deviations.is_empty() || written == input);
            let again = Document::parse(&written).expect("what the encoder wrote");
            assert_eq!(seen(&again).len(), model.values.len());
            assert_eq!(Encoder::encode(|value| value.value(again.root())), Ok(written.clone()));
        }
        Err(EncodeError::DuplicateKey(_)) => assert!(duplicate),
        Err(EncodeError::IntegerOutOfRange) => assert!(too_large),
        Err(error) => panic!("{error}"),
    }
}

/// No proper prefix of a document is a document.
fn prefixes_are_refused(input: &[u8]) {
    let step = input.len().div_ceil(PREFIXES).max(1);
    let last = input.len().saturating_sub(4)..input.len();
    for end in (0..input.len()).step_by(step).chain(last) {
        let prefix = &input[..end];
        assert!(Document::parse(prefix).is_err() && Document::parse_lenient(prefix, Limits::TORRENT).is_err());
    }
}
