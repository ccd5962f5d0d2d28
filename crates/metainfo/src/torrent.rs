//! The torrent as a whole, and the checks that hold its parts together.

use crate::{Error, File, Problem, files, trackers};
use bencode::{Dict, Document, Kind, Limits, Value};
use ids::InfoHash;
use sha1::{Digest, Sha1};

/// What a torrent file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torrent {
    /// SHA-1 over the raw bytes of the info dictionary (BEP 3).
    pub info_hash: InfoHash,
    /// The suggested file or directory name, `name.utf-8` if there is one; any bytes, hostile ones too.
    pub name: Vec<u8>,
    /// Bytes in each piece but the last.
    pub piece_length: u32,
    /// Number of pieces.
    pub pieces: u32,
    /// Bytes of all files together, never 0.
    pub total_size: u64,
    /// The files in the torrent's order.
    pub files: Vec<File>,
    /// BEP 27: peers may come from the torrent's own trackers only.
    pub private: bool,
    /// Tracker URLs by tier (BEP 12), as written, repeated ones too.
    pub trackers: Vec<Vec<String>>,
}

/// Largest piece libtorrent accepts, in bytes: 32,767 blocks of 16 KiB.
const MAX_PIECE_BYTES: i64 = 32_767 << 14;
/// Most pieces libtorrent accepts by default. A bitfield for them has 256 KiB.
const MAX_PIECES: u64 = 1 << 21;
/// Bytes of one piece hash.
const HASH_BYTES: usize = 20;

impl Torrent {
    /// Largest file worth reading, in bytes.
    pub const MAX_BYTES: usize = Limits::TORRENT.bytes;

    /// Reads a torrent leniently, as libtorrent does: what is not canonical bencode but readable is read.
    ///
    /// # Errors
    /// The first thing that makes the file unusable: broken bencode, a required field that is missing, of the wrong
    /// kind or out of range, or sizes that contradict the piece hashes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let document = Document::parse_lenient(bytes, Limits::TORRENT)?;
        let root = document.root();
        let mistyped = Problem::Mistyped { expected: Kind::Dict, found: root.kind() };
        let root = root.as_dict().ok_or_else(|| Error::field("torrent", mistyped, 0))?;
        let info = root.dict("info").map_err(|error| Error::in_dict("", error))?;
        if info.get(b"meta version").is_some() && info.get(b"files").is_none() && info.get(b"length").is_none() {
            return Err(Error::field("info", Problem::OnlyV2, info.value().offset()));
        }
        let piece_length = piece_length(info)?;
        let name = name(info)?.to_vec();
        let (files, total_size) = files::parse(info, &name)?;
        let pieces = piece_count(info, total_size, piece_length)?;
        Ok(Self {
            info_hash: InfoHash(Sha1::digest(info.value().raw()).into()),
            name,
            piece_length,
            pieces,
            total_size,
            files,
            // BEP 27 says 1; libtorrent and Transmission take any other number but 0 for yes too.
            private: info.int("private").is_ok_and(|private| private != 0),
            trackers: trackers::parse(root),
        })
    }
}

fn piece_length(info: Dict<'_>) -> Result<u32, Error> {
    let length = info.int("piece length").map_err(|error| Error::in_dict("info", error))?;
    let valid = (1..=MAX_PIECE_BYTES).contains(&length).then(|| u32::try_from(length).ok()).flatten();
    let offset = || info.get(b"piece length").map_or(0, Value::offset);
    valid.ok_or_else(|| Error::field("info.piece length", Problem::OutOfRange, offset()))
}

fn name(info: Dict<'_>) -> Result<&[u8], Error> {
    let name = info.bytes("name.utf-8").or_else(|_| info.bytes("name"));
    name.map_err(|error| Error::in_dict("info", error))
}

/// Checks that there is one hash for each piece, and counts them.
fn piece_count(info: Dict<'_>, total_size: u64, piece_length: u32) -> Result<u32, Error> {
    if total_size == 0 {
        return Err(Error::field("info", Problem::NoContent, info.value().offset()));
    }
    let hashes = info.bytes("pieces").map_err(|error| Error::in_dict("info", error))?.len();
    let problem = |problem| Error::field("info.pieces", problem, info.get(b"pieces").map_or(0, Value::offset));
    if !hashes.is_multiple_of(HASH_BYTES) {
        return Err(problem(Problem::PiecesLength { bytes: hashes }));
    }
    let expected = total_size.div_ceil(u64::from(piece_length));
    let found = (hashes / HASH_BYTES) as u64;
    if expected != found {
        return Err(problem(Problem::PieceCount { expected, found }));
    }
    if found > MAX_PIECES {
        return Err(problem(Problem::OutOfRange));
    }
    u32::try_from(found).map_err(|_| problem(Problem::OutOfRange))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `d<before>4:infod<info>e e`
    fn torrent(before: &str, info: &str) -> Vec<u8> {
        format!("d{before}4:infod{info}ee").into_bytes()
    }

    const HASH: &str = "aaaaaaaaaaaaaaaaaaaa";

    fn single() -> String {
        format!("6:lengthi7e4:name1:x12:piece lengthi16384e6:pieces20:{HASH}")
    }

    #[test]
    fn a_single_file() {
        let parsed = Torrent::parse(&torrent("8:announce10:http://t/a", &single())).unwrap();
        assert_eq!(parsed.files, [File { path: vec![b"x".to_vec()], length: 7 }]);
        assert_eq!((parsed.total_size, parsed.pieces, parsed.piece_length), (7, 1, 16384));
        assert_eq!(parsed.trackers, [["http://t/a"]]);
        assert!(!parsed.private);
        let info = format!("d{}e", single());
        assert_eq!(parsed.info_hash.0, <[u8; 20]>::from(Sha1::digest(info)));
    }

    #[test]
    fn the_hash_is_over_the_bytes_as_written() {
        let info = format!("4:name1:x6:lengthi007e12:piece lengthi16384e6:pieces20:{HASH}");
        let parsed = Torrent::parse(&torrent("", &info)).unwrap();
        assert_eq!(parsed.info_hash.0, <[u8; 20]>::from(Sha1::digest(format!("d{info}e"))));
    }

    #[test]
    fn several_files() {
        let files = "5:filesld6:lengthi16384e4:pathl1:a1:beed6:lengthi1e4:pathl1:ceee";
        let info = format!("{files}4:name1:d12:piece lengthi16384e6:pieces40:{HASH}{HASH}7:privatei1e");
        let parsed = Torrent::parse(&torrent("", &info)).unwrap();
        let file = |path: &[&[u8]], length| File { path: path.iter().map(|part| part.to_vec()).collect(), length };
        assert_eq!(parsed.files, [file(&[b"a", b"b"], 16384), file(&[b"c"], 1)]);
        assert_eq!((parsed.total_size, parsed.pieces, parsed.private), (16385, 2, true));
    }

    #[test]
    fn tiers_of_trackers() {
        for (before, tiers) in [
            ("8:announce1:a13:announce-listll1:b1:cel1:dee", vec![vec!["b", "c"], vec!["d"]]),
            ("8:announce1:a13:announce-listle", vec![vec!["a"]]),
            ("8:announce1:a13:announce-listl1:be", vec![vec!["a"]]),
            ("8:announce1:a13:announce-listll1:bel1:b2: cee", vec![vec!["b"], vec!["b", "c"]]),
            ("8:announce0:", vec![]),
            ("8:announcei1e", vec![]),
        ] {
            assert_eq!(Torrent::parse(&torrent(before, &single())).unwrap().trackers, tiers, "{before}");
        }
    }

    #[test]
    fn errors_name_the_field_and_the_place() {
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
            (
                "12:meta versioni2e12:piece lengthi16384e".into(),
                "info: v2-only torrents are not supported yet (at byte 7)",
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
        fn no_change_of_a_byte_makes_it_panic(at in 0..100_usize, byte: u8) {
            let mut bytes = torrent("8:announce10:http://t/a", &single());
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = Torrent::parse(&bytes);
        }
    }
}
