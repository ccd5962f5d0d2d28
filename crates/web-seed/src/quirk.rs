//! What some clients cannot use of a web seed, though nothing is wrong with the server.

use crate::url::{Content, WebSeedUrl};

/// What some clients cannot use of a web seed, though nothing is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// The URL of a torrent with a directory does not end in a slash: libtorrent and aria2 add it, Transmission asks for the URL
    /// itself, whatever the file.
    NoFinalSlash,
    /// A name has `#`: Transmission 4.1 cuts its request there.
    NumberSign,
    /// A name has `%`: Transmission 4.1 sends it as it is, and servers decode what follows.
    PercentSign,
    /// libtorrent asks for another name: it writes `_` for bytes that are not UTF-8 and for control characters, drops `\` and
    /// characters that change the direction of text, and shortens a name of more than 240 bytes.
    ChangedName,
}

/// Bytes of a name that libtorrent does not shorten.
const MOST_BYTES: usize = 240;

impl Quirk {
    /// Those of a web seed of BEP 19, each once; `paths` are those of the torrent's files. Names that are not requested, because
    /// the URL is that of the file, do not count.
    pub fn of<'p>(
        url: &WebSeedUrl,
        content: Content<'_>,
        paths: impl IntoIterator<Item = &'p [&'p [u8]]>,
    ) -> Vec<Self> {
        if content.is_single_file && !url.ends_in_slash() {
            return Vec::new();
        }
        let (mut number_sign, mut percent_sign, mut changed_name) = (false, false, false);
        let mut look = |name: &[u8]| {
            number_sign |= name.contains(&b'#');
            percent_sign |= name.contains(&b'%');
            changed_name |= is_changed(name);
        };
        look(content.name);
        for path in paths.into_iter().filter(|_| !content.is_single_file) {
            path.iter().for_each(|name| look(name));
        }
        [
            (Self::NoFinalSlash, !url.expose().ends_with('/') && !content.is_single_file),
            (Self::NumberSign, number_sign),
            (Self::PercentSign, percent_sign),
            (Self::ChangedName, changed_name),
        ]
        .into_iter()
        .filter_map(|(quirk, is_there)| is_there.then_some(quirk))
        .collect()
    }
}

/// Whether libtorrent asks for this name as another one.
fn is_changed(name: &[u8]) -> bool {
    let is_changed = |text: &str| {
        text.chars().any(|c| matches!(c, '\0'..='\x1f' | '\\' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'))
    };
    name.len() > MOST_BYTES || std::str::from_utf8(name).map_or(true, is_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quirks_are_found_once_and_only_in_what_is_requested() {
        use Quirk::*;
        let many = |name| Content { name, is_single_file: false };
        let one = |name| Content { name, is_single_file: true };
        for (url, content, paths, expected) in [
            ("http://h/base/", many(b"n"), &[&[&b"a"[..], b"b"][..]][..], &[][..]),
            ("http://h/base", many(b"n"), &[&[b"a"]], &[NoFinalSlash]),
            ("http://h", many(b"n"), &[&[b"a"]], &[NoFinalSlash]),
            ("http://h/", many(b"n"), &[&[b"#1", b"100%"], &[b"#2", b"x#"]], &[NumberSign, PercentSign]),
            ("http://h/", many(b"50%"), &[&[b"a"]], &[PercentSign]),
            ("http://h/x", many(b"#"), &[&[b"%"]], &[NoFinalSlash, NumberSign, PercentSign]),
            ("http://h/x.iso", one(b"#%"), &[&[b"#%"]], &[]),
            ("http://h/", one(b"#"), &[&[b"#"]], &[NumberSign]),
            ("http://h/", one(b"a"), &[&[b"a"]], &[]),
        ] {
            assert_eq!(Quirk::of(&url.parse().unwrap(), content, paths.iter().copied()), expected, "{url} {content:?}");
        }
    }

    /// As libtorrent 2.0.8 was seen to ask for them.
    #[test]
    fn names_that_libtorrent_changes_are_found() {
        let long = |count| "x".repeat(count).into_bytes();
        let longest = long(240);
        let folder = Content { name: b"folder", is_single_file: false };
        let quirks = |name: &[u8]| Quirk::of(&"http://h/".parse().unwrap(), folder, [&[name][..]]);
        for name in [
            &b"\xff"[..],
            b"\xd6\xd0\xce\xc4.bin",
            b"\xed\xa0\x80",
            b"\xc0\xaf",
            b"a\\b",
            b"a\tb",
            b"\0",
            b"\x1f",
            "a\u{200f}b".as_bytes(),
            "\u{202e}".as_bytes(),
            &long(241),
        ] {
            assert_eq!(quirks(name), [Quirk::ChangedName], "{name:?}");
        }
        for name in [
            "na\u{ef}ve \u{4e2d}\u{1f600}",
            "\u{7f}\u{85}",
            "\u{200b}\u{2066}\u{feff}\u{fffd}",
            " a:b*?\"<>|+'.",
            std::str::from_utf8(&longest).unwrap(),
        ] {
            assert_eq!(quirks(name.as_bytes()), [], "{name:?}");
        }
    }
}
