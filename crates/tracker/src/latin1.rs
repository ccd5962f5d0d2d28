//! Bytes that a tracker treated as Latin-1 text and wrote as UTF-8. bittorrent-tracker 11 does so with the keys of its scrape
//! replies and with peer ids: each byte from 0x80 on becomes two.

/// The bytes behind `text`; `None` when it is not such text: not UTF-8, ASCII alone, or with a character above U+00FF.
///
/// Many bytes are valid in both readings, so the caller decodes only where the length is wrong otherwise.
pub(crate) fn undo(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return None;
    }
    std::str::from_utf8(text).ok()?.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ascii_invalid_utf8_and_wide_characters_are_not_decoded() {
        for (text, bytes) in [
            (&b"\xc2\x80"[..], Some(&b"\x80"[..])),
            (b"a\xc3\xbf\0", Some(b"a\xff\0")),
            (b"", None),
            (b"a", None),
            (b"\x80", None),
            (b"\xc4\x80", None),
            (b"\xef\xbf\xbd", None),
        ] {
            assert_eq!(undo(text).as_deref(), bytes, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_byte_is_decoded(bytes in any::<[u8; 20]>()) {
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            prop_assert_eq!(undo(text.as_bytes()), (!bytes.is_ascii()).then(|| bytes.to_vec()));
        }
    }
}
