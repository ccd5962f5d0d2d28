//! No error or cause shows a secret of the URL, by `Display` or `Debug`, even when the tracker repeats the request.

use crate::support::{announced, gzip, request, write};
use guard::ErrorChain;
use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracker::TrackerUrl;
use tracker_http::{Client, Error};

const URL: &str = "http://pl4nted-user:pl4nted%20word@t.example/pl4nted-path/announce?passkey=pl4nted-key&pl4nted-bare";

/// The secrets of [`URL`], in the forms that a tracker receives.
const SECRETS: [&str; 8] = [
    "pl4nted-user",
    "pl4nted%20word",
    "pl4nted word",
    "pl4nted-path",
    "pl4nted-key",
    "pl4nted-bare",
    "PL4NTED-KEY",
    // User name and password as Basic authentication sends them.
    "cGw0bnRlZC11c2VyOnBsNG50ZWQgd29yZA==",
];

/// All texts of an error and its causes.
fn said(error: &Error) -> String {
    let mut said = format!("{error} {error:?} {error:#?} {}", ErrorChain(error));
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    said
}

fn check(error: &Error) {
    let said = said(error).to_ascii_lowercase();
    for secret in SECRETS {
        let secret = secret.to_ascii_lowercase();
        // Nor most of one.
        let start = &secret[..secret.len() - 3];
        assert!(!said.contains(start), "{secret} in {said}");
    }
}

async fn answered(client: &Client, reply: &[u8]) -> Error {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let url: TrackerUrl = URL.parse().unwrap();
    let tracker = async move {
        request(&mut theirs).await;
        write(&mut theirs, reply, 60_000).await;
    };
    tokio::join!(announced(client, ours, &url), tracker).0.unwrap_err()
}

/// Replies with `secret` in every part.
fn replies(secret: &str) -> Vec<Vec<u8>> {
    let refusal = format!("d14:failure reason{}:no {secret}e", secret.len() + 3);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let encoded = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {secret}\r\n\r\n");
    let mut replies = vec![
        secret.to_owned(),
        format!("HTTP/1.1 {secret}"),
        format!("HTTP/1.1 {secret}\r\n\r\n"),
        format!("HTTP/1.1 200 {secret}\r\n{secret}: {secret}\r\nContent-Length: {secret}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{secret}\0: x\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", secret.repeat(9000)),
        format!("HTTP/1.1 200 OK\r\n\r\n{refusal}"),
        format!("HTTP/1.1 403 Forbidden\r\n\r\n{refusal}"),
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/{secret}\r\n\r\n<p>{secret}"),
        format!("HTTP/1.1 403 Forbidden\r\nContent-Type: text/{secret}\r\n\r\n<p>{secret}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{secret}"),
        format!("HTTP/1.1 302 Found\r\nLocation: http://u.example/{secret}/announce?x={secret}#{secret}\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: http://{secret}.example/announce\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: http://{secret}@u.example/announce\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: /announce?passkey={secret}\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nLocation: {secret}\r\n\r\n"),
        format!("{chunked}{secret}\r\n{secret}\r\n"),
        format!("{chunked}1;{}", secret.repeat(9000)),
        format!("HTTP/1.1 200 OK\r\n\r\n{}", secret.repeat(300_000)),
        format!("HTTP/1.1 200 OK\r\n\r\n\x1f\x0b{secret}"),
        format!("{encoded}{secret}"),
        String::new(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect::<Vec<_>>();
    // Cut off where the excerpt ends.
    replies.extend(
        (60..80).map(|pad| format!("HTTP/1.1 200 OK\r\n\r\n{}{secret} and more", "x".repeat(pad)).into_bytes()),
    );
    replies.push([encoded.as_bytes(), b"\x1f\x8b\x08", secret.as_bytes()].concat());
    replies.push([encoded.as_bytes(), &gzip(&secret.repeat(300_000).into_bytes())].concat());
    replies
}

#[tokio::test]
async fn secrets_that_a_tracker_repeats_are_hidden() {
    let mut codes = BTreeSet::new();
    for secret in SECRETS {
        for reply in replies(secret) {
            let error = answered(&Client::default(), &reply).await;
            check(&error);
            codes.insert(error.code());
        }
    }
    let all = [
        "bad_body",
        "bad_encoding",
        "bad_gzip",
        "closed",
        "failure",
        "head_too_large",
        "http_status",
        "incomplete",
        "inflated_too_large",
        "not_a_tracker",
        "not_http",
        "redirect",
        "too_large",
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), all);
}

/// A connection on which nothing can be read.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(from.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_of_failed_requests_are_hidden() {
    let url: TrackerUrl = URL.parse().unwrap();
    let client = Client::default();

    let broken = announced(&client, Broken, &url).await.unwrap_err();
    assert_eq!(
        format!("{}: {}", broken.code(), ErrorChain(&broken)),
        "connection_failed: connection failed: operation was canceled: connection error: connection reset"
    );
    check(&broken);

    let (ours, _theirs) = tokio::io::duplex(64 << 10);
    let silent = announced(&client, ours, &url).await.unwrap_err();
    assert_eq!(silent.code(), "timeout");
    check(&silent);

    let odd = client.with_user_agent("line\nbreak");
    let impossible = announced(&odd, Broken, &url).await.unwrap_err();
    assert_eq!(format!("{}: {impossible}", impossible.code()), "bad_url: the URL cannot be requested");
    check(&impossible);
}
