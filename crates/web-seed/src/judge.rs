//! An answer, judged by its head alone: no I/O, so that every byte of it can be tested.

use crate::byte_range::ByteRange;
use crate::content_range::ContentRange;
use crate::error::{Error, RangeFault};
use http_exchange::Location;
use std::time::Duration;

/// The parts of an answer's head that decide.
#[derive(Clone, Debug, Default)]
pub struct Head<'h> {
    /// The HTTP status.
    pub status: u16,
    /// Bytes of the body, where the head declares them.
    pub length: Option<u64>,
    /// `Content-Range`.
    pub content_range: Option<&'h [u8]>,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'h [u8]>,
    /// `Retry-After`, as a wait.
    pub retry_after: Option<Duration>,
    /// Where a redirect leads.
    pub location: Option<Location>,
}

/// Bytes of an encoding's name that are shown.
const SHOWN_BYTES: usize = 64;

impl Head<'_> {
    /// Judges the answer to a request for a range of a file (BEP 19); what is left to compare is the length of the body.
    ///
    /// # Errors
    /// Anything but status 206 with exactly this range of a file of exactly this length.
    pub fn judge_range(&self, range: ByteRange) -> Result<(), Error> {
        match self.status {
            206 => {
                self.judge_encoding()?;
                self.judge_partial(range)?;
                self.judge_length(range.count())
            }
            200 => {
                self.judge_encoding()?;
                match self.length {
                    None => Err(self.bad_range(RangeFault::NoLength)),
                    Some(size) if size == range.length() => Err(Error::RangeIgnored { size }),
                    Some(size) => Err(self.wrong_size(size, range)),
                }
            }
            // RFC 9110, 15.5.17: a 416 "SHOULD generate a Content-Range header field specifying the current length".
            416 => Err(match self.content_range.map(ContentRange::parse) {
                None => self.bad_range(RangeFault::NoContentRange),
                Some(Some(ContentRange { bytes: None, size: Some(size) })) if size != range.length() => {
                    self.wrong_size(size, range)
                }
                Some(Some(_)) => self.bad_range(RangeFault::Refused),
                Some(None) => self.bad_range(RangeFault::Malformed),
            }),
            _ => Err(self.refusal()),
        }
    }

    /// Judges the answer to a request for `count` bytes of a piece (BEP 17), which the URL names.
    ///
    /// # Errors
    /// Anything but status 200 with exactly that number of bytes.
    pub fn judge_piece(&self, count: u64) -> Result<(), Error> {
        match self.status {
            200 => {
                self.judge_encoding()?;
                self.judge_length(count)
            }
            _ => Err(self.refusal()),
        }
    }

    /// The range of a 206.
    fn judge_partial(&self, range: ByteRange) -> Result<(), Error> {
        let value = self.content_range.ok_or_else(|| self.bad_range(RangeFault::NoContentRange))?;
        let named = ContentRange::parse(value).and_then(|named| Some((named.bytes?, named.size)));
        let ((first, last), size) = named.ok_or_else(|| self.bad_range(RangeFault::Malformed))?;
        let size = size.ok_or_else(|| self.bad_range(RangeFault::NoSize))?;
        // Before the positions: of a file that is shorter, a server sends what there is.
        if size != range.length() {
            return Err(self.wrong_size(size, range));
        }
        let (asked_first, asked_last) = (range.first(), range.last());
        if (first, last) != (asked_first, asked_last) {
            return Err(self.bad_range(RangeFault::OtherBytes { first, last, asked_first, asked_last }));
        }
        Ok(())
    }

    /// A declared length; without one it is compared when the body has come.
    fn judge_length(&self, asked: u64) -> Result<(), Error> {
        match self.length {
            Some(came) if came != asked => Err(self.bad_range(RangeFault::OtherLength { came, asked })),
            _ => Ok(()),
        }
    }

    /// RFC 9110, 8.4: `identity` is no encoding, though it "SHOULD NOT be included".
    fn judge_encoding(&self) -> Result<(), Error> {
        let Some(encoding) = self.content_encoding.map(<[u8]>::trim_ascii) else { return Ok(()) };
        if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(encoding.get(..SHOWN_BYTES).unwrap_or(encoding));
        Err(Error::BadEncoding { status: self.status, encoding: guard::escape(&shown).to_string() })
    }

    /// A status that brings no bytes of a file.
    fn refusal(&self) -> Error {
        let status = self.status;
        match (status, &self.location) {
            (300..=399, Some(location)) => Error::Redirect { status, location: location.clone() },
            (404 | 410, _) => Error::Missing { status },
            (401 | 403 | 451, _) => Error::Forbidden { status },
            (429 | 503, _) => Error::TooFast { status, retry_after: self.retry_after },
            _ => Error::HttpStatus { status },
        }
    }

    fn bad_range(&self, fault: RangeFault) -> Error {
        Error::BadRange { status: self.status, fault }
    }

    fn wrong_size(&self, size: u64, range: ByteRange) -> Error {
        Error::WrongSize { status: self.status, size, expected: range.length() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::Secrets;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// The last 8 bytes of a file of 99.
    fn range() -> ByteRange {
        ByteRange::new(91, 8, 99).unwrap()
    }

    fn told(result: Result<(), Error>) -> String {
        result.map_or_else(|error| format!("{}: {error}", error.code()), |()| "ok".to_owned())
    }

    #[test]
    fn each_answer_has_its_verdict() {
        for (status, length, content_range, verdict) in [
            (206, Some(8), "bytes 91-98/99", "ok"),
            (206, None, "bytes 91-98/99", "ok"),
            (206, Some(8), "bytes 91-98/100", "wrong_size: the file there has 100 bytes, the torrent says 99"),
            (206, Some(4), "bytes 91-94/95", "wrong_size: the file there has 95 bytes, the torrent says 99"),
            (206, Some(8), "bytes 90-97/99", "bad_range: status 206 with bytes 90 to 97, 91 to 98 were asked for"),
            (206, Some(8), "bytes 91-98/*", "bad_range: status 206 without the size of the file"),
            (206, Some(8), "", "bad_range: status 206 without Content-Range"),
            (206, Some(8), "bytes */99", "bad_range: status 206 with a malformed Content-Range"),
            (206, Some(8), "bytes 91-98", "bad_range: status 206 with a malformed Content-Range"),
            (206, Some(9), "bytes 91-98/99", "bad_range: status 206 with 9 bytes, 8 were asked for"),
            (206, Some(0), "bytes 91-98/99", "bad_range: status 206 with 0 bytes, 8 were asked for"),
            (200, Some(99), "", "range_ignored: the server ignores the range and sends the whole file"),
            (200, Some(8), "bytes 91-98/99", "wrong_size: the file there has 8 bytes, the torrent says 99"),
            (200, Some(4 << 40), "", "wrong_size: the file there has 4398046511104 bytes, the torrent says 99"),
            (200, None, "", "bad_range: status 200 without a length: the size of the file cannot be told"),
            (416, Some(0), "bytes */90", "wrong_size: the file there has 90 bytes, the torrent says 99"),
            (416, Some(0), "bytes */0", "wrong_size: the file there has 0 bytes, the torrent says 99"),
            (416, Some(0), "bytes */99", "bad_range: status 416 for bytes that the file has by its size"),
            (416, Some(0), "bytes 0-7/90", "bad_range: status 416 for bytes that the file has by its size"),
            (416, Some(0), "bytes *", "bad_range: status 416 with a malformed Content-Range"),
            (416, Some(99), "", "bad_range: status 416 without Content-Range"),
            (404, Some(0), "", "missing: HTTP status 404"),
            (410, None, "", "missing: HTTP status 410"),
            (401, None, "", "forbidden: HTTP status 401"),
            (403, None, "", "forbidden: HTTP status 403"),
            (451, None, "", "forbidden: HTTP status 451"),
            (429, None, "", "too_fast: HTTP status 429"),
            (503, None, "", "too_fast: HTTP status 503"),
            (204, Some(0), "", "http_status: HTTP status 204"),
            (304, Some(0), "", "http_status: HTTP status 304"),
            (500, None, "bytes 91-98/99", "http_status: HTTP status 500"),
            (999, None, "", "http_status: HTTP status 999"),
        ] {
            let content_range = (!content_range.is_empty()).then_some(content_range.as_bytes());
            let head = Head { status, length, content_range, ..Head::default() };
            let result = head.judge_range(range());
            if let Err(error) = &result {
                assert_eq!(error.http_status(), Some(status));
            }
            assert_eq!(told(result), verdict, "{status} {length:?} {content_range:?}");
        }
    }

    #[test]
    fn a_part_of_a_piece_is_a_200_of_its_length() {
        for (status, length, verdict) in [
            (200, Some(8), "ok"),
            (200, None, "ok"),
            (200, Some(9), "bad_range: status 200 with 9 bytes, 8 were asked for"),
            (206, Some(8), "http_status: HTTP status 206"),
            (416, Some(8), "http_status: HTTP status 416"),
            (404, Some(8), "missing: HTTP status 404"),
        ] {
            assert_eq!(told(Head { status, length, ..Head::default() }.judge_piece(8)), verdict);
        }
    }

    #[test]
    fn an_encoding_counts_only_where_bytes_of_the_file_would_follow() {
        for (status, encoding, code) in [
            (206, "gzip", "bad_encoding"),
            (200, "gzip", "bad_encoding"),
            (206, "identity", "ok"),
            (206, " Identity ", "ok"),
            (206, "", "ok"),
            (206, "identity, gzip", "bad_encoding"),
            (404, "gzip", "missing"),
            (416, "br", "bad_range"),
        ] {
            let content_range = (status == 206).then_some(&b"bytes 91-98/99"[..]);
            let content_encoding = Some(encoding.as_bytes());
            let head = Head { status, content_range, content_encoding, ..Head::default() };
            assert_eq!(
                head.judge_range(range()).map_or_else(|error| error.code(), |()| "ok"),
                code,
                "{status} {encoding}"
            );
        }
        let long = "\u{1b}".repeat(1000);
        let head = Head { status: 200, content_encoding: Some(long.as_bytes()), ..Head::default() };
        let said = told(head.judge_range(range()));
        assert!(!said.contains('\u{1b}') && said.len() < 1000, "{said}");
    }

    #[test]
    fn sizes_waits_and_targets_are_kept() {
        let location = Location::new(b"/moved", &Arc::new(Secrets::of("http://h/")));
        let wait = Duration::from_secs(90);
        let head = |status| Head {
            status,
            length: Some(99),
            retry_after: Some(wait),
            location: Some(location.clone()),
            ..Head::default()
        };
        let error = head(503).judge_range(range()).unwrap_err();
        assert_eq!((error.retry_after(), error.size()), (Some(wait), None));
        let error = head(200).judge_range(range()).unwrap_err();
        assert_eq!((error.retry_after(), error.size()), (None, Some(99)));
        for status in [300, 301, 302, 303, 307, 308, 399] {
            let error = head(status).judge_range(range()).unwrap_err();
            assert!(matches!(&error, Error::Redirect { location, .. } if location.expose() == "/moved"), "{error:?}");
            assert!(matches!(head(status).judge_piece(8), Err(Error::Redirect { .. })));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_heads_never_panic_and_only_an_exact_206_is_right(
            status in prop_oneof![Just(206_u16), Just(200), Just(416), 100..1000_u16],
            length in proptest::option::of(prop_oneof![Just(8_u64), Just(99), any::<u64>()]),
            content_range in proptest::option::of("bytes (91-98|\\*|[0-9]{1,20}-[0-9]{1,20})/(99|\\*|[0-9]{1,20})|.{0,20}"),
            encoding in proptest::option::of("gzip|identity|.{0,9}"),
        ) {
            let head = Head {
                status,
                length,
                content_range: content_range.as_deref().map(str::as_bytes),
                content_encoding: encoding.as_deref().map(str::as_bytes),
                ..Head::default()
            };
            match head.judge_range(range()) {
                Ok(()) => prop_assert!(status == 206 && length.is_none_or(|length| length == 8)),
                Err(error) => prop_assert_eq!(error.http_status(), Some(status)),
            }
            let _ = head.judge_piece(8);
        }
    }
}
