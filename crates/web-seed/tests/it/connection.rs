//! What is sent, how much is read, and when the connection stays.

use crate::support::{Asked, LIMIT, Then, answered, fetch, request, tail, url};
use http_exchange::Error as HttpError;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, interval};
use web_seed::{Client, Error};

/// A 206 with 8 bytes of a file of 99, and further lines of the head.
fn partial(lines: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 91-98/99\r\n{lines}\r\n{body}").into_bytes()
}

fn range() -> Asked {
    Asked::Range(tail(8, 99))
}

#[tokio::test]
async fn a_request_has_its_range_and_no_accept_encoding() {
    let right = partial("Content-Length: 8\r\n", "the body");
    let ended = answered(&url(), range(), &right, 60_000, Then::Waits).await;
    assert_eq!((ended.line().as_str(), ended.bytes.as_slice()), ("ok: status 206, 8 bytes; open", &b"the body"[..]));
    let expected = concat!(
        "GET /file HTTP/1.1\r\nhost: seed.example\r\nuser-agent: bt-handshake/",
        env!("CARGO_PKG_VERSION"),
        "\r\nrange: bytes=91-98\r\n\r\n"
    );
    assert_eq!(ended.request, expected);
    // RFC 7617, section 2.
    let secret = "http://Aladdin:open%20sesame@seed.example:81/file?x".parse().unwrap();
    let ended = answered(&secret, range(), &right, 60_000, Then::Waits).await;
    assert!(ended.request.starts_with("GET /file?x HTTP/1.1\r\nhost: seed.example:81\r\n"), "{}", ended.request);
    assert!(ended.request.contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
}

#[tokio::test]
async fn a_part_of_a_piece_has_no_range() {
    let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nthe body";
    let ended = answered(&url(), Asked::Piece(8), reply, 60_000, Then::Waits).await;
    assert_eq!(ended.line(), "ok: status 200, 8 bytes; open");
    assert!(!ended.request.contains("range"), "{}", ended.request);
}

#[tokio::test]
async fn a_503_of_bep_17_says_the_wait_in_its_body() {
    for (head, body, asked, wait) in [
        ("", "90", Asked::Piece(8), Some(90)),
        ("", " 90\r\n", Asked::Piece(8), Some(90)),
        ("Retry-After: 7\r\n", "90", Asked::Piece(8), Some(7)),
        ("", "<html>busy</html>", Asked::Piece(8), None),
        ("", "", Asked::Piece(8), None),
        ("", "-90", Asked::Piece(8), None),
        ("", "00000000000000090", Asked::Piece(8), None),
        ("", "90", range(), None),
        ("Retry-After: 7\r\n", "", range(), Some(7)),
    ] {
        let reply = format!("HTTP/1.1 503 Busy\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
        for piece in [1, 60_000] {
            let ended = answered(&url(), asked, reply.as_bytes(), piece, Then::Waits).await;
            let error = ended.result.unwrap_err();
            assert_eq!((error.code(), error.retry_after()), ("too_fast", wait.map(Duration::from_secs)), "{reply}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_not_the_range_are_cut_by_count() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (reply, then, line, bytes) in [
        (
            partial(chunked, "4\r\nthe \r\n4\r\nbody\r\n0\r\n\r\n"),
            Then::Waits,
            "ok: status 206, 8 bytes; open",
            "the body",
        ),
        // Its last chunk does not come, and that changes nothing.
        (partial(chunked, "8\r\nthe body\r\n"), Then::Waits, "ok: status 206, 8 bytes; closed", "the body"),
        (partial("", "the body"), Then::Closes, "ok: status 206, 8 bytes; closed", "the body"),
        (
            partial(chunked, "9\r\nthe body!\r\n0\r\n\r\n"),
            Then::Waits,
            "bad_range: status 206 with 9 bytes, 8 were asked for; open",
            "the body",
        ),
        (
            partial(chunked, "3\r\nthe\r\n0\r\n\r\n"),
            Then::Waits,
            "bad_range: status 206 with 3 bytes, 8 were asked for; open",
            "the",
        ),
        (partial("", "the"), Then::Closes, "bad_range: status 206 with 3 bytes, 8 were asked for; closed", "the"),
        (
            partial("Content-Length: 8\r\n", "the"),
            Then::Closes,
            "incomplete: status 206, and the body is cut short: connection closed in the middle of the reply: error reading a body from connection: end of file before message length reached; closed",
            "the",
        ),
        (
            partial("Content-Length: 8\r\n", "the"),
            Then::Waits,
            "timeout: status 206, and the body is cut short: no complete reply within 15 s; closed",
            "the",
        ),
        (
            partial("", &"x".repeat(1 << 20)),
            Then::Closes,
            "bad_range: status 206 with 65536 bytes, 8 were asked for; closed",
            "xxxxxxxx",
        ),
    ] {
        let ended = answered(&url(), range(), &reply, 60_000, then).await;
        assert_eq!((ended.line().as_str(), String::from_utf8_lossy(&ended.bytes).as_ref()), (line, bytes));
    }
}

/// A server that answers with `head` and then sends a body without end; how much of it was written until the client had closed.
async fn written(head: &str, asked: Asked) -> (Result<(), Error>, usize) {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let client = async move {
        let mut connection = Client::default().over(ours).await.unwrap();
        fetch(&mut connection, &url(), asked, &mut Vec::new()).await.map(|_| ())
    };
    let server = async move {
        request(&mut theirs).await;
        theirs.write_all(format!("HTTP/1.1 {head}\r\n\r\n").as_bytes()).await.unwrap();
        let mut written = 0;
        while theirs.write_all(b"3ff\r\n").await.is_ok() && theirs.write_all(&[b'x'; 1023]).await.is_ok() {
            written += 1030;
            if theirs.write_all(b"\r\n").await.is_err() {
                break;
            }
        }
        written
    };
    tokio::join!(client, server)
}

#[tokio::test]
async fn at_most_64_kib_are_read_of_any_body_but_a_pieces() {
    let chunked = "Transfer-Encoding: chunked";
    for (head, code, most) in [
        ("200 OK\r\nContent-Length: 4398046511104".to_owned(), "wrong_size", 16 << 10),
        ("416 No\r\nContent-Range: bytes */99\r\nContent-Length: 4398046511104".to_owned(), "bad_range", 16 << 10),
        (
            "206 Partial\r\nContent-Range: bytes 91-98/99\r\nContent-Length: 4398046511104".to_owned(),
            "bad_range",
            16 << 10,
        ),
        (format!("200 OK\r\n{chunked}"), "bad_range", 90 << 10),
        (format!("404 No\r\n{chunked}"), "missing", 90 << 10),
        (format!("206 Partial\r\nContent-Range: bytes 91-98/99\r\n{chunked}"), "bad_range", 90 << 10),
        (format!("302 Found\r\nLocation: /x\r\n{chunked}"), "redirect", 16 << 10),
    ] {
        let (result, written) = written(&head, range()).await;
        assert_eq!(result.unwrap_err().code(), code, "{head}");
        // What was in the buffers of both sides is counted, too.
        assert!(written <= most, "{head}: {written}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_second_ends_at_the_deadline() {
    for (head, code) in [
        ("HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-99/100\r\nContent-Length: 100\r\n\r\n", "timeout"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n", "missing"),
        ("HTTP/1.1 20", "timeout"),
    ] {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let begun = Instant::now();
        let client = async move {
            let mut connection = Client::default().over(ours).await.unwrap();
            let result = fetch(&mut connection, &url(), Asked::Range(tail(100, 100)), &mut Vec::new()).await;
            (result, connection.is_open())
        };
        let server = async {
            request(&mut theirs).await;
            theirs.write_all(head.as_bytes()).await.unwrap();
            let mut seconds = interval(Duration::from_secs(1));
            loop {
                seconds.tick().await;
                let _ = theirs.write_all(b"0").await;
            }
        };
        let (result, open) = tokio::select! {
            ended = client => ended,
            () = server => unreachable!(),
        };
        assert_eq!((result.unwrap_err().code(), open, begun.elapsed()), (code, false, LIMIT), "{head}");
    }
}

#[tokio::test]
async fn files_are_asked_for_one_after_the_other_over_one_connection() {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let mut connection = Client::default().over(ours).await.unwrap();
    let replies = [
        partial("Content-Length: 8\r\n", "the body"),
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".iter().copied().chain([b'x'; 99]).collect(),
        partial("Content-Length: 8\r\n", "the body"),
    ];
    let server = async {
        for reply in replies {
            request(&mut theirs).await;
            theirs.write_all(&reply).await.unwrap();
        }
        drop(theirs);
    };
    let client = async {
        let mut codes = Vec::new();
        for _ in 0..4 {
            let result = fetch(&mut connection, &url(), range(), &mut Vec::new()).await;
            codes.push(result.map_or_else(|error| error.code(), |_| "ok"));
        }
        codes
    };
    assert_eq!(tokio::join!(client, server).0, ["ok", "missing", "range_ignored", "ok"]);
    // The server has closed meanwhile: to be repeated over a new connection.
    let error = fetch(&mut connection, &url(), range(), &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, Error::Http(HttpError::Stale(_))), "{error:?}");
}

#[tokio::test]
async fn a_piece_is_handed_on_in_parts_and_what_is_no_http_is_named() {
    let (count, length) = (3 << 20, 4 << 40);
    let head = format!(
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes {}-{}/{length}\r\nContent-Length: {count}\r\n\r\n",
        length - count,
        length - 1
    );
    let reply = [head.as_bytes(), &vec![b'x'; 3 << 20]].concat();
    let ended = answered(&url(), Asked::Range(tail(count, length)), &reply, 60_000, Then::Waits).await;
    assert_eq!((ended.line().as_str(), ended.bytes.len()), ("ok: status 206, 3145728 bytes; open", 3 << 20));
    let ended = answered(&url(), range(), b"SSH-2.0-OpenSSH_9.2\r\n", 60_000, Then::Closes).await;
    assert_eq!(ended.result.unwrap_err().code(), "not_http");
    let ended = answered(&url(), range(), b"", 60_000, Then::Closes).await;
    assert_eq!(ended.result.unwrap_err().code(), "closed");
}
