//! Several exchanges over one connection, and what ends it.

use crate::support::{BODY, URL, announce, gzip, request};
use http_exchange::Error::{Closed, Stale, Timeout};
use http_exchange::Limits;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};
use tracker::{Announced, TrackerUrl};
use tracker_http::{Client, Connection, Error, Reply};

type Asked = Result<Reply<Announced>, Error>;

/// A connection, and the tracker's end of it.
struct Pair {
    ours: Connection<DuplexStream>,
    theirs: DuplexStream,
}

impl Pair {
    async fn new() -> Self {
        Self::with(Limits::DEFAULT).await
    }

    async fn with(limits: Limits) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let client = Client::default().with_limits(limits);
        Self { ours: client.over(ours).await.unwrap(), theirs }
    }

    /// Asks, and has the tracker write `reply` to it.
    async fn ask(&mut self, reply: &[u8]) -> Asked {
        let Self { ours, theirs } = self;
        let tracker = async {
            request(theirs).await;
            theirs.write_all(reply).await.unwrap();
        };
        tokio::join!(asked(ours), tracker).0
    }

    /// [`ask`](Self::ask), then the tracker closes.
    async fn ask_last(mut self, reply: &[u8]) -> (Connection<DuplexStream>, Asked) {
        let Self { ours, theirs } = &mut self;
        let tracker = async {
            request(theirs).await;
            theirs.write_all(reply).await.unwrap();
            theirs.shutdown().await.unwrap();
        };
        let asked = tokio::join!(asked(ours), tracker).0;
        (self.ours, asked)
    }
}

async fn asked(connection: &mut Connection<DuplexStream>) -> Asked {
    connection.announce(&URL.parse::<TrackerUrl>().unwrap(), &announce()).await
}

/// [`BODY`] with its length, and further header lines.
fn framed(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n{BODY}", BODY.len()).into_bytes()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
}

/// Another exchange over a closed connection writes nothing and is [`Stale`].
async fn is_over(connection: &mut Connection<DuplexStream>) {
    assert!(!connection.is_open());
    let error = asked(connection).await.unwrap_err();
    assert!(error.is_stale() && matches!(error, Error::Http(Stale(None))), "{error:?}");
    assert_eq!((error.code(), error.status()), ("closed", None));
}

#[tokio::test]
async fn one_exchange_follows_another() {
    let mut pair = Pair::new().await;
    assert!(pair.ours.is_open());
    let replies = [
        framed(""),
        framed("Connection: keep-alive\r\n"),
        chunked(BODY.as_bytes()),
        chunked(&gzip(BODY.as_bytes())),
        [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), framed("")].concat(),
        format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len())
            .into_bytes(),
    ];
    for (before, reply) in replies.iter().enumerate() {
        assert_eq!(pair.ours.exchanges(), before);
        assert_eq!(pair.ask(reply).await.unwrap().answer.peers.len(), 1);
        assert!(pair.ours.is_open() && pair.ours.is_open(), "{}", String::from_utf8_lossy(reply));
    }
    // Errors that are complete replies keep the connection open.
    for (reply, code) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", "http_status"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\nd14:failure reason6:bannede", "failure"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "not_a_tracker"),
        ("HTTP/1.1 204 No Content\r\n\r\n", "http_status"),
        // A redirect without a body, and with one that has arrived already.
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "redirect"),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 6\r\n\r\n<html>", "redirect"),
    ] {
        assert_eq!(pair.ask(reply.as_bytes()).await.unwrap_err().code(), code);
        assert!(pair.ours.is_open(), "{reply}");
    }
    assert_eq!(pair.ours.exchanges(), 12);
}

#[tokio::test]
async fn replies_after_which_nothing_may_follow_close() {
    for reply in [
        framed("Connection: close\r\n"),
        format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()).into_bytes(),
        // More than was asked for: some bytes, or an unrequested reply.
        [framed(""), b"\r\n".to_vec()].concat(),
        [framed(""), framed("")].concat(),
        [chunked(BODY.as_bytes()), framed("")].concat(),
    ] {
        for first in [false, true] {
            let mut pair = Pair::new().await;
            if first {
                pair.ask(&framed("")).await.unwrap();
            }
            assert_eq!(pair.ask(&reply).await.unwrap().answer.peers.len(), 1);
            assert_eq!(pair.ours.exchanges(), 1 + usize::from(first));
            is_over(&mut pair.ours).await;
        }
    }
    // The end of the connection is the end of the body, or comes before it.
    for reply in
        [format!("HTTP/1.1 200 OK\r\n\r\n{BODY}"), format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{BODY}")]
    {
        let (mut ours, asked) = Pair::new().await.ask_last(reply.as_bytes()).await;
        assert_eq!(asked.unwrap().answer.peers.len(), 1);
        is_over(&mut ours).await;
    }
    for (reply, code) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "not_http"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "bad_body"),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 9\r\n\r\n<html>", "redirect"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "http_status"),
    ] {
        let mut pair = Pair::new().await;
        assert_eq!(pair.ask(reply.as_bytes()).await.unwrap_err().code(), code);
        is_over(&mut pair.ours).await;
    }
}

#[tokio::test]
async fn bytes_without_a_request_close_the_connection() {
    for unasked in [&b"x"[..], b"HTTP/1.1 408 Request Timeout\r\n\r\n", &framed("")] {
        let mut pair = Pair::new().await;
        pair.ask(&framed("")).await.unwrap();
        assert!(pair.ours.is_open());
        pair.theirs.write_all(unasked).await.unwrap();
        // They are not taken for the reply, and no request is written.
        let error = asked(&mut pair.ours).await.unwrap_err();
        assert!(matches!(error, Error::Http(Stale(None))), "{error:?}");
        assert_eq!(pair.theirs.read(&mut [0; 1]).await.unwrap(), 0);
        is_over(&mut pair.ours).await;
    }
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_stale() {
    // The tracker closes while the request is on its way.
    let mut pair = Pair::new().await;
    pair.ask(&framed("")).await.unwrap();
    let (mut ours, error) = pair.ask_last(b"").await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Http(Stale(Some(_)))) && error.is_stale(), "{error:?}");
    assert_eq!(error.to_string(), "server has closed the connection that was kept open");
    assert_eq!(ours.exchanges(), 1);
    is_over(&mut ours).await;

    // A 408 says that the tracker waited too long.
    let mut pair = Pair::new().await;
    pair.ask(&framed("")).await.unwrap();
    let reply = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    let error = pair.ask(reply).await.unwrap_err();
    assert!(error.is_stale(), "{error:?}");
    is_over(&mut pair.ours).await;
    // Over a new connection these are answers.
    assert_eq!(Pair::new().await.ask(reply).await.unwrap_err().status(), Some(408));
    assert_eq!(Pair::new().await.ask_last(b"").await.1.unwrap_err().code(), "closed");
    assert!(!Pair::new().await.ask_last(b"").await.1.unwrap_err().is_stale());

    // With the first byte it is a reply, a bad one.
    let mut pair = Pair::new().await;
    pair.ask(&framed("")).await.unwrap();
    let error = pair.ask_last(b"HTTP/1.1 200").await.1.unwrap_err();
    assert!(matches!(error, Error::Http(Closed(_))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn each_exchange_has_its_own_deadline() {
    let mut pair = Pair::new().await;
    pair.ask(&framed("")).await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    pair.ask(&framed("")).await.unwrap();
    pair.ours.timeout = Duration::from_secs(3);
    let begun = Instant::now();
    let error = asked(&mut pair.ours).await.unwrap_err();
    assert!(matches!(error, Error::Http(Timeout(limit)) if limit == begun.elapsed()), "{error:?}");
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    is_over(&mut pair.ours).await;

    // A body that was cut is judged, and nothing may follow it.
    let mut pair = Pair::new().await;
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{BODY}");
    assert_eq!(pair.ask(cut.as_bytes()).await.unwrap().answer.peers.len(), 1);
    is_over(&mut pair.ours).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_exchange_closes() {
    let mut pair = Pair::new().await;
    pair.ask(&framed("")).await.unwrap();
    assert!(timeout(Duration::from_secs(1), asked(&mut pair.ours)).await.is_err());
    // The reply finds the stream closed.
    request(&mut pair.theirs).await;
    assert!(pair.theirs.write_all(&framed("")).await.is_err());
    assert_eq!(pair.ours.exchanges(), 1);
    is_over(&mut pair.ours).await;
}

#[tokio::test]
async fn each_exchange_has_its_own_limits() {
    let limits = Limits::DEFAULT.with_head_bytes(8192).with_head_lines(10).with_body_bytes(2000);
    let reply = |length: usize| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: {}\r\n\r\n{BODY}",
            "x".repeat(4000),
            BODY.len() + length
        );
        [head.into_bytes(), vec![b'x'; length]].concat()
    };
    let mut pair = Pair::with(limits).await;
    for _ in 0..50 {
        assert_eq!(pair.ask(&reply(1900)).await.unwrap().answer.peers.len(), 1);
        assert!(pair.ours.is_open());
    }
    assert_eq!(pair.ask(&reply(2000)).await.unwrap_err().code(), "too_large");
    is_over(&mut pair.ours).await;
}

#[tokio::test]
async fn an_idle_connection_may_move_to_another_task() {
    let mut pair = Pair::new().await;
    pair.ask(&framed("")).await.unwrap();
    let mut pool = vec![pair.ours];
    let mut theirs = pair.theirs;
    let task = tokio::spawn(async move {
        let mut ours = pool.pop().unwrap();
        assert!(ours.is_open());
        (asked(&mut ours).await, ours)
    });
    request(&mut theirs).await;
    theirs.write_all(&framed("")).await.unwrap();
    let (reply, mut ours) = task.await.unwrap();
    assert_eq!(reply.unwrap().answer.peers.len(), 1);
    assert!(ours.is_open());
    drop(theirs);
    is_over(&mut ours).await;
}
