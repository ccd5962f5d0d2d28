//! `.torrent` files (BEP 3) for tests and the demo.

use sha1::{Digest, Sha1};

use crate::bencoding::{dictionary, integer, list, string};

mod folder;
mod parts;

pub use folder::Folder;
use parts::{invented_hashes, url_list};

/// What a `.torrent` of one file says. The file itself need not exist: its piece hashes are invented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleFile<'a> {
    /// The file's name.
    pub name: &'a str,
    /// The file's length in bytes.
    pub length: u64,
    /// The length of a piece in bytes. 0 makes a torrent without pieces, which is invalid.
    pub piece_length: u64,
    /// The tracker, if there is only one or for clients that know only one.
    pub announce: Option<&'a str>,
    /// Tiers of trackers (BEP 12); left out when empty.
    pub announce_list: Vec<Vec<&'a str>>,
    /// Whether the torrent is private (BEP 27).
    pub private: bool,
    /// Web seeds (BEP 19); left out when empty.
    pub url_list: Vec<&'a str>,
}

impl<'a> SingleFile<'a> {
    /// A public torrent with pieces of 256 KiB and no tracker.
    #[must_use]
    pub fn new(name: &'a str, length: u64) -> Self {
        Self {
            name,
            length,
            piece_length: 1 << 18,
            announce: None,
            announce_list: Vec::new(),
            private: false,
            url_list: Vec::new(),
        }
    }

    /// The whole file, in canonical bencode.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut entries = vec![("info", self.info())];
        entries.extend(self.announce.map(|url| ("announce", string(url))));
        if !self.announce_list.is_empty() {
            let tiers = self.announce_list.iter().map(|tier| list(tier.iter().map(string)));
            entries.push(("announce-list", list(tiers)));
        }
        entries.extend(url_list(&self.url_list));
        dictionary(entries)
    }

    /// The info dictionary, in canonical bencode.
    #[must_use]
    pub fn info(&self) -> Vec<u8> {
        let mut entries = vec![
            ("length", integer(self.length)),
            ("name", string(self.name)),
            ("piece length", integer(self.piece_length)),
            ("pieces", string(self.pieces())),
        ];
        if self.private {
            entries.push(("private", integer(1)));
        }
        dictionary(entries)
    }

    /// The v1 info-hash: SHA-1 of [`info`](Self::info).
    #[must_use]
    pub fn info_hash(&self) -> [u8; 20] {
        sha1(&self.info())
    }

    /// How many pieces the file has; the last may be shorter.
    #[must_use]
    pub fn piece_count(&self) -> u64 {
        if self.piece_length == 0 { 0 } else { self.length.div_ceil(self.piece_length) }
    }

    fn pieces(&self) -> String {
        invented_hashes(self.piece_count())
    }
}

/// SHA-1: of an info dictionary, its v1 info-hash; of a piece, its hash.
#[must_use]
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes() {
        let torrent = SingleFile {
            announce: Some("http://127.0.0.1/announce"),
            announce_list: vec![vec!["http://a/announce", "http://b/announce"], vec!["http://c/announce"]],
            piece_length: 16,
            private: true,
            url_list: vec!["http://w/"],
            ..SingleFile::new("a.txt", 17)
        };
        let info = b"d6:lengthi17e4:name5:a.txt12:piece lengthi16e6:pieces40:00000000000000000000\
            000000000000000000017:privatei1ee";
        assert_eq!(torrent.info(), info.as_slice());
        let head = b"d8:announce25:http://127.0.0.1/announce13:announce-listll17:http://a/announce\
            17:http://b/announceel17:http://c/announceee4:info";
        assert_eq!(torrent.to_bytes(), [head.as_slice(), info, b"8:url-listl9:http://w/ee"].concat());
    }

    #[test]
    fn known_info_hash() {
        // printf 'd6:lengthi0e4:name1:a12:piece lengthi16384e6:pieces0:e' | sha1sum
        let torrent = SingleFile { piece_length: 16384, ..SingleFile::new("a", 0) };
        let hex: String = torrent.info_hash().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5b7e4b42bfee1ce1be9a5ce6fd76ff2a7834afe8");
    }

    #[test]
    fn the_info_hash_depends_on_the_info_alone() {
        let torrent = SingleFile::new("a", 1000);
        let announced = SingleFile { announce: Some("http://x/announce"), ..torrent.clone() };
        assert_eq!(announced.info_hash(), torrent.info_hash());
        assert_ne!(SingleFile { private: true, ..torrent.clone() }.info_hash(), torrent.info_hash());
    }

    #[test]
    fn piece_counts() {
        for (length, piece_length, count) in [(0, 16, 0), (1, 16, 1), (16, 16, 1), (17, 16, 2), (5, 0, 0)] {
            let torrent = SingleFile { piece_length, ..SingleFile::new("a", length) };
            assert_eq!(torrent.piece_count(), count, "{length} / {piece_length}");
        }
    }
}
