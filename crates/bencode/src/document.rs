//! A parsed document: the input and its tape.

use crate::parser::{self, Mode, Parsed};
use crate::tape::{Token, TokenKind};
use crate::{Diagnostics, Error, Limits, Value};

/// One bencoded value (BEP 3) and all that is in it, borrowed from the input.
#[derive(Clone)]
pub struct Document<'i> {
    pub(crate) input: &'i [u8],
    pub(crate) tokens: Vec<Token>,
    diagnostics: Diagnostics,
}

impl<'i> Document<'i> {
    /// Parses canonical bencode within [`Limits::TORRENT`].
    ///
    /// # Errors
    /// The first byte that is not canonical bencode, or the limit exceeded.
    pub fn parse(input: &'i [u8]) -> Result<Self, Error> {
        Self::parse_strict(input, Limits::TORRENT)
    }

    /// Parses canonical bencode: sorted keys without duplicates, no leading zeros, nothing after the root value.
    ///
    /// # Errors
    /// The first byte that is not canonical bencode, or the limit exceeded.
    pub fn parse_strict(input: &'i [u8], limits: Limits) -> Result<Self, Error> {
        Self::with(input, Mode::Strict, limits)
    }

    /// Parses what libtorrent accepts in v1 torrents, and reports in [`diagnostics`](Self::diagnostics) what was not
    /// canonical: leading zeros, `-0`, integers outside `i64`, unsorted and duplicate keys (the first one wins), bytes
    /// after the root value.
    ///
    /// # Errors
    /// The first byte that cannot be read even so, or the limit exceeded.
    pub fn parse_lenient(input: &'i [u8], limits: Limits) -> Result<Self, Error> {
        Self::with(input, Mode::Lenient, limits)
    }

    fn with(input: &'i [u8], mode: Mode, limits: Limits) -> Result<Self, Error> {
        let Parsed { tokens, diagnostics } = parser::parse(input, mode, limits)?;
        Ok(Self { input, tokens, diagnostics })
    }

    /// The root value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// What was not canonical; empty after strict parsing.
    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// The bytes after the root value; empty after strict parsing.
    #[must_use]
    pub fn trailing(&self) -> &'i [u8] {
        self.input.get(self.root().raw().len()..).unwrap_or_default()
    }

    pub(crate) fn token(&self, index: usize) -> Token {
        self.tokens.get(index).copied().unwrap_or(Token::new(TokenKind::End, self.input.len(), 0))
    }
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("root", &self.root()).field("diagnostics", &self.diagnostics.total()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DiagnosticKind, ErrorKind};
    use proptest::prelude::*;

    fn strict(input: &[u8]) -> Result<(), Error> {
        Document::parse(input).map(|_| ())
    }

    fn lenient(input: &[u8]) -> Result<Vec<(usize, DiagnosticKind)>, Error> {
        let document = Document::parse_lenient(input, Limits::TORRENT)?;
        Ok(document.diagnostics().first().iter().map(|found| (found.offset, found.kind)).collect())
    }

    #[test]
    fn canonical_documents_are_accepted_by_both() {
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
    fn deviations_are_errors_when_strict_and_diagnostics_when_lenient() {
        use DiagnosticKind::*;
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
    fn duplicates_are_found_behind_unsorted_keys() {
        use DiagnosticKind::*;
        let found = lenient(b"d1:b0:1:a0:1:bi1e1:c0:e").unwrap();
        assert_eq!(found, [(6, UnsortedKey), (11, DuplicateKey)]);
        // A duplicate right after an unsorted key is reported once.
        let found = lenient(b"d1:b0:1:a0:1:a0:e").unwrap();
        assert_eq!(found, [(6, UnsortedKey), (11, DuplicateKey)]);
    }

    #[test]
    fn broken_documents_are_refused_by_both_at_the_right_byte() {
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
    fn each_limit_has_its_own_error() {
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
    fn hostile_nesting_and_counts_end_in_an_error() {
        let nested = vec![b'l'; 1_000_000];
        assert_eq!(strict(&nested).unwrap_err().kind, ErrorKind::TooDeep { limit: 256 });
        let mut unsorted = vec![b'd'];
        for number in (0..200_000).rev() {
            unsorted.extend_from_slice(format!("6:{number:06}0:").as_bytes());
        }
        unsorted.push(b'e');
        let document = Document::parse_lenient(&unsorted, Limits::TORRENT).unwrap();
        assert_eq!(document.diagnostics().total(), 199_999);
        assert_eq!(document.diagnostics().first().len(), Diagnostics::KEPT);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = strict(&input);
            let _ = lenient(&input);
        }

        #[test]
        fn strict_is_lenient_without_diagnostics(input in "[ild0-9:e-]{0,24}") {
            let strict = strict(input.as_bytes());
            match lenient(input.as_bytes()) {
                Ok(found) => prop_assert_eq!(strict.is_ok(), found.is_empty()),
                Err(_) => prop_assert!(strict.is_err()),
            }
        }
    }
}
