//! The encoding that a torrent declares for names and comments that are not UTF-8.

use bencode::{Dict, Value};
use std::borrow::Cow;

/// An encoding of text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Its name in the WHATWG Encoding Standard: `GBK`, `Shift_JIS`, `windows-1251`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Decodes text; `None` if a part of it is not valid in this encoding.
    #[must_use]
    pub fn read<'b>(&self, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
        self.0.decode_without_bom_handling_and_without_replacement(bytes)
    }

    /// The value of `encoding`, or else the Windows code page in `codepage`, which BitComet writes; `None` if unknown.
    pub(crate) fn declared(root: Dict<'_>) -> Option<Self> {
        let label = root.get(b"encoding").and_then(Value::as_bytes).and_then(|label| std::str::from_utf8(label).ok());
        let code_page = root.get(b"codepage").and_then(Value::as_int);
        label.and_then(Self::of).or_else(|| Self::of(&format!("cp{}", code_page?)))
    }

    fn of(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase();
        let known = encoding_rs::Encoding::for_label(label.as_bytes());
        known.or_else(|| code_page(&label)).map(Self)
    }
}

/// Windows code pages: `cp936`, `windows1251`, `win-1252`, `936`. The standard has other names for the East Asian ones.
fn code_page(label: &str) -> Option<&'static encoding_rs::Encoding> {
    let number = ["windows", "win", "ansi", "cp", "ms", ""].iter().find_map(|prefix| label.strip_prefix(*prefix))?;
    let number = number.trim_start_matches(['-', '_', ' ']);
    match number {
        "932" => Some(encoding_rs::SHIFT_JIS),
        "936" => Some(encoding_rs::GBK),
        "949" => Some(encoding_rs::EUC_KR),
        "950" => Some(encoding_rs::BIG5),
        "65001" => Some(encoding_rs::UTF_8),
        _ => encoding_rs::Encoding::for_label(format!("windows-{number}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    fn declared(written: &str) -> Option<&'static str> {
        let document = Document::parse_lenient(written.as_bytes(), Limits::TORRENT).unwrap();
        Encoding::declared(document.root().as_dict().unwrap()).map(|encoding| encoding.name())
    }

    #[test]
    fn labels_in_use_have_their_encoding() {
        for (label, expected) in [
            ("GBK", Some("GBK")),
            ("gb2312", Some("GBK")),
            ("GB18030", Some("gb18030")),
            ("CP936", Some("GBK")),
            ("Big5", Some("Big5")),
            ("Shift_JIS", Some("Shift_JIS")),
            ("SJIS", Some("Shift_JIS")),
            ("cp932", Some("Shift_JIS")),
            ("EUC-KR", Some("EUC-KR")),
            ("windows-1251", Some("windows-1251")),
            ("CP1251", Some("windows-1251")),
            ("win-1252", Some("windows-1252")),
            ("windows_1250", Some("windows-1250")),
            ("KOI8-R", Some("KOI8-R")),
            ("ISO-8859-1", Some("windows-1252")),
            ("utf8", Some("UTF-8")),
            ("UTF-8", Some("UTF-8")),
            ("", None),
            ("klingon", None),
            ("cp437", None),
        ] {
            assert_eq!(declared(&format!("d8:encoding{}:{label}e", label.len())), expected, "{label}");
        }
        assert_eq!(declared("d8:codepagei936ee"), Some("GBK"));
        assert_eq!(declared("d8:codepagei1251e8:encoding1:?e"), Some("windows-1251"));
        assert_eq!(declared("d8:codepagei0ee"), None);
        assert_eq!(declared("d8:encodingi936ee"), None);
        assert_eq!(declared("de"), None);
    }

    #[test]
    fn text_is_decoded_only_if_all_of_it_is_valid() {
        let read = |label: &str, bytes: &[u8]| Encoding::of(label).unwrap().read(bytes).map(Cow::into_owned);
        assert_eq!(read("GBK", b"\xb5\xe7\xd3\xb0").as_deref(), Some("电影"));
        assert_eq!(read("Shift_JIS", b"\x93\xfa\x96\x7b").as_deref(), Some("日本"));
        assert_eq!(read("windows-1251", b"\xc0\xf2\xeb\xe0\xf1").as_deref(), Some("Атлас"));
        assert_eq!(read("GBK", b"\xb5"), None);
        assert_eq!(read("UTF-8", b"\xb5\xe7"), None);
    }
}
