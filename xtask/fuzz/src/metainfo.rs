//! Torrents: sizes and pieces of an accepted torrent agree, its hashes are those of the info dictionary as written, and
//! neither other keys nor a form that is not canonical changes its content.

use crate::{memory, model};
use bencode::{DeviationKind, Dict, Document, Encoder, Limits};
use metainfo::{Diagnostic, Error, Hashes, Torrent};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::collections::HashSet;

/// Memory for each byte of the input: the tape, files, paths and the search for duplicates among them.
const TIMES_THE_INPUT: usize = 64;
/// Memory for any input: mostly diagnostics with their paths.
const BESIDE: usize = 32 << 10;
/// A directory of a v2 tree is copied into the path of each file below it: memory grows with the square of the input, a small
/// part of it, until the crate's own limit of 256 MiB, which no input here reaches.
const PATHS_DIVISOR: usize = 64;
/// BEP 52: "it must be a power of two and at least 16KiB".
const SMALLEST_V2_PIECE: u32 = 16 << 10;
/// Most pieces of a torrent, as documented by the crate.
const MOST_PIECES: u32 = 1 << 21;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let bound = TIMES_THE_INPUT * input.len() + input.len() * input.len() / PATHS_DIVISOR + BESIDE;
    let parsed = memory::bounded(bound, || Torrent::parse(input));
    let read = Hashes::read(input);
    // Duplicate paths are found with a randomly keyed hash, which must not change the result.
    assert_eq!(parsed, Torrent::parse(input));
    match &parsed {
        Ok(torrent) => {
            assert_eq!(read, Ok(torrent.hashes));
            let document = Document::parse_lenient(input, Limits::TORRENT).expect("a torrent is bencode");
            let root = document.root().as_dict().expect("a torrent is a dictionary");
            let info = root.dict("info").expect("a torrent has an info dictionary");
            assert_eq!(Document::parse(input).is_ok(), !torrent.diagnostics.first().iter().any(is_not_canonical));
            hashes(torrent, info);
            sizes(torrent, info);
            paths(torrent);
            text(input, torrent);
            only_info_matters(torrent, info);
            form_does_not_matter(torrent, &document);
        }
        Err(error) => {
            assert!(read.is_ok() || read.as_ref() == Err(error));
            refusal(input, error);
        }
    }
}

fn is_not_canonical(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic, Diagnostic::NotCanonical(_))
}

fn refusal(input: &[u8], error: &Error) {
    match error {
        Error::Bencode(error) => assert!(error.offset <= input.len()),
        Error::Field { path, offset, .. } => assert!(!path.is_empty() && *offset < input.len(), "{error}"),
        error => assert!(!error.to_string().is_empty()),
    }
}

/// The hashes are those of the raw bytes, for each version that the torrent has; an info dictionary with a v2 hash is canonical.
fn hashes(torrent: &Torrent, info: Dict<'_>) {
    let (hashes, raw) = (torrent.hashes, info.value().raw());
    assert!(hashes.v1().is_none_or(|v1| v1.0[..] == Sha1::digest(raw)[..]));
    assert!(hashes.v2().is_none_or(|v2| v2.0[..] == Sha256::digest(raw)[..]));
    assert_eq!(hashes.v2().is_some(), info.int("meta version") == Ok(2));
    assert_eq!(hashes.wire().next(), Some(hashes.primary()));
    if hashes.v2().is_some() {
        let model = model::read(raw).expect("the info dictionary of a torrent");
        // libtorrent accepts these two.
        let harmless = [DeviationKind::NegativeZero, DeviationKind::IntegerOutOfRange];
        assert!(model.deviations.iter().all(|(_, kind)| harmless.contains(kind)), "not canonical, and has a v2 hash");
    }
}

fn sizes(torrent: &Torrent, info: Dict<'_>) {
    let v2 = torrent.hashes.v2().is_some();
    assert!(!torrent.files.is_empty() && torrent.total_size > 0);
    assert_eq!(torrent.files.iter().map(|file| u128::from(file.length)).sum::<u128>(), torrent.total_size.into());
    let piece_length = torrent.piece_length;
    assert_eq!(info.int("piece length"), Ok(piece_length.into()));
    assert!(!v2 || piece_length.is_power_of_two() && piece_length >= SMALLEST_V2_PIECE);
    assert_eq!(u64::from(torrent.pieces), torrent.total_size.div_ceil(piece_length.into()));
    assert!(torrent.pieces <= MOST_PIECES);
    let pieces = info.bytes("pieces").map(<[u8]>::len);
    assert!(pieces.as_ref().is_ok_and(|&bytes| bytes == 20 * torrent.pieces as usize) || v2 && pieces.is_err());
    let mut begins = 0;
    for file in &torrent.files {
        // A v2 file begins with a piece.
        assert!(!v2 || file.length == 0 || file.attributes.padding || begins % u64::from(piece_length) == 0);
        assert!(file.pieces_root.is_none_or(|root| v2 && file.length > 0 && root != [0; 32]));
        begins += file.length;
    }
}

fn paths(torrent: &Torrent) {
    for file in &torrent.files {
        assert!(!file.path.is_empty() || file.attributes.padding);
        assert_eq!(file.attributes.symlink, file.symlink.is_some());
        assert!(file.symlink.as_ref().is_none_or(|target| !target.is_empty() && file.length == 0));
        assert!(file.issues().is_sorted_by(|a, b| a < b), "each issue once, in order");
        assert!(file.path_lossy().len() >= file.path.len().saturating_sub(1));
    }
    assert!(torrent.name_issues.is_sorted_by(|a, b| a < b));
    assert!(!torrent.safe_name.is_empty() && !torrent.safe_name.contains(['/', '\\', '\0']));
    assert!(!matches!(torrent.safe_name.as_str(), "." | ".."));
    assert_eq!(torrent.name_lossy().is_empty(), torrent.name.is_empty());
}

/// Trackers, details and diagnostics have no empty or duplicate entries, and offsets are within the input.
fn text(input: &[u8], torrent: &Torrent) {
    for tier in &torrent.trackers {
        assert!(!tier.is_empty() && tier.iter().all(|tracker| !tracker.url.is_empty()));
    }
    for urls in [&torrent.details.web_seeds, &torrent.details.http_seeds] {
        assert_eq!(urls.iter().filter(|url| !url.is_empty()).collect::<HashSet<_>>().len(), urls.len());
    }
    let diagnostics = &torrent.diagnostics;
    assert!(diagnostics.total() >= diagnostics.first().len() && diagnostics.is_empty() == (diagnostics.total() == 0));
    for diagnostic in diagnostics.first() {
        let offset = match diagnostic {
            Diagnostic::NotCanonical(found) => found.offset,
            Diagnostic::Ignored { offset, .. } => *offset,
            _ => 0,
        };
        assert!(offset < input.len() && !diagnostic.to_string().is_empty());
    }
}

/// The info dictionary alone has the same hashes and content.
fn only_info_matters(torrent: &Torrent, info: Dict<'_>) {
    let alone = Torrent::parse(&[b"d4:info", info.value().raw(), b"e"].concat()).expect("a torrent's info dictionary");
    assert_eq!((alone.hashes, &alone.safe_name), (torrent.hashes, &torrent.safe_name));
    assert_same_content(&alone, torrent);
}

/// In canonical form the torrent is the same apart from its hashes.
fn form_does_not_matter(torrent: &Torrent, document: &Document<'_>) {
    let Ok(written) = Encoder::encode(|value| value.value(document.root())) else { return };
    let canonical = Torrent::parse(&written).expect("a torrent in canonical form");
    assert_same_content(&canonical, torrent);
    assert_eq!((&canonical.trackers, &canonical.details), (&torrent.trackers, &torrent.details));
    assert!(!canonical.diagnostics.first().iter().any(is_not_canonical));
    assert_eq!(document.deviations().is_empty(), canonical == *torrent);
}

fn assert_same_content(a: &Torrent, b: &Torrent) {
    assert_eq!((&a.name, a.private, &a.name_issues), (&b.name, b.private, &b.name_issues));
    assert_eq!((a.piece_length, a.pieces, a.total_size), (b.piece_length, b.pieces, b.total_size));
    assert_eq!(a.files, b.files);
    assert_eq!(a.details.source, b.details.source);
}
