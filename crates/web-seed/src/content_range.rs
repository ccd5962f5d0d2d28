//! `Content-Range` (RFC 9110, 14.4).

/// Numbers above are refused: no file is so long, and sums of them stay in range.
const MOST: u64 = i64::MAX as u64;

/// A `Content-Range` in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// The first and the last byte; `None` for `*`, which a 416 has.
    pub(crate) bytes: Option<(u64, u64)>,
    /// Bytes of the whole file; `None` for `*`.
    pub(crate) size: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes FIRST-LAST/SIZE`, where `*` may stand for the range or the size. Blanks and tabs around the parts are
    /// taken. RFC 9110: a `Content-Range` "is invalid if it contains a range-resp that has a last-pos value less than its
    /// first-pos value, or a complete-length value less than or equal to its last-pos value".
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim_matches(BLANKS);
        let (unit, rest) = text.split_once(BLANKS)?;
        let (range, size) = rest.split_once('/')?;
        let (range, size) = (range.trim_matches(BLANKS), size.trim_matches(BLANKS));
        let bytes = match range {
            "*" => None,
            _ => {
                let (first, last) = range.split_once('-')?;
                Some((number(first)?, number(last)?))
            }
        };
        let size = if size == "*" { None } else { Some(number(size)?) };
        let is_sound = match (bytes, size) {
            (None, None) => false,
            (None, Some(_)) => true,
            (Some((first, last)), size) => first <= last && size.is_none_or(|size| last < size),
        };
        (unit.eq_ignore_ascii_case("bytes") && is_sound).then_some(Self { bytes, size })
    }
}

/// RFC 9110, 5.6.3: optional whitespace.
const BLANKS: [char; 2] = [' ', '\t'];

/// Digits alone, without a sign.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_matches(BLANKS);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_strictly() {
        let range = |first, last, size| Some(ContentRange { bytes: Some((first, last)), size });
        for (value, expected) in [
            ("bytes 0-7/99", range(0, 7, Some(99))),
            ("bytes 0-0/1", range(0, 0, Some(1))),
            (" Bytes \t 0 - 7 / 99 ", range(0, 7, Some(99))),
            ("bytes 0-7/*", range(0, 7, None)),
            ("bytes */99", Some(ContentRange { bytes: None, size: Some(99) })),
            ("bytes */0", Some(ContentRange { bytes: None, size: Some(0) })),
            ("bytes 0-9223372036854775806/9223372036854775807", range(0, MOST - 1, Some(MOST))),
            ("bytes 00-07/0099", range(0, 7, Some(99))),
            ("bytes 0-9223372036854775807/9223372036854775808", None),
            ("bytes 0-7/18446744073709551616", None),
            ("bytes */*", None),
            ("bytes 8-7/99", None),
            ("bytes 0-99/99", None),
            ("bytes=0-7/99", None),
            ("bytes0-7/99", None),
            ("0-7/99", None),
            ("items 0-7/99", None),
            ("bytes 0-7", None),
            ("bytes 0/99", None),
            ("bytes -7/99", None),
            ("bytes 0-/99", None),
            ("bytes 0-7/", None),
            ("bytes +0-7/99", None),
            ("bytes 0-7/-99", None),
            ("bytes 0-7/99/99", None),
            ("bytes 0-7,9-9/99", None),
            ("bytes 0x0-0x7/99", None),
            ("bytes", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(ContentRange::parse(b"bytes 0-7/99\xff"), None);
    }

    proptest! {
        #[test]
        fn a_range_that_is_written_is_read(first in 0..MOST, length in 1..MOST, beyond in 1..MOST) {
            let last = first.saturating_add(length - 1).min(MOST - 1);
            let size = last.saturating_add(beyond).min(MOST);
            let read = ContentRange::parse(format!("bytes {first}-{last}/{size}").as_bytes());
            prop_assert_eq!(read, Some(ContentRange { bytes: Some((first, last)), size: Some(size) }));
        }

        #[test]
        fn arbitrary_values_never_panic(value in "(bytes )?[0-9*/ \\-]{0,60}|.*") {
            let _ = ContentRange::parse(value.as_bytes());
        }
    }
}
