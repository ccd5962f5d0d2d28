//! A torrent of several files.

use sha1::{Digest, Sha1};

use super::parts::{invented_hashes, url_list};
use crate::bencoding::{dictionary, integer, list, string};

/// What a `.torrent` of a folder says. The files need not exist: the piece hashes are invented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder<'a> {
    /// The folder's name.
    pub name: &'a str,
    /// Each file: its path in the folder, with `/` between its elements, and its length in bytes.
    pub files: Vec<(String, u64)>,
    /// The length of a piece in bytes, which must not be 0.
    pub piece_length: u64,
    /// Web seeds (BEP 19); left out when empty.
    pub url_list: Vec<&'a str>,
}

impl Folder<'_> {
    /// The whole `.torrent`, in canonical bencode.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        dictionary([("info", self.info())].into_iter().chain(url_list(&self.url_list)))
    }

    /// The v1 info-hash.
    #[must_use]
    pub fn info_hash(&self) -> [u8; 20] {
        Sha1::digest(self.info()).into()
    }

    fn info(&self) -> Vec<u8> {
        let file = |(path, length): &(String, u64)| {
            dictionary([("length", integer(*length)), ("path", list(path.split('/').map(string)))])
        };
        let length: u64 = self.files.iter().map(|(_, length)| length).sum();
        dictionary([
            ("files", list(self.files.iter().map(file))),
            ("name", string(self.name)),
            ("piece length", integer(self.piece_length)),
            ("pieces", string(invented_hashes(length.div_ceil(self.piece_length)))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes() {
        let files = vec![("a/b".to_owned(), 1), ("c".to_owned(), 16)];
        let folder = Folder { name: "d", files, piece_length: 16, url_list: vec!["http://w/"] };
        let files = "5:filesld6:lengthi1e4:pathl1:a1:beed6:lengthi16e4:pathl1:ceee";
        let pieces = "6:pieces40:0000000000000000000000000000000000000001";
        let info = format!("4:infod{files}4:name1:d12:piece lengthi16e{pieces}e");
        assert_eq!(folder.to_bytes(), format!("d{info}8:url-listl9:http://w/ee").into_bytes());
    }
}
