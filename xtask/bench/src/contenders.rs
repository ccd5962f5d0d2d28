//! The parsers compared. Each reads the whole document into its own representation, and drops that.

use crate::{libtorrent, reference};
use bencode::{Document, Limits};
use std::hint::black_box;

/// One parser; its function returns why it could not read the document.
pub(crate) struct Parser {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) parse: fn(&[u8]) -> Result<(), String>,
    /// Whether it reads torrents only.
    pub(crate) torrents_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Ours,
    /// The least work for a tape; for comparison only.
    Reference,
    /// Not a crate: libtorrent, which the reference has to beat.
    Cpp,
    /// Another crate.
    Other,
}

const fn other(name: &'static str, parse: fn(&[u8]) -> Result<(), String>) -> Parser {
    Parser { name, role: Role::Other, parse, torrents_only: false }
}

pub(crate) const OURS: &str = "bencode (ours)";
pub(crate) const LIBTORRENT: &str = "libtorrent bdecode (C++)";
pub(crate) const REFERENCE: &str = "bare tape (reference)";

pub(crate) fn all() -> Vec<Parser> {
    vec![
        Parser { name: OURS, role: Role::Ours, parse: ours, torrents_only: false },
        Parser { name: REFERENCE, role: Role::Reference, parse: bare, torrents_only: false },
        Parser { name: LIBTORRENT, role: Role::Cpp, parse: libtorrent::bdecode, torrents_only: false },
        other("bencode-minimal", |input| done(bencode_minimal::Value::decode(input, usize::MAX).ok_or("refused"))),
        other("bendy, tokens only", bendy_tokens),
        other("bendy, Value", bendy_value),
        other("librqbit-bencode", |input| {
            done(librqbit_bencode::dyn_from_bytes::<librqbit_bencode::ByteBuf<'_>>(input).map_err(|e| format!("{e:#}")))
        }),
        other("bt_bencode", |input| done(bt_bencode::from_slice::<bt_bencode::Value>(input))),
        other("serde_bencode", |input| done(serde_bencode::from_bytes::<serde_bencode::value::Value>(input))),
        other("lava_torrent", |input| done(lava_torrent::bencode::BencodeElem::from_bytes(input))),
        Parser {
            torrents_only: true,
            ..other("librqbit-core (info only, no hash)", |input| {
                type Torrent<'a> = librqbit_core::torrent_metainfo::TorrentMetaV1Borrowed<'a>;
                done(librqbit_bencode::from_bytes::<Torrent<'_>>(input).map_err(|e| format!("{e:#}")))
            })
        },
    ]
}

fn ours(input: &[u8]) -> Result<(), String> {
    done(Document::parse_strict(black_box(input), Limits::TORRENT))
}

fn bare(input: &[u8]) -> Result<(), String> {
    done(reference::parse(black_box(input)).ok_or("refused"))
}

/// Checks a whole document with bendy, and keeps nothing of it.
fn bendy_tokens(input: &[u8]) -> Result<(), String> {
    for token in bendy::decoding::Decoder::new(input).tokens() {
        black_box(token.map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// `Value::from_bencode` allows no nesting at all, so the depth is given to its decoder.
fn bendy_value(input: &[u8]) -> Result<(), String> {
    use bendy::decoding::{Decoder, FromBencode};
    let mut decoder = Decoder::new(input).with_max_depth(256);
    let object = decoder.next_object().map_err(|error| error.to_string())?.ok_or("empty")?;
    done(bendy::value::Value::decode_bencode_object(object))
}

/// Drops the result where the optimiser cannot see that it is unused.
fn done<T, E: ToString>(result: Result<T, E>) -> Result<(), String> {
    black_box(result).map(|_| ()).map_err(|error| error.to_string())
}
