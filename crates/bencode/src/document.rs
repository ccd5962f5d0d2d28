//! A parsed document: the input, its tape and the deviations found.

use crate::deviation::Deviations;
use crate::error::Error;
use crate::limits::Limits;
use crate::parser::{self, Mode, Parsed};
use crate::tape::{Token, TokenKind};

/// One bencoded value (BEP 3) with everything in it, borrowed from the input.
#[derive(Clone)]
pub struct Document<'i> {
    pub(crate) input: &'i [u8],
    pub(crate) tokens: Vec<Token>,
    deviations: Deviations,
}

impl<'i> Document<'i> {
    /// Parses canonical bencode within [`Limits::TORRENT`].
    ///
    /// # Errors
    /// The first byte that is not canonical bencode, or the limit that was exceeded.
    pub fn parse(input: &'i [u8]) -> Result<Self, Error> {
        Self::parse_strict(input, Limits::TORRENT)
    }

    /// Parses canonical bencode: sorted keys without duplicates, no leading zeros, nothing after the root value.
    ///
    /// # Errors
    /// The first byte that is not canonical bencode, or the limit that was exceeded.
    pub fn parse_strict(input: &'i [u8], limits: Limits) -> Result<Self, Error> {
        Self::with(input, Mode::Strict, limits)
    }

    /// Parses what libtorrent accepts in v1 torrents, and reports in [`deviations`](Self::deviations) what is not canonical:
    /// leading zeros, `-0`, integers outside `i64`, unsorted and duplicate keys (the first one wins), bytes after the root
    /// value.
    ///
    /// # Errors
    /// The first byte that is not bencode even so, or the limit that was exceeded.
    pub fn parse_lenient(input: &'i [u8], limits: Limits) -> Result<Self, Error> {
        Self::with(input, Mode::Lenient, limits)
    }

    fn with(input: &'i [u8], mode: Mode, limits: Limits) -> Result<Self, Error> {
        let Parsed { tokens, deviations } = parser::parse(input, mode, limits)?;
        Ok(Self { input, tokens, deviations })
    }

    /// What is not canonical; empty after strict parsing.
    #[must_use]
    pub fn deviations(&self) -> &Deviations {
        &self.deviations
    }

    pub(crate) fn token(&self, index: usize) -> Token {
        self.tokens.get(index).copied().unwrap_or(Token::new(TokenKind::End, self.input.len(), 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deviation::DeviationKind;
    use crate::error::ErrorKind;
    use proptest::prelude::*;

    fn strict(input: &[u8]) -> Result<(), Error> {
        Document::parse(input).map(|_| ())
    }

    fn lenient(input: &[u8]) -> Result<Vec<(usize, DeviationKind)>, Error> {
        let document = Document::parse_lenient(input, Limits::TORRENT)?;
        Ok(document.deviations().first().iter().map(|found| (found.offset, found.kind)).collect())
    }

    #[test]
    fn canonical_documents_are_accepted_in_both_modes() {
        for input in [
            &b"i0e"[..],
            b"i-1e",
            b"i9223372036854775807e",
            b"i-9223372036854775808e",
            b"0:",
            b"4:spam",
            b"le",
            b"de",
            b"l4:spami7ee",
            b"d1:ai1e1:bi2ee",
            b"d0:0:1:ald1:xleeee",
        ] {
            assert_eq!(strict(input), Ok(()), "{}", input.escape_ascii());
            assert_eq!(lenient(input), Ok(vec![]), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn the_tape_is_as_its_module_shows() {
        use TokenKind::*;
        let document = Document::parse(b"d1:ai7e1:bl2:xyee").unwrap();
        let tokens: Vec<_> = document.tokens.iter().map(|token| (token.kind(), token.offset(), token.extra)).collect();
        let containers =
            [(Dict, 0, 8), (String, 1, 2), (Integer, 4, 0), (String, 7, 2), (List, 10, 7), (String, 11, 2)];
        assert_eq!(tokens, [&containers[..], &[(End, 15, 0), (End, 16, 0), (End, 17, 0)]].concat());
    }

    #[test]
    fn deviations_are_errors_when_strict_and_reported_when_lenient() {
        use DeviationKind::*;
        for (input, offset, kind) in [
            (&b"i03e"[..], 0, LeadingZero),
            (b"i-0e", 0, NegativeZero),
            (b"i00e", 0, LeadingZero),
            (b"i-03e", 0, NegativeZero),
            (b"03:abc", 0, LeadingZero),
            (b"0000000000000001:a", 0, LeadingZero),
            (b"d1:b0:1:a0:e", 6, UnsortedKey),
            (b"d1:a0:1:a0:e", 6, DuplicateKey),
            (b"lee", 2, TrailingBytes),
            (b"de\n", 2, TrailingBytes),
            (b"i9223372036854775808e", 0, IntegerOutOfRange),
            (b"i-9223372036854775809e", 0, IntegerOutOfRange),
            (b"i99999999999999999999e", 0, IntegerOutOfRange),
        ] {
            assert_eq!(strict(input), Err(Error { offset, kind: ErrorKind::NotCanonical(kind) }));
            assert_eq!(lenient(input), Ok(vec![(offset, kind)]), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn duplicate_keys_are_found_behind_unsorted_keys() {
        use DeviationKind::*;
        let found = lenient(b"d1:b0:1:a0:1:bi1e1:c0:e").unwrap();
        assert_eq!(found, [(6, UnsortedKey), (11, DuplicateKey)]);
        // A duplicate right after an unsorted key is reported once.
        let found = lenient(b"d1:b0:1:a0:1:a0:e").unwrap();
        assert_eq!(found, [(6, UnsortedKey), (11, DuplicateKey)]);
    }

    #[test]
    fn broken_documents_are_refused_in_both_modes_at_the_first_wrong_byte() {
        use ErrorKind::*;
        for (input, offset, kind) in [
            (&b""[..], 0, UnexpectedEnd),
            (b"x", 0, UnexpectedByte(b'x')),
            (b"e", 0, UnexpectedByte(b'e')),
            (b"i", 1, UnexpectedEnd),
            (b"i-", 2, UnexpectedEnd),
            (b"i12", 3, UnexpectedEnd),
            (b"ie", 1, EmptyNumber),
            (b"i-e", 2, EmptyNumber),
            (b"i+3e", 1, UnexpectedByte(b'+')),
            (b"i--3e", 2, UnexpectedByte(b'-')),
            (b"i1.5e", 2, UnexpectedByte(b'.')),
            (b"i 1e", 1, UnexpectedByte(b' ')),
            (b"i123456789012345678901e", 1, NumberTooLong),
            (b"4", 1, UnexpectedEnd),
            (b"4spam", 1, MissingColon),
            (b"5:spam", 0, StringPastEnd),
            (b"9999999999999999:x", 0, StringPastEnd),
            (b"18446744073709551615:x", 0, LengthTooLong),
            (b"18446744073709551620:abcd", 0, LengthTooLong),
            (b"00000000000000001:a", 0, LengthTooLong),
            (b"-1:a", 0, UnexpectedByte(b'-')),
            (b"l", 1, UnexpectedEnd),
            (b"d", 1, UnexpectedEnd),
            (b"di1e0:e", 1, KeyNotString),
            (b"dle0:e", 1, KeyNotString),
            (b"d1:ae", 4, KeyWithoutValue),
            (b"d1:a", 4, UnexpectedEnd),
        ] {
            let expected = Err(Error { offset, kind });
            assert_eq!(strict(input), expected, "{}", input.escape_ascii());
            assert_eq!(lenient(input).map(|_| ()), expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn exceeding_each_limit_is_an_error_of_its_own() {
        let limits = Limits { bytes: 100, depth: 3, tokens: 12 };
        let kind = |input: &[u8]| Document::parse_strict(input, limits).map(|_| ()).map_err(|error| error.kind);
        assert_eq!(kind(b"lllee"), Err(ErrorKind::UnexpectedEnd));
        assert_eq!(kind(b"llleee"), Ok(()));
        assert_eq!(kind(b"lllleeee"), Err(ErrorKind::TooDeep { limit: 3 }));
        assert_eq!(kind(b"l0:0:0:0:0:0:0:0:0:0:e"), Ok(()));
        assert_eq!(kind(b"l0:0:0:0:0:0:0:0:0:0:0:e"), Err(ErrorKind::TooManyTokens { limit: 12 }));
        assert_eq!(kind(&[b'l'; 101]), Err(ErrorKind::TooManyBytes { limit: 100 }));
    }

    #[test]
    fn deep_nesting_is_refused_and_many_deviations_are_counted() {
        let nested = vec![b'l'; 1_000_000];
        assert_eq!(strict(&nested).unwrap_err().kind, ErrorKind::TooDeep { limit: 256 });
        let mut unsorted = vec![b'd'];
        for number in (0..200_000).rev() {
            unsorted.extend_from_slice(format!("6:{number:06}0:").as_bytes());
        }
        unsorted.push(b'e');
        let document = Document::parse_lenient(&unsorted, Limits::TORRENT).unwrap();
        assert_eq!(document.deviations().total(), 199_999);
        assert_eq!(document.deviations().first().len(), Deviations::KEPT);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = strict(&input);
            let _ = lenient(&input);
        }

        #[test]
        fn strict_accepts_what_lenient_accepts_without_deviations(input in "[ild0-9:e-]{0,24}") {
            let strict = strict(input.as_bytes());
            match lenient(input.as_bytes()) {
                Ok(found) => prop_assert_eq!(strict.is_ok(), found.is_empty()),
                Err(_) => prop_assert!(strict.is_err()),
            }
        }
    }
}
