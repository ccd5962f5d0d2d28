//! Hostile trackers: every exchange ends, early and in little memory.

use crate::support::{BODY, Then, announced, refused, replied, request, write};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, interval};
use tracker::TrackerUrl;
use tracker_http::{Client, Error};

const HEAD_TOO_LARGE: &str = "head_too_large: head of the reply has more than 65536 bytes or 100 lines";

/// `unit` repeated until it is longer than every limit.
fn endless(head: &str, unit: &str) -> Vec<u8> {
    [head.as_bytes(), unit.repeat((3 << 20) / unit.len()).as_bytes()].concat()
}

#[tokio::test]
async fn heads_without_end_are_refused() {
    let lines = |count: usize| (0..count).map(|number| format!("X-{number}: y\r\n")).collect::<String>();
    for reply in [
        endless("", "HTTP/1.1 100 Continue\r\n\r\n"),
        endless("", "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"),
        endless("HTTP/1.1 200 OK\r\n", "X: y\r\n"),
        endless("HTTP/1.1 200 OK\r\nX: ", "y"),
        endless("HTTP/1.1 200 ", "OK"),
        format!("HTTP/1.1 200 OK\r\n{}\r\n{BODY}", lines(101)).into_bytes(),
    ] {
        assert_eq!(refused(&reply).await, HEAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn bodies_without_end_are_refused() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let too_large = "too_large: reply is larger than 2097152 bytes";
    for (reply, said) in [
        (endless("HTTP/1.1 200 OK\r\n\r\n", "x"), too_large),
        (endless("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", "x"), too_large),
        (endless("HTTP/1.1 500 Oops\r\n\r\n", "x"), too_large),
        (endless(chunked, "40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"), too_large),
        // Little body in much framing.
        (endless(chunked, "8\r\n01234567\r\n"), "too_large: reply is larger than 2621440 bytes"),
        (endless(chunked, "0"), "too_large: reply is larger than 2621440 bytes"),
        (endless(chunked, "1;extension=0123456789\r\nx\r\n"), "bad_body: malformed HTTP body: "),
        (endless(&format!("{chunked}1;"), "extension"), "bad_body: malformed HTTP body: "),
        (endless(&format!("{chunked}0\r\n"), "Trailer: x\r\n"), "bad_body: malformed HTTP body: "),
        (endless(chunked, "f"), "bad_body: malformed HTTP body: "),
    ] {
        let refused = refused(&reply).await;
        assert!(refused.starts_with(said), "{refused}\n{said}");
    }
}

#[tokio::test]
async fn long_texts_of_a_tracker_are_shortened() {
    let long = "é".repeat(1 << 19);
    let refusal = format!("HTTP/1.1 200 OK\r\n\r\nd14:failure reason{}:{long}e", long.len());
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: http://u.example/{}\r\n\r\n", "x/".repeat(30_000));
    for (reply, expected) in [
        (refusal, format!("failure: tracker refuses: {}…", "é".repeat(512))),
        (redirect, format!("redirect: HTTP 302: redirects to http://u.example{}", "/***".repeat(504))),
    ] {
        assert_eq!(refused(reply.as_bytes()).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_and_half_a_reply_end_at_the_deadline() {
    for reply in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd8:"] {
        let begun = Instant::now();
        let error = replied(reply, 1000, Then::StaysOpen).await.unwrap_err();
        assert_eq!(error.to_string(), "no complete reply within 15 s");
        assert_eq!((error.code(), begun.elapsed()), ("timeout", Duration::from_secs(15)));
    }
}

#[tokio::test(start_paused = true)]
async fn body_incomplete_at_the_deadline_is_judged() {
    let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{BODY}");
    let reply = replied(reply.as_bytes(), 1000, Then::StaysOpen).await.unwrap();
    assert_eq!(reply.answer.peers.len(), 1);
    let error =
        replied(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n", 1000, Then::StaysOpen).await.unwrap_err();
    assert_eq!(error.to_string(), "HTTP 502");
}

#[tokio::test(start_paused = true)]
async fn a_trickle_ends_at_the_callers_deadline() {
    for (head, limit) in [("", 4), ("HTTP/1.1 200 OK\r\n\r\n", 4), ("HTTP/1.1 200 OK\r\n\r\n", 15)] {
        let timeout = Duration::from_secs(limit);
        let client = Client::default().with_timeout(timeout);
        let url: TrackerUrl = "http://t.example/announce".parse().unwrap();
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        let begun = Instant::now();
        let tracker = async {
            request(&mut theirs).await;
            write(&mut theirs, head.as_bytes(), 1000).await;
            let mut seconds = interval(Duration::from_secs(1));
            for byte in endless("HTTP/1.1 200 OK\r\nX: ", "y") {
                seconds.tick().await;
                theirs.write_all(&[byte]).await.unwrap();
            }
        };
        let error = tokio::select! {
            result = announced(&client, ours, &url) => result.unwrap_err(),
            () = tracker => unreachable!(),
        };
        assert!(matches!(error, Error::Http(http_exchange::Error::Timeout(after)) if after == timeout), "{error:?}");
        assert_eq!(begun.elapsed(), timeout);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_does_not_read_ends_at_the_deadline() {
    let (ours, _theirs) = tokio::io::duplex(1);
    let url: TrackerUrl = "http://t.example/announce".parse().unwrap();
    let error = announced(&Client::default(), ours, &url).await.unwrap_err();
    assert_eq!(error.code(), "timeout");
}
