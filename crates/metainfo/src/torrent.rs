//! Reads a torrent, and checks that its parts agree.

use crate::cross_check;
use crate::details::{self, Details};
use crate::diagnostic::Diagnostics;
use crate::error::{Error, Problem};
use crate::file_list::Files;
use crate::files::{self, BLOCK_BYTES, Layout, PADDING_DIRECTORY};
use crate::hashes::Hashes;
use crate::layers;
use crate::path_issue::{self, PathIssue};
use crate::quota::truncated;
use crate::safe_name::{safe_element, safe_name};
use crate::trackers::{self, Tracker};
use crate::tree;
use crate::version::{Parts, document, open};
use bencode::{Dict, Kind, Limits, Value};
use ids::InfoHash;
use sha1::{Digest, Sha1};

/// The contents of a torrent file (BEP 3, 52). The hashes of its pieces are in `PieceHashes`. More
/// fields may be added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Torrent {
    /// The info-hash, or both of a hybrid.
    pub hashes: Hashes,
    /// The suggested name of the file or directory, `name.utf-8` if present: the first 64 KiB, any bytes, also hostile ones.
    pub name: Vec<u8>,
    /// Reasons not to use the name for a file or directory.
    pub name_issues: Vec<PathIssue>,
    /// The name that libtorrent and the clients built on it show: lossy text without what they do not write to disk, or the v1
    /// info-hash if nothing is left. It has no control characters, but may have invisible ones.
    pub safe_name: String,
    /// Bytes in each piece except the last.
    pub piece_length: u32,
    /// Number of pieces.
    pub pieces: u32,
    /// Bytes of all files together, padding included; never 0.
    pub total_size: u64,
    /// The files in the torrent's order, padding included. Into a v2 tree, padding is inserted where pieces are aligned.
    pub files: Files,
    /// Whether the torrent is one file. Else its files, even if there is one, are in a directory with the torrent's name.
    pub is_single_file: bool,
    /// BEP 27: peers may come only from the torrent's own trackers.
    pub private: bool,
    /// Trackers by tier (BEP 12), as written, including duplicate and unusable ones.
    pub trackers: Vec<Vec<Tracker>>,
    /// Fields that do not describe the content.
    pub details: Details,
    /// Faults that do not prevent reading it.
    pub diagnostics: Diagnostics,
}

/// Largest piece libtorrent accepts, in bytes: 32,767 blocks of 16 KiB.
const MAX_PIECE_BYTES: i64 = 32_767 * BLOCK_BYTES;
/// Most pieces libtorrent accepts by default. Their bitfield has 256 KiB, their v1 hashes 40 MiB.
const MAX_PIECES: u64 = 1 << 21;
/// Bytes of a v1 piece hash.
pub(crate) const HASH_BYTES: usize = 20;

impl Torrent {
    /// Largest torrent file accepted, in bytes.
    pub const MAX_BYTES: usize = Limits::TORRENT.bytes;

    /// Reads a torrent leniently, as libtorrent does: bencode that is not canonical is accepted, except in a v2 info
    /// dictionary, and optional fields of the wrong kind are ignored. Both are noted in [`diagnostics`](Self::diagnostics).
    ///
    /// # Errors
    /// The first fault that makes the file unusable: broken bencode; a required field that is missing, of the wrong kind or
    /// out of range; sizes that contradict the piece hashes; hashes or file lists that contradict each other.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let document = document(bytes)?;
        let mut diagnostics = Diagnostics::default();
        diagnostics.not_canonical(document.deviations());
        let (root, info, parts) = open(&document)?;
        let piece_length = piece_length(info, parts)?;
        let name = truncated(name(info, &mut diagnostics)?);
        let offset = info.value().offset();
        let shown = safe_name(name).unwrap_or_else(|| InfoHash(Sha1::digest(info.value().raw()).into()).to_string());
        let layout = layout(info, parts, piece_length, name, &mut diagnostics)?;
        let pieces = piece_count(info, parts, layout.total, piece_length)?;
        if parts.has_v2() {
            layers::check(root, &layout, piece_length, &mut diagnostics)?;
        }
        let mut torrent = Self {
            hashes: Hashes::of(info.value().raw(), parts),
            name: name.to_vec(),
            name_issues: path_issue::issues(&[name]),
            safe_name: shown_name(&layout).unwrap_or_else(|| shown.clone()),
            piece_length,
            pieces,
            total_size: layout.total,
            is_single_file: layout.single,
            files: layout.files,
            private: private(info, &mut diagnostics),
            trackers: trackers::parse(root, &mut diagnostics),
            details: details::parse(root, info, &mut diagnostics),
            diagnostics,
        };
        // The tape is freed before the paths of all files are compared, which takes memory too.
        drop(document);
        cross_check::find_duplicates(&mut torrent.files, &shown, offset)?;
        Ok(torrent)
    }
}

fn piece_length(info: Dict<'_>, parts: Parts) -> Result<u32, Error> {
    let length = info.int("piece length").map_err(|error| Error::in_dict("info", error))?;
    let problem =
        |problem| Error::field("info.piece length", problem, info.get(b"piece length").map_or(0, Value::offset));
    let fits = (1..=MAX_PIECE_BYTES).contains(&length).then(|| u32::try_from(length).ok()).flatten();
    let piece_length = fits.ok_or_else(|| problem(Problem::OUT_OF_RANGE))?;
    // BEP 52: "It must be a power of two and at least 16KiB."
    if parts.has_v2() && (length < BLOCK_BYTES || !piece_length.is_power_of_two()) {
        return Err(problem(Problem::PowerOfTwo));
    }
    Ok(piece_length)
}

fn name<'d>(info: Dict<'d>, diagnostics: &mut Diagnostics) -> Result<&'d [u8], Error> {
    if let Some(value) = info.get(b"name.utf-8") {
        if let Some(name) = value.as_bytes() {
            return Ok(name);
        }
        let problem = Problem::mistyped(value, Kind::String);
        diagnostics.ignored(|| "info.name.utf-8".to_owned(), problem, value.offset());
    }
    info.bytes("name").map_err(|error| Error::in_dict("info", error))
}

/// The name that libtorrent takes from the first file: that of a single file, or of the directory for padding without a path.
fn shown_name(layout: &Layout) -> Option<String> {
    let first = layout.files.iter().next()?;
    match first.path.last() {
        Some(name) => layout.single.then(|| safe_element(name).into_owned()),
        None => Some(PADDING_DIRECTORY.to_owned()),
    }
}

/// The files of all parts: for a hybrid, the v2 list, after a check that it agrees with the v1 list.
fn layout(
    info: Dict<'_>,
    parts: Parts,
    piece_length: u32,
    name: &[u8],
    diagnostics: &mut Diagnostics,
) -> Result<Layout, Error> {
    let offset = info.value().offset();
    let v1 = if parts.has_v1() { Some(files::parse(info, name, diagnostics)?) } else { None };
    let layout = if parts.has_v2() {
        let list = info.get(b"files").is_some_and(|files| files.as_list().is_some());
        let tree = info.dict("file tree").map_err(|error| Error::in_dict("info", error))?;
        let mut v2 = tree::parse(tree, piece_length, list, diagnostics)?;
        if let Some(v1) = &v1 {
            cross_check::check_hybrid(&mut v2, v1, offset)?;
        }
        v2
    } else {
        v1.unwrap_or_default()
    };
    if layout.files.is_empty() {
        let list = if parts.has_v2() { "file tree" } else { "files" };
        let offset = info.get(list.as_bytes()).map_or(offset, Value::offset);
        return Err(Error::field(format!("info.{list}"), Problem::Empty, offset));
    }
    Ok(layout)
}

/// The number of pieces, with a check that there is one v1 hash for each.
fn piece_count(info: Dict<'_>, parts: Parts, total_size: u64, piece_length: u32) -> Result<u32, Error> {
    let offset = info.value().offset();
    if total_size == 0 {
        return Err(Error::field("info", Problem::NoContent, offset));
    }
    let expected = total_size.div_ceil(u64::from(piece_length));
    let pieces = u32::try_from(expected).ok().filter(|_| expected <= MAX_PIECES);
    let too_many = Problem::TooManyPieces { found: expected, limit: MAX_PIECES };
    let pieces = pieces.ok_or_else(|| Error::field("info", too_many, offset))?;
    let hashes = match info.bytes("pieces") {
        Ok(hashes) => hashes.len(),
        // libtorrent accepts a hybrid without v1 hashes: its v2 part has hashes for all pieces.
        Err(_) if parts.has_v2() => return Ok(pieces),
        Err(error) => return Err(Error::in_dict("info", error)),
    };
    let problem = |problem| Error::field("info.pieces", problem, info.get(b"pieces").map_or(0, Value::offset));
    if !hashes.is_multiple_of(HASH_BYTES) {
        return Err(problem(Problem::PiecesLength { bytes: hashes }));
    }
    let found = (hashes / HASH_BYTES) as u64;
    if expected == found { Ok(pieces) } else { Err(problem(Problem::PieceCount { expected, found })) }
}

/// BEP 27 says 1; libtorrent and Transmission accept any number except 0.
fn private(info: Dict<'_>, diagnostics: &mut Diagnostics) -> bool {
    let Some(value) = info.get(b"private") else { return false };
    if value.kind() != Kind::Integer {
        let problem = Problem::mistyped(value, Kind::Integer);
        diagnostics.ignored(|| "info.private".to_owned(), problem, value.offset());
    }
    value.as_int().is_some_and(|private| private != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_list::File;
    use proptest::prelude::*;

    /// `d<before>4:infod<info>e e`
    fn torrent(before: &str, info: &str) -> Vec<u8> {
        format!("d{before}4:infod{info}ee").into_bytes()
    }

    fn file<'t>(path: &[&'t [u8]], length: u64) -> File<'t> {
        File { path: path.to_vec(), length, ..File::default() }
    }

    fn urls(torrent: &Torrent) -> Vec<Vec<&str>> {
        torrent.trackers.iter().map(|tier| tier.iter().map(|tracker| tracker.url.as_str()).collect()).collect()
    }

    fn v1(info: &str) -> Hashes {
        Hashes::V1(InfoHash(Sha1::digest(info).into()))
    }

    const HASH: &str = "aaaaaaaaaaaaaaaaaaaa";

    fn single() -> String {
        format!("6:lengthi7e4:name1:x12:piece lengthi16384e6:pieces20:{HASH}")
    }

    #[test]
    fn a_torrent_of_one_file_is_read() {
        let parsed = Torrent::parse(&torrent("8:announce10:http://t/a", &single())).unwrap();
        assert!(parsed.files.iter().eq([file(&[b"x"], 7)]));
        assert_eq!((parsed.total_size, parsed.pieces, parsed.piece_length), (7, 1, 16384));
        assert_eq!(urls(&parsed), [["http://t/a"]]);
        assert!(!parsed.private);
        let info = format!("d{}e", single());
        assert_eq!(parsed.hashes, v1(&info));
    }

    #[test]
    fn the_info_hash_is_over_the_bytes_as_written() {
        let info = format!("4:name1:x6:lengthi007e12:piece lengthi16384e6:pieces20:{HASH}");
        let parsed = Torrent::parse(&torrent("", &info)).unwrap();
        assert_eq!(parsed.hashes, v1(&format!("d{info}e")));
    }

    #[test]
    fn a_torrent_of_several_files_is_read() {
        let files = "5:filesld6:lengthi16384e4:pathl1:a1:beed6:lengthi1e4:pathl1:ceee";
        let info = format!("{files}4:name1:d12:piece lengthi16384e6:pieces40:{HASH}{HASH}7:privatei1e");
        let parsed = Torrent::parse(&torrent("", &info)).unwrap();
        assert!(parsed.files.iter().eq([file(&[b"a", b"b"], 16384), file(&[b"c"], 1)]));
        assert_eq!((parsed.total_size, parsed.pieces, parsed.private), (16385, 2, true));
    }

    fn v2_info(key: &str, piece_length: u32) -> String {
        let file = format!("d0:d6:lengthi5e11:pieces root32:{}ee", "r".repeat(32));
        format!("9:file treed{key}{file}e12:meta versioni2e4:name1:a12:piece lengthi{piece_length}e")
    }

    #[test]
    fn a_v2_torrent_and_a_hybrid_are_read() {
        let info = v2_info("1:a", 16384);
        let parsed = Torrent::parse(&torrent("", &info)).unwrap();
        let v2 = ids::InfoHashV2(sha2::Sha256::digest(format!("d{info}e")).into());
        assert_eq!(parsed.hashes, Hashes::V2(v2));
        assert_eq!(Hashes::read(&torrent("", &info)), Ok(Hashes::V2(v2)));
        // One file and the padding after it, as in libtorrent.
        assert_eq!((parsed.total_size, parsed.pieces, parsed.files.len()), (16384, 1, 2));
        let hybrid = info.replace("12:meta", "6:lengthi5e12:meta") + "6:pieces20:" + HASH;
        let parsed = Torrent::parse(&torrent("", &hybrid)).unwrap();
        assert!(parsed.hashes.v1().is_some() && parsed.hashes.v2().is_some());
        assert_eq!((parsed.total_size, parsed.files.len()), (5, 1));
        let other = Torrent::parse(&torrent("", &hybrid.replace("lengthi5e12", "lengthi6e12")));
        assert_eq!(other.unwrap_err().to_string(), "info: the v1 and v2 file lists differ (at byte 7)");
    }

    #[test]
    fn meta_version_is_truncated_as_in_libtorrent() {
        for (version, read) in [
            ("1", true),
            ("-1", true),
            ("2147483648", true),
            ("18446744073709551618", true),
            ("2147483647", false),
            ("4294967299", false),
        ] {
            let info = single().replace("4:name", &format!("12:meta versioni{version}e4:name"));
            assert_eq!(Torrent::parse(&torrent("", &info)).is_ok(), read, "{version}");
        }
        let info = v2_info("1:a", 16384).replace("versioni2e", "versioni4294967298e");
        assert!(Torrent::parse(&torrent("", &info)).unwrap().hashes.v2().is_some());
    }

    #[test]
    fn harmless_faults_are_noted_as_diagnostics() {
        let info = format!("10:name.utf-8i1e{}7:private1:1", single());
        let parsed = Torrent::parse(&torrent("", &info)).unwrap();
        let notes: Vec<String> = parsed.diagnostics.first().iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "not canonical: unsorted key (at byte 24)",
                "info.name.utf-8: expected string, found integer, ignored (at byte 21)",
                "info.private: expected integer, found string, ignored (at byte 106)",
            ]
        );
        assert!(!parsed.private);
    }

    #[test]
    fn a_name_is_kept_as_written_beside_the_safe_name() {
        let parsed = Torrent::parse(&torrent("", &single().replace("4:name1:x", "4:name6:../a\tb"))).unwrap();
        assert_eq!((parsed.name.as_slice(), parsed.safe_name.as_str()), (&b"../a\tb"[..], "..a_b"));
        assert_eq!(parsed.name_issues, [PathIssue::Separator, PathIssue::Control]);
        let padded = single().replace("6:lengthi7e", "5:filesld4:attr1:p6:lengthi7eee");
        assert_eq!(Torrent::parse(&torrent("", &padded)).unwrap().safe_name, ".pad");
        let unnamed = Torrent::parse(&torrent("", &single().replace("4:name1:x", "4:name2:..")));
        assert_eq!(unnamed.unwrap_err().to_string(), "info.name: empty (at byte 7)");
    }

    #[test]
    fn trackers_are_read_by_tier() {
        for (before, tiers) in [
            (
                "8:announce8:http://a13:announce-listll8:http://b8:http://cel8:http://dee",
                vec![vec!["http://b", "http://c"], vec!["http://d"]],
            ),
            ("8:announce8:http://a13:announce-listle", vec![vec!["http://a"]]),
            ("8:announce8:http://a13:announce-listl8:http://be", vec![vec!["http://a"]]),
            ("8:announce8:http://a13:announce-listll7:dht://bee", vec![vec!["dht://b"], vec!["http://a"]]),
            (
                "8:announce8:http://a13:announce-listll8:http://bel9: http://bee",
                vec![vec!["http://b"], vec!["http://b"]],
            ),
            ("8:announce0:", vec![]),
            ("8:announcei1e", vec![]),
        ] {
            assert_eq!(urls(&Torrent::parse(&torrent(before, &single())).unwrap()), tiers, "{before}");
        }
    }

    #[test]
    fn errors_name_the_field_and_its_offset() {
        let tail = format!("4:name1:x12:piece lengthi16384e6:pieces20:{HASH}");
        for (info, message) in [
            (format!("6:lengthi-1e{tail}"), "info.length: negative (at byte 16)"),
            (format!("6:lengthi0e{tail}"), "info: total size is zero (at byte 7)"),
            (format!("6:length1:7{tail}"), "info.length: expected integer, found string (at byte 16)"),
            (tail.clone(), "info.length: missing (at byte 7)"),
            (format!("6:lengthi99999e{tail}"), "info.pieces: 1 piece hashes for 7 pieces (at byte 62)"),
            (format!("6:lengthi9223372036854775807e{tail}"), "info.length: out of range (at byte 16)"),
            (format!("5:filesle{tail}"), "info.files: empty (at byte 15)"),
            (format!("5:filesli1ee{tail}"), "info.files[0]: expected dictionary, found integer (at byte 16)"),
            (format!("5:filesld6:lengthi1e4:pathleee{tail}"), "info.files[0].path: empty (at byte 34)"),
            (
                format!("5:filesld6:lengthi1e4:pathli1eeee{tail}"),
                "info.files[0].path[0]: expected string, found integer (at byte 35)",
            ),
            ("6:lengthi1e4:name1:x12:piece lengthi0e6:pieces0:".into(), "info.piece length: out of range (at byte 43)"),
            (
                "6:lengthi1e4:name1:x12:piece lengthi1e6:pieces3:abc".into(),
                "info.pieces: 3 bytes are not a whole number of 20-byte hashes (at byte 54)",
            ),
            ("12:meta versioni2e4:name1:x12:piece lengthi16384e".into(), "info.file tree: missing (at byte 7)"),
            (
                "9:file treele12:meta versioni2e12:piece lengthi16384e".into(),
                "info.file tree: expected dictionary, found list (at byte 19)",
            ),
            ("12:meta versioni3e".into(), "info.meta version: version 3 is unknown (at byte 23)"),
            (format!("9:file treede{tail}"), "info.file tree: a v2 file tree without meta version 2 (at byte 19)"),
            (v2_info("1:a", 20000), "info.piece length: not a power of two of at least 16 KiB (at byte 132)"),
            (v2_info("1:a", 16384) + "1:ai1e", "info: not canonical: unsorted key (at byte 139)"),
            (v2_info("01:a", 16384), "info: not canonical: leading zero (at byte 20)"),
            // More harmless deviations than are kept do not hide a fatal one.
            (
                format!("{}1:xl{}e1:a0:", v2_info("1:a", 16384), "i-0e".repeat(100)),
                "info: not canonical: unsorted key (at byte 544)",
            ),
            (
                format!("{}1:xl{}i03ee", v2_info("1:a", 16384), "i-03e".repeat(100)),
                "info: not canonical: leading zero (at byte 643)",
            ),
        ] {
            assert_eq!(Torrent::parse(&torrent("", &info)).unwrap_err().to_string(), message);
        }
        assert_eq!(
            Torrent::parse(b"le").unwrap_err().to_string(),
            "torrent: expected dictionary, found list (at byte 0)"
        );
        assert_eq!(Torrent::parse(b"de").unwrap_err().to_string(), "info: missing (at byte 0)");
        assert_eq!(
            Torrent::parse(b"d4:infoi1ee").unwrap_err().to_string(),
            "info: expected dictionary, found integer (at byte 7)"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Torrent::parse(&bytes);
        }

        #[test]
        fn a_changed_byte_of_a_v2_torrent_never_panics(at in 0..160_usize, byte: u8) {
            let mut bytes = torrent("12:piece layersde", &v2_info("1:a", 16384));
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = Torrent::parse(&bytes);
        }

        #[test]
        fn a_changed_byte_of_a_v1_torrent_never_panics(at in 0..100_usize, byte: u8) {
            let mut bytes = torrent("8:announce10:http://t/a", &single());
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = Torrent::parse(&bytes);
        }
    }
}
