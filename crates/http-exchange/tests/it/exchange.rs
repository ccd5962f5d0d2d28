//! What is sent, what is read of a reply, and where it is cut.

use crate::support::{BODY, LIMIT, answered, get, request, write};
use guard::ErrorChain;
use http_exchange::{Connection, Error, Limits, Request, Response, Sink};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// [`BODY`] with its length, and further header lines.
fn framed(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n{BODY}", BODY.len()).into_bytes()
}

#[tokio::test]
async fn request_has_host_and_the_callers_headers_only() {
    let asked =
        Request::get("/a%20b?c", "t.example:81").header("Range", "bytes=0-7").basic_auth("Aladdin", "open sesame");
    let (sent, response) = answered(asked, &framed("")).await;
    assert_eq!(response.unwrap().body, BODY.as_bytes());
    let (line, headers) = sent.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /a%20b?c HTTP/1.1");
    let mut lines: Vec<&str> = headers.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    // RFC 7617, section 2.
    let authorization = "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    assert_eq!(lines, [authorization, "host: t.example:81", "range: bytes=0-7"]);
}

#[tokio::test]
async fn invalid_target_or_header_is_an_error_before_anything_is_sent() {
    for asked in [
        Request::get("/a b", "t.example"),
        Request::get("/", "t.example\r\nX: y"),
        get().header("user-agent", "line\nbreak"),
        get().header("a b", "c"),
    ] {
        let (ours, _theirs) = tokio::io::duplex(1);
        let mut connection = Connection::over(ours, Limits::DEFAULT).await.unwrap();
        let error = connection.exchange(asked, LIMIT).await.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("bad_url", "the URL cannot be requested"));
        assert!(connection.is_open());
    }
}

#[tokio::test]
async fn debug_of_request_and_response_shows_no_secret() {
    let asked = Request::get("/pl4nted", "t.example").header("x", "pl4nted").basic_auth("pl4nted", "pl4nted");
    let shown = format!("{asked:?}");
    let reply = b"HTTP/1.1 302 Found\r\nLocation: /pl4nted\r\nX: pl4nted\r\n\r\npl4nted";
    let response = answered(asked, reply).await.1.unwrap();
    assert_eq!(format!("{shown} {response:?}").matches("pl4nted").count(), 0);
}

#[tokio::test]
async fn headers_of_a_ranged_reply_are_readable_by_name_in_any_case() {
    let reply = "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-7/99\r\nETag: \"x\"\r\nContent-Length: 8\r\n\r\nthe body";
    let response = answered(get().header("range", "bytes=0-7"), reply.as_bytes()).await.1.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.cut.is_none()), (206, BODY.as_bytes(), true));
    assert_eq!(response.header("Content-Range"), Some(&b"bytes 0-7/99"[..]));
    assert_eq!((response.header("etag"), response.header("x")), (Some(&b"\"x\""[..]), None));
    assert_eq!((response.location(), response.retry_after()), (None, None));
}

#[tokio::test]
async fn retry_after_and_location_are_read_whatever_the_status() {
    for (head, retry_after, location) in [
        ("503 Busy\r\nRetry-After: 90", Some(90), None),
        ("301 Moved\r\nLocation: /x", None, Some(&b"/x"[..])),
        // RFC 9110, 10.2.2: in a 201 it is the created resource.
        ("201 Created\r\nLocation: /x", None, None),
    ] {
        let reply = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n");
        let response = answered(get(), reply.as_bytes()).await.1.unwrap();
        let retry_after = retry_after.map(Duration::from_secs);
        assert_eq!((response.retry_after(), response.location()), (retry_after, location), "{head}");
    }
}

#[tokio::test]
async fn body_above_its_limit_is_cut_by_count_and_kept() {
    let whole = "x".repeat(100_000);
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n0\r\n\r\n", whole.len());
    let sized = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{whole}", whole.len());
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{whole}");
    for reply in [sized, chunked, endless] {
        for bytes in [0, 1, 10_000, 99_999] {
            let response = answered(get().with_body_bytes(bytes), reply.as_bytes()).await.1.unwrap();
            assert_eq!(response.body.len(), bytes);
            assert!(matches!(response.cut, Some(Error::TooLarge { limit }) if limit == bytes), "{response:?}");
        }
        let response = answered(get().with_body_bytes(100_000), reply.as_bytes()).await.1.unwrap();
        assert_eq!((response.body.len(), response.cut.is_none()), (100_000, true));
    }
}

/// Counts, and reads no more than it wants once it has seen the head.
struct Counter {
    wants: usize,
    lengths: Vec<Option<u64>>,
    bytes: usize,
    largest: usize,
}

impl Sink for Counter {
    fn head(&mut self, head: &Response) -> usize {
        self.lengths.push(head.length);
        self.wants
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.largest = self.largest.max(bytes.len());
    }
}

/// What a sink that wants so much of a body gets of `reply`, with the request's own limit.
async fn handed_on(reply: &[u8], wants: usize, limit: usize) -> (Counter, Response) {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let mut connection = Connection::over(ours, Limits::DEFAULT).await.unwrap();
    let mut sink = Counter { wants, lengths: Vec::new(), bytes: 0, largest: 0 };
    let server = async move {
        request(&mut theirs).await;
        write(&mut theirs, reply, 60_000).await;
    };
    let exchange = connection.exchange_into(get().with_body_bytes(limit), LIMIT, &mut sink);
    let response = tokio::join!(exchange, server).0.unwrap();
    (sink, response)
}

#[tokio::test]
async fn a_body_is_handed_on_as_it_comes_and_up_to_what_its_sink_wants() {
    let whole = "x".repeat(1_000_000);
    let sized = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{whole}", whole.len());
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{whole}");
    for (reply, length) in [(&sized, Some(1_000_000)), (&endless, None)] {
        for (wants, limit, came) in [
            (usize::MAX, 2_000_000, 1_000_000),
            (0, 2_000_000, 0),
            (7, 2_000_000, 7),
            (500_000, 7, 7),
            (999_999, 2_000_000, 999_999),
        ] {
            let (sink, response) = handed_on(reply.as_bytes(), wants, limit).await;
            assert_eq!((sink.bytes, sink.lengths.as_slice(), response.body.len()), (came, &[length][..], 0));
            let cut = matches!(response.cut, Some(Error::TooLarge { limit }) if limit == came);
            assert_eq!((cut, response.length), (came < 1_000_000, length));
            // In parts, not collected first.
            assert!(sink.largest <= 128 << 10, "{}", sink.largest);
        }
    }
}

#[tokio::test]
async fn a_sink_sees_no_redirect_and_an_empty_body_is_whole_also_for_one_that_wants_nothing() {
    let (sink, response) =
        handed_on(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 8\r\n\r\nthe body", 99, 99).await;
    assert_eq!((sink.lengths, sink.bytes, response.length, response.cut.is_none()), (vec![], 0, Some(8), true));
    for head in ["200 OK\r\nContent-Length: 0", "204 No Content"] {
        let (sink, response) = handed_on(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), 0, 0).await;
        assert_eq!((sink.lengths, sink.bytes, response.cut.is_none()), (vec![Some(0)], 0, true));
    }
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nthe body\r\n0\r\n\r\n";
    let (sink, response) = handed_on(chunked, 8, 99).await;
    assert_eq!((sink.lengths, sink.bytes, response.cut.is_none()), (vec![None], 8, true));
}

#[tokio::test]
async fn a_body_limit_is_of_one_request_and_a_cut_body_closes() {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let mut connection = Connection::over(ours, Limits::DEFAULT.with_body_bytes(4)).await.unwrap();
    let server = async {
        for _ in 0..2 {
            request(&mut theirs).await;
            theirs.write_all(&framed("")).await.unwrap();
        }
    };
    let client = async {
        let whole = connection.exchange(get().with_body_bytes(8), LIMIT).await.unwrap();
        assert_eq!((whole.body.as_slice(), connection.is_open()), (BODY.as_bytes(), true));
        let cut = connection.exchange(get(), LIMIT).await.unwrap();
        assert_eq!((cut.body.as_slice(), connection.is_open()), (&b"the "[..], false));
    };
    tokio::join!(client, server);
    assert_eq!(connection.exchanges(), 2);
    let error = connection.exchange(get(), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::Stale(None)), "{error:?}");
    assert_eq!(error.to_string(), "server has closed the connection that was kept open");
}

#[tokio::test(start_paused = true)]
async fn body_incomplete_at_the_deadline_is_kept() {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let mut connection = Connection::over(ours, Limits::DEFAULT).await.unwrap();
    let server = async {
        request(&mut theirs).await;
        theirs.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nthe body").await.unwrap();
    };
    let (response, ()) = tokio::join!(connection.exchange(get(), LIMIT), server);
    let response = response.unwrap();
    assert!(matches!(response.cut, Some(Error::Timeout(LIMIT))), "{response:?}");
    assert_eq!(response.body, BODY.as_bytes());
}

#[tokio::test]
async fn encodings_that_are_not_undone_are_named() {
    for (label, unknown) in
        [("", None), ("Content-Encoding: X-GZIP\r\n", None), ("Content-Encoding: br\r\n", Some("br"))]
    {
        let response = answered(get(), &framed(label)).await.1.unwrap();
        assert_eq!(response.unknown_encoding().as_deref(), unknown);
        assert_eq!(response.inflated(8).unwrap(), BODY.as_bytes());
    }
}

#[tokio::test]
async fn causes_are_told_without_the_librarys_types() {
    for (reply, said) in [
        ("", "closed: connection closed without a reply: connection closed before message completed"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not_http: not an HTTP reply: invalid HTTP version parsed"),
    ] {
        let error = answered(get(), reply.as_bytes()).await.1.unwrap_err();
        assert_eq!(format!("{}: {}", error.code(), ErrorChain(&error)), said);
    }
}
