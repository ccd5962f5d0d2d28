//! Replies that are understood, and the errors for those that are not.

use crate::support::{BODY, Then, gzip, refused, replied, replied_in_two, replied_to_scrape};
use http_exchange::Limits;
use proptest::prelude::*;
use std::time::Duration;
use tracker::RetryIn;
use tracker_http::Error;

/// Sends `reply` in pieces of several sizes; it must have the one peer of [`BODY`].
async fn understood(reply: &[u8]) {
    for piece in [1, 7, 60_000] {
        let answer = replied(reply, piece, Then::Closes).await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(reply))).answer;
        assert_eq!((answer.peers.len(), answer.interval), (1, Some(1800)));
    }
}

#[tokio::test]
async fn replies_of_every_framing_are_understood() {
    let length = BODY.len();
    let (first, rest) = BODY.split_at(9);
    let headers: String = (1..100).map(|number| format!("X-{number}: y\r\n")).collect();
    for reply in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n\r\n{BODY}"),
        format!("HTTP/1.1 200 OK\r\n\r\n{BODY}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{BODY}"),
        format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}"),
        // Bare line feeds, names in upper case, values without a blank.
        format!("HTTP/1.1 200 OK\ncontent-length: {length}\n\n{BODY}"),
        format!("HTTP/1.1 200\r\nCONTENT-LENGTH:{length}\r\nContent-Type: text/plain\r\n\r\n{BODY}"),
        // aquatic_http pads the length with blanks, and includes a line feed at the end.
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}      \r\n\r\n{BODY}\r\n", length + 2),
        // Wrong lengths.
        format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{BODY}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 9007199254740991\r\n\r\n{BODY}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}and more"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{BODY}\r\n0\r\n\r\n"),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9;x=y\r\n{first}\r\n{:X}\r\n{rest}\r\n0\r\nT: x\r\n\r\n",
            length - 9
        ),
        // Chunks without an end.
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{BODY}\r\n"),
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{BODY}"
        ),
        // The most header lines that are accepted.
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n{BODY}"),
    ] {
        understood(reply.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_reply_may_be_cut_in_two_anywhere() {
    let body = gzip(BODY.as_bytes());
    let (first, rest) = body.split_at(10);
    let reply = [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\n\r\na;x=\"y\"\r\n",
        first,
        format!("\r\n{:x}\r\n", rest.len()).as_bytes(),
        rest,
        b"\r\n0\r\nTrailer: x\r\n\r\n",
    ]
    .concat();
    for at in 0..=reply.len() {
        let reply = replied_in_two(&reply, at).await.unwrap_or_else(|error| panic!("{error} at {at}"));
        assert_eq!(reply.answer.peers.len(), 1);
    }
}

/// The number of peers, or the code of the error, of `reply` in pieces of `piece` bytes.
fn outcome(reply: &[u8], piece: usize) -> Result<usize, &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let result = runtime.block_on(replied(reply, piece, Then::Closes));
    result.map(|reply| reply.answer.peers.len()).map_err(|error| match error.code() {
        // Which of the two an incomplete head is depends on how much of it hyper reads at once.
        "closed" | "not_http" => "no head",
        code => code,
    })
}

proptest! {
    #[test]
    fn arbitrary_replies_mean_the_same_in_pieces_of_any_size(
        head in 0..6_usize,
        rest in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "[a-zA-Z0-9:;=\r\n -]{0,300}".prop_map(String::into_bytes),
        ],
        piece in 1..40_usize,
    ) {
        let heads: [&[u8]; 6] = [
            b"",
            b"HTTP/1.1 ",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0",
            b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nd5:peers6:",
        ];
        let reply = [heads[head], &rest].concat();
        prop_assert_eq!(outcome(&reply, piece), outcome(&reply, 60_000));
    }
}

#[tokio::test]
async fn compressed_replies_are_inflated_with_any_label() {
    let body = gzip(BODY.as_bytes());
    for label in ["Content-Encoding: gzip\r\n", "Content-Encoding: X-Gzip\r\n", "", "Content-Encoding: identity\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{label}");
        understood(&[head.as_bytes(), b"\r\n", &body].concat()).await;
        understood(&[head.as_bytes(), b"Content-Length: 99\r\n\r\n", &body, b"\r\n"].concat()).await;
        let chunk = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
        understood(&[head.as_bytes(), chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat()).await;
    }
    // A plain body with a label is read as it is.
    for label in ["gzip", "br", "utf-8"] {
        understood(format!("HTTP/1.1 200 OK\r\nContent-Encoding: {label}\r\n\r\n{BODY}").as_bytes()).await;
    }
}

#[tokio::test]
async fn broken_and_unknown_encodings_have_their_errors() {
    let body = gzip(BODY.as_bytes());
    let damaged = |at: usize| {
        let mut body = body.clone();
        body[at] ^= 0xff;
        body
    };
    let refused_body = async |head: &str, body: &[u8]| refused(&[head.as_bytes(), b"\r\n\r\n", body].concat()).await;
    let ok = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip";
    for broken in [&body[..2], &body[..body.len() - 9], &body[..body.len() - 1], &damaged(14), &damaged(body.len() - 6)]
    {
        let said = refused_body(ok, broken).await;
        assert!(said.starts_with("bad_gzip: reply is broken gzip: "), "{said}");
    }
    // Cut off by the connection rather than broken.
    let said = refused_body(&format!("{ok}\r\nContent-Length: 99"), &body[..body.len() - 9]).await;
    assert!(said.starts_with("incomplete: "), "{said}");
    let said = refused_body("HTTP/1.1 500 Oops\r\nContent-Encoding: gzip", &body[..20]).await;
    assert_eq!(said, "http_status: HTTP 500");

    // The excerpt is of the inflated body.
    for (head, said) in [
        ("HTTP/1.1 200 OK", "not_a_tracker: not a tracker's reply (no content type): <html>: reply is not bencode: "),
        ("HTTP/1.1 403 Forbidden", "http_status: HTTP 403 (no content type): <html>"),
    ] {
        let refused = refused_body(head, &gzip(b"<html>")).await;
        assert!(refused.starts_with(said), "{refused}");
    }

    let bomb = gzip(&vec![b'0'; Limits::DEFAULT.body_bytes + 1]);
    let said = refused_body(ok, &bomb).await;
    assert_eq!(said, "inflated_too_large: reply is larger than 2097152 bytes when inflated");
    assert!(refused_body(ok, &gzip(&vec![b'0'; Limits::DEFAULT.body_bytes])).await.starts_with("not_a_tracker"));

    for encoding in ["br", "deflate", "zstd, gzip"] {
        let said = refused_body(&format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}"), b"\x78\x9c\x01").await;
        assert_eq!(said, format!("bad_encoding: reply is encoded as {encoding}, which was not asked for"));
    }
}

#[tokio::test]
async fn other_replies_have_their_errors() {
    let cloudflare =
        "<!DOCTYPE html><html lang=\"en-US\"><head><title>Just a moment...</title><meta http-equiv=\"refresh\">";
    let page = "<!DOCTYPE html><html lang=\"en-US\"><head><title>Just a moment...</title><meta htt…";
    let not_bencode = "reply is not bencode";
    for (reply, said) in [
        ("", "closed: connection closed without a reply: connection closed before message completed"),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "closed: connection closed without a reply: connection closed before message completed",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not_http: not an HTTP reply: invalid HTTP version parsed"),
        ("<html>hello</html>", "not_http: not an HTTP reply: invalid HTTP version parsed"),
        ("d8:intervali1800e5:peers0:e", "not_http: not an HTTP reply: invalid HTTP version parsed"),
        ("HTTP/1.1 OK\r\n\r\n", "not_http: not an HTTP reply: invalid HTTP status-code parsed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not_http: not an HTTP reply: invalid content-length parsed"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nd14:",
            "incomplete: connection closed in the middle of the reply: …",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "bad_body: malformed HTTP body: …"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "http_status: HTTP 101"),
        ("HTTP/1.1 204 No Content\r\n\r\n", "http_status: HTTP 204"),
        ("HTTP/1.0 404 Not Found\r\n\r\n", "http_status: HTTP 404"),
        ("HTTP/1.0 404 Not Found\r\n\r\n<html>", "http_status: HTTP 404 (no content type): <html>"),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\noh", "http_status: HTTP 500 (no content type): oh"),
        // Peers with another status than 200 are not used.
        (&format!("HTTP/1.0 500 Oops\r\n\r\n{BODY}"), "http_status: HTTP 500"),
        (
            &format!(
                "HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n{cloudflare}"
            ),
            &format!("http_status: HTTP 403 (text/html; charset=UTF-8): {page}"),
        ),
        (
            &format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n{cloudflare}"),
            &format!("not_a_tracker: not a tracker's reply (text/html; charset=UTF-8): {page}: {not_bencode}: …"),
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Type: text/html\u{202e}\r\n\r\n<html>\x07\u{202e}",
            &format!(
                "not_a_tracker: not a tracker's reply (text/html\\u{{202e}}): <html>\\u{{7}}\\u{{202e}}: {not_bencode}: …"
            ),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            &format!("not_a_tracker: not a tracker's reply (no content type): empty: {not_bencode}: …"),
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nle",
            "not_a_tracker: not a tracker's reply (no content type): le: reply is not a dictionary",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nde",
            "not_a_tracker: not a tracker's reply (no content type): de: reply is not a tracker's: …",
        ),
    ] {
        let refused = refused(reply.as_bytes()).await;
        let matches = said.strip_suffix('…').map_or(refused == said, |beginning| refused.starts_with(beginning));
        assert!(matches, "{refused}\n{said}");
    }
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_status_and_retry_in() {
    for (status, body, said) in [
        (200, "d14:failure reason7:banned\x1be", "failure: tracker refuses: banned\\u{1b}"),
        (200, "d14:failure reason5:peers5:peers0:e", "failure: tracker refuses: peers"),
        (200, "d14:failure reason0:e", "failure: tracker refuses: no reason given"),
        (200, "d14:failure reason4:busy8:retry ini5ee", "failure: tracker refuses: busy (retry in 5 min)"),
        (200, "d14:failure reason4:busy8:retry in1:5e", "failure: tracker refuses: busy (retry in 5 min)"),
        (200, "d14:failure reason4:gone8:retry in5:nevere", "failure: tracker refuses: gone (do not retry)"),
        (403, "d14:failure reason7:banned\x1be", "http_status: HTTP 403: banned\\u{1b}"),
        (503, "d14:failure reason4:busy8:retry ini5ee", "http_status: HTTP 503: busy (retry in 5 min)"),
        (302, "d14:failure reason5:movede", "http_status: HTTP 302: moved"),
    ] {
        let reply = format!("HTTP/1.0 {status} Status\r\n\r\n{body}");
        assert_eq!(refused(reply.as_bytes()).await, said);
        let compressed = [format!("HTTP/1.0 {status} Status\r\n\r\n").as_bytes(), &gzip(body.as_bytes())].concat();
        assert_eq!(refused(&compressed).await, said);
    }
}

#[tokio::test]
async fn retry_in_is_taken_from_the_head_too() {
    let after = |seconds| Some(RetryIn::After(Duration::from_secs(seconds)));
    let refusal = |more: &str| format!("d14:failure reason4:busy{more}e");
    for (head, body, retry_in, said) in [
        ("429 Too Many Requests\r\nRetry-After: 90", String::new(), after(90), "HTTP 429, retry in 90 s"),
        (
            "503 Busy\r\nretry-after: 120\r\nContent-Type: text/html",
            "<html>".to_owned(),
            after(120),
            "HTTP 503, retry in 2 min (text/html): <html>",
        ),
        (
            "503 Busy\r\nDate: Sat, 28 Nov 2026 12:00:00 GMT\r\nRetry-After: Sat, 28 Nov 2026 12:05:00 GMT",
            String::new(),
            after(300),
            "HTTP 503, retry in 5 min",
        ),
        ("503 Busy\r\nRetry-After: soon", String::new(), None, "HTTP 503"),
        ("429 Slow\r\nRetry-After: 60", refusal(""), after(60), "HTTP 429: busy (retry in 60 s)"),
        // BEP 31 in the body takes precedence.
        ("429 Slow\r\nRetry-After: 60", refusal("8:retry ini5e"), after(300), "HTTP 429: busy (retry in 5 min)"),
        (
            "429 Slow\r\nRetry-After: 60",
            refusal("8:retry in5:never"),
            Some(RetryIn::Never),
            "HTTP 429: busy (do not retry)",
        ),
        ("200 OK\r\nRetry-After: 60", refusal(""), after(60), "tracker refuses: busy (retry in 60 s)"),
    ] {
        let reply = format!("HTTP/1.1 {head}\r\n\r\n{body}");
        let error = replied(reply.as_bytes(), 60_000, Then::Closes).await.unwrap_err();
        assert_eq!((error.retry_in(), error.to_string().as_str()), (retry_in, said));
    }
}

#[tokio::test]
async fn intervals_beside_a_refusal_are_kept() {
    let body = "d14:failure reason2:no8:intervali3600e12:min intervali1800ee";
    for status in [200, 403] {
        let reply = format!("HTTP/1.1 {status} Status\r\n\r\n{body}");
        for error in [
            replied(reply.as_bytes(), 60_000, Then::Closes).await.map(drop).unwrap_err(),
            replied_to_scrape(reply.as_bytes(), 60_000, Then::Closes).await.map(drop).unwrap_err(),
        ] {
            let failure = error.failure().unwrap();
            assert_eq!((failure.interval, failure.min_interval), (Some(3600), Some(1800)), "{error}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_returned_at_once_and_not_followed() {
    for (status, location, said) in [
        (301, "http://u.example/PASS/announce", "http://u.example/***/announce"),
        (302, "https://u.example/announce?passkey=abc", "https://u.example/announce?passkey=***"),
        (307, "/elsewhere", "***"),
        (308, "", "***"),
    ] {
        // Its body never comes.
        let reply = format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 9\r\n\r\n");
        let error = replied(reply.as_bytes(), 60_000, Then::StaysOpen).await.unwrap_err();
        assert_eq!(format!("{}: {error}", error.code()), format!("redirect: HTTP {status}: redirects to {said}"));
        let Error::Redirect { location: told, .. } = error else { panic!("{error:?}") };
        assert_eq!(told.expose(), location);
    }
    assert_eq!(refused(b"HTTP/1.1 304 Not Modified\r\n\r\n").await, "http_status: HTTP 304");
    // A location in any other reply is ignored.
    understood(format!("HTTP/1.1 200 OK\r\nLocation: /x\r\n\r\n{BODY}").as_bytes()).await;
}
