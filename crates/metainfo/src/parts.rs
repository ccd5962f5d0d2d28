//! Which parts a torrent has, v1, v2 or both, and what that asks of the way it is written (BEP 52).

use crate::{Error, FileKind, Problem, torrent};
use bencode::{Dict, Document, Kind, Value};

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

/// Parses bencode; the error names the kind of a file that is no torrent.
pub(crate) fn document(bytes: &[u8]) -> Result<Document<'_>, Error> {
    Document::parse_lenient(bytes, torrent::LIMITS).map_err(|error| Error::of_bytes(bytes, error))
}

/// The root and info dictionaries, and what parts the latter has.
pub(crate) fn open<'d>(document: &'d Document<'d>) -> Result<(Dict<'d>, Dict<'d>, Parts), Error> {
    let root = document.root();
    let mistyped = Problem::Mistyped { expected: Kind::Dict, found: root.kind() };
    let root = root.as_dict().ok_or_else(|| Error::field("torrent", mistyped, 0))?;
    let kind = root.get(b"info").map_or_else(|| FileKind::of_dict(root), |_| None);
    let missing = |error| kind.map_or_else(|| Error::in_dict("", error), Error::FileKind);
    let info = root.dict("info").map_err(missing)?;
    Ok((root, info, parts(info, document.diagnostics().is_empty())?))
}

/// Which parts the info dictionary has, by `meta version` and what stands beside it (BEP 52).
fn parts(info: Dict<'_>, canonical: bool) -> Result<Parts, Error> {
    let version = info.get(b"meta version");
    let number = version.and_then(Value::as_int).map_or(0, narrow);
    let offset = || version.map_or(0, Value::offset);
    if number > 0 && !canonical {
        refuse_ambiguity(info)?;
    }
    if number > 2 {
        return Err(Error::field("info.meta version", Problem::UnknownVersion(number), offset()));
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

/// libtorrent keeps the version in an `int`, so its clients read 2^32 + 2 as 2, and 2^31 as a number below zero.
#[expect(clippy::cast_possible_truncation, reason = "what is lost is what libtorrent loses")]
fn narrow(version: i64) -> i32 {
    version as i32
}

/// From `meta version` 1 on, what is not canonical in the info dictionary is an error, as in libtorrent: a hash
/// must not depend on who wrote the dictionary. It does not look for a sign before a zero or numbers that do not fit.
fn refuse_ambiguity(info: Dict<'_>) -> Result<(), Error> {
    use bencode::DiagnosticKind::{DuplicateKey, LeadingZero, UnsortedKey};
    let raw = info.value().raw();
    let document = Document::parse_lenient(raw, torrent::LIMITS)?;
    // Of each kind the first is there, however many of another came before it.
    let mut found = document.diagnostics().first().iter();
    let found = found.find(|found| matches!(found.kind, LeadingZero | UnsortedKey | DuplicateKey));
    let error = |kind, offset| Err(Error::field("info", Problem::NotCanonical(kind), info.value().offset() + offset));
    found.map_or(Ok(()), |found| error(found.kind, found.offset))
}
