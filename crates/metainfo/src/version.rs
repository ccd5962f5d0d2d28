//! Whether a torrent is v1, v2 or hybrid, and what that requires of its encoding (BEP 52).

use crate::error::{Error, Problem};
use crate::file_kind::FileKind;
use bencode::{Deviation, Deviations, Dict, Document, Kind, Limits, Value};
use std::ops::Range;

/// Which parts an info dictionary has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    V1,
    V2,
    Hybrid,
}

impl Parts {
    pub(crate) fn has_v1(self) -> bool {
        self != Self::V2
    }

    pub(crate) fn has_v2(self) -> bool {
        self != Self::V1
    }
}

/// How libtorrent reads torrents: of its limit of 100 nested containers, the last cannot be opened.
const LIMITS: Limits = Limits::TORRENT.with_depth(99);
/// Fewest bytes a token takes on average over a whole torrent: `d6:lengthi1e4:pathl1:aee`, the shortest entry of a file, has
/// 24 bytes for eight tokens. A file with more tokens than that would take far more memory than its size justifies.
const BYTES_OF_A_TOKEN: usize = 3;
/// Tokens that a file of any length may have: half a megabyte of memory.
const TOKENS_OF_ANY: usize = 1 << 16;

/// Parses bencode. The errors are also those of a file of another kind and of a v2 info dictionary that is not canonical.
pub(crate) fn document(bytes: &[u8]) -> Result<Document<'_>, Error> {
    let document = lenient(bytes).map_err(|error| Error::of_bytes(bytes, error))?;
    let found = document.deviations();
    let Some(info) = versioned_info(&document).filter(|_| !found.is_empty()) else { return Ok(document) };
    let in_info = found.first().iter().take(Deviations::KEPT).filter(|found| info.contains(&found.offset));
    refuse_ambiguity(in_info, 0)?;
    if found.total() <= Deviations::KEPT {
        return Ok(document);
    }
    // A deviation in the info dictionary may be among those that were only counted. One tape at a time: they are large.
    drop(document);
    let raw = bytes.get(info.clone()).unwrap_or_default();
    refuse_ambiguity(lenient(raw)?.deviations().first().iter(), info.start)?;
    Ok(lenient(bytes)?)
}

/// Parses bencode within the limits of a torrent.
pub(crate) fn lenient(bytes: &[u8]) -> Result<Document<'_>, bencode::Error> {
    let tokens = LIMITS.tokens.min(TOKENS_OF_ANY + bytes.len() / BYTES_OF_A_TOKEN);
    Document::parse_lenient(bytes, LIMITS.with_tokens(tokens))
}

/// The range of the info dictionary, if it has a `meta version`.
fn versioned_info(document: &Document<'_>) -> Option<Range<usize>> {
    let info = document.root().as_dict()?.get(b"info")?.as_dict()?;
    let begins = info.value().offset();
    (version(info) > 0).then(|| begins..begins + info.value().raw().len())
}

/// From `meta version` 1 on, a deviation in the info dictionary is an error, as in libtorrent: the hash must not depend on the
/// program that wrote the dictionary. libtorrent accepts `-0` and integers out of range even so.
fn refuse_ambiguity<'d>(mut found: impl Iterator<Item = &'d Deviation>, info: usize) -> Result<(), Error> {
    use bencode::DeviationKind::{DuplicateKey, LeadingZero, UnsortedKey};
    // The first deviation of each kind is always kept.
    let found = found.find(|found| matches!(found.kind, LeadingZero | UnsortedKey | DuplicateKey));
    found.map_or(Ok(()), |found| Err(Error::field("info", Problem::NotCanonical(found.kind), info + found.offset)))
}

/// The root dictionary, the info dictionary and the parts that the latter has.
pub(crate) fn open<'d>(document: &'d Document<'d>) -> Result<(Dict<'d>, Dict<'d>, Parts), Error> {
    let root = document.root();
    let mistyped = Problem::mistyped(root, Kind::Dict);
    let root = root.as_dict().ok_or_else(|| Error::field("torrent", mistyped, 0))?;
    let kind = root.get(b"info").map_or_else(|| FileKind::of_dict(root), |_| None);
    let missing = |error| kind.map_or_else(|| Error::in_dict("", error), Error::FileKind);
    let info = root.dict("info").map_err(missing)?;
    Ok((root, info, parts(info)?))
}

/// The parts of the info dictionary, according to `meta version` and the keys beside it (BEP 52).
fn parts(info: Dict<'_>) -> Result<Parts, Error> {
    let number = version(info);
    if number > 2 {
        let offset = info.get(b"meta version").map_or(0, Value::offset);
        return Err(Error::field("info.meta version", Problem::UnknownVersion(number), offset));
    }
    let tree = info.get(b"file tree").filter(|tree| tree.as_dict().is_some());
    match (number, tree) {
        (2, None) => Err(info.dict("file tree").map_or_else(
            |error| Error::in_dict("info", error),
            |tree| Error::field("info.file tree", Problem::Empty, tree.value().offset()),
        )),
        (2, Some(_)) => {
            let v1 = info.get(b"length").is_some() || info.get(b"files").is_some_and(|files| files.as_list().is_some());
            Ok(if v1 { Parts::Hybrid } else { Parts::V2 })
        }
        (_, Some(tree)) => Err(Error::field("info.file tree", Problem::NoMetaVersion, tree.offset())),
        (_, None) => Ok(Parts::V1),
    }
}

/// libtorrent keeps the version in an `int`, so its clients read 2^32 + 2 as 2, and 2^31 as a negative number.
#[expect(clippy::cast_possible_truncation, reason = "libtorrent truncates too")]
fn version(info: Dict<'_>) -> i32 {
    info.get(b"meta version").and_then(Value::as_int).map_or(0, |version| version as i32)
}
