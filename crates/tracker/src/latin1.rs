//! Bytes that a tracker took for Latin-1 text and wrote as UTF-8. bittorrent-tracker 11 does so with the keys of its scrape
//! replies and with peer ids: each byte from 0x80 on becomes two.

/// The bytes that `text` was made of; `None` when it is not such text: not UTF-8, ASCII alone, or a character beyond U+00FF.
///
/// Bytes can be both, text and what they are. The caller takes them as text only where their length is wrong otherwise.
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
    fn what_is_not_such_text_stays_as_it_is() {
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
        fn every_byte_comes_back(bytes in any::<[u8; 20]>()) {
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            prop_assert_eq!(undo(text.as_bytes()), (!bytes.is_ascii()).then(|| bytes.to_vec()));
        }
    }
}
