//! Views of a torrent for display: text in UTF-8, files and sizes without padding.

use crate::file_list::File;
use crate::torrent::Torrent;
use std::borrow::Cow;

impl Torrent {
    /// The name as text; bytes that are neither UTF-8 nor in the declared encoding are replaced. Escape it for display.
    #[must_use]
    pub fn name_lossy(&self) -> Cow<'_, str> {
        match self.readable(&self.name) {
            Cow::Borrowed(name) => String::from_utf8_lossy(name),
            Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
        }
    }

    /// Text of this torrent in UTF-8, if it is in UTF-8 or in the encoding that the torrent declares; else unchanged. Escape
    /// it for display.
    #[must_use]
    pub fn readable<'b>(&self, text: &'b [u8]) -> Cow<'b, [u8]> {
        let encoding = self.details.encoding.filter(|_| std::str::from_utf8(text).is_err());
        match encoding.and_then(|encoding| encoding.read(text)) {
            Some(Cow::Owned(read)) => Cow::Owned(read.into_bytes()),
            _ => Cow::Borrowed(text),
        }
    }

    /// A path of this torrent, joined with slashes, each element [`readable`](Self::readable).
    #[must_use]
    pub fn readable_path(&self, path: &[&[u8]]) -> Vec<u8> {
        path.iter().map(|element| self.readable(element)).collect::<Vec<_>>().join(&b'/')
    }

    /// Bytes of all files together, without padding.
    #[must_use]
    pub fn content_size(&self) -> u64 {
        self.files.content_size()
    }

    /// The files that the torrent lists: without the padding that is inserted into a v2 tree, but with padding of v1.
    pub fn named_files(&self) -> impl Iterator<Item = File<'_>> {
        let inserts = self.hashes.v1().is_none();
        self.files.iter().filter(move |file| !(inserts && file.attributes.padding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn torrent(before: &[u8], info: &[u8]) -> Torrent {
        Torrent::parse(&[b"d", before, b"4:infod", info, b"ee"].concat()).unwrap()
    }

    #[test]
    fn names_are_decoded_with_the_declared_encoding() {
        let info =
            b"5:filesld6:lengthi5e4:pathl4:\xb5\xe7\xd3\xb05:a.txteee4:name4:\xb5\xe7\xd3\xb012:piece lengthi16384e\
            6:pieces20:aaaaaaaaaaaaaaaaaaaa";
        let found = torrent(b"7:comment2:\xb5\xe78:encoding3:GBK", info);
        assert_eq!(found.name_lossy(), "电影");
        assert_eq!(found.readable_path(&found.files.iter().next().unwrap().path), "电影/a.txt".as_bytes());
        assert_eq!(found.readable(found.details.comment.as_deref().unwrap()), "电".as_bytes());
        // UTF-8 takes precedence over the declared encoding; text in neither is unchanged.
        assert_eq!(found.readable("ü".as_bytes()), "ü".as_bytes());
        assert_eq!(found.readable(b"\xff\xff"), &b"\xff\xff"[..]);
        for before in [&b""[..], b"8:encoding7:klingon", b"8:encoding5:UTF-8"] {
            let found = torrent(before, info);
            assert_eq!(
                (found.readable(&found.name), found.name_lossy().contains('\u{fffd}')),
                (found.name.clone().into(), true)
            );
        }
    }

    #[test]
    fn padding_does_not_count_as_content() {
        let v1 = torrent(
            b"",
            b"5:filesld6:lengthi4e4:pathl1:aeed4:attr1:p6:lengthi16380e4:pathl4:.pad5:16380eed6:lengthi5e4:pathl1:beee\
            4:name1:n12:piece lengthi16384e6:pieces40:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        );
        assert_eq!((v1.total_size, v1.content_size(), v1.named_files().count()), (16389, 9, 3));
        let root = "r".repeat(32);
        let leaf = |length| format!("d0:d6:lengthi{length}e11:pieces root32:{root}ee");
        let tree =
            format!("9:file treed1:a{}1:b{}e12:meta versioni2e4:name1:n12:piece lengthi16384e", leaf(20), leaf(34));
        let v2 = torrent(b"", tree.as_bytes());
        assert_eq!((v2.total_size, v2.content_size(), v2.named_files().count()), (32768, 54, 2));
    }
}
