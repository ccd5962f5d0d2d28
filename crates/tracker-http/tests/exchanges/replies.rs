//! What is understood.

use crate::support::{BODY, Then, refused, replied};
use tracker_http::Client;

#[tokio::test]
async fn replies_of_every_framing_in_pieces_of_any_size() {
    let length = BODY.len();
    for reply in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{BODY}"),
        format!("HTTP/1.1 200 OK\ncontent-length: {length}\n\n{BODY}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}    \r\n\r\n{BODY}\r\n", length + 2),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{BODY}\r\n0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{BODY}"),
    ] {
        for piece in [1, 7, 1000] {
            let answer = replied(reply.as_bytes(), piece, Then::Closes).await.unwrap().answer;
            assert_eq!((answer.peers.len(), answer.interval), (1, Some(1800)), "{reply}");
        }
    }
}

#[tokio::test]
async fn what_came_back_instead_is_said() {
    let failure = "d14:failure reason7:banned\x1be";
    let huge = format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(Client::MAX_BODY + 1));
    for (reply, said) in [
        ("", "closed: connection closed without a reply: connection closed before message completed"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not_http: not an HTTP reply: invalid HTTP version parsed"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nd14:",
            "incomplete: connection closed in the middle of the reply: ",
        ),
        ("HTTP/1.0 404 Not Found\r\n\r\n", "http_status: HTTP 404"),
        ("HTTP/1.0 404 Not Found\r\n\r\n<html>", "http_status: HTTP 404 (no content type): <html>"),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://x/PASS/announce\r\n\r\n",
            "redirect: HTTP 302: redirects to http://x/***/announce",
        ),
        (&format!("HTTP/1.0 200 OK\r\n\r\n{failure}"), "failure: tracker refuses: banned\\u{1b}"),
        (&format!("HTTP/1.0 403 No\r\n\r\n{failure}"), "http_status: HTTP 403: banned\\u{1b}"),
        (
            "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>\x07",
            "not_a_tracker: not a tracker's reply (text/html): <html>\\u{7}: reply is not bencode: ",
        ),
        (&huge, "too_large: reply is larger than 2097152 bytes"),
    ] {
        let refused = refused(reply.as_bytes()).await;
        assert!(if said.ends_with(": ") { refused.starts_with(said) } else { refused == said }, "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_and_half_a_reply_end_at_the_deadline() {
    for reply in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd8:"] {
        let error = replied(reply, 1000, Then::StaysOpen).await.unwrap_err();
        assert_eq!(error.to_string(), "no complete reply within 15 s");
    }
}
