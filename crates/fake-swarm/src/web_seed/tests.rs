//! Each scripted web seed, seen by a plain TCP client.

use super::*;
use crate::web_site::WebFile;

const MINUTE: Duration = Duration::from_secs(60);

/// A client with one connection.
struct Client(TcpStream);

impl Client {
    async fn of(seed: &FakeWebSeed) -> Self {
        Self(TcpStream::connect(seed.addr()).await.unwrap())
    }

    async fn ask(&mut self, target: &str, headers: &str) {
        let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        self.0.write_all(head.as_bytes()).await.unwrap();
    }

    /// A reply with `Content-Length`: its head and its body.
    async fn reply(&mut self) -> (String, Vec<u8>) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        (head, body)
    }

    async fn get(&mut self, target: &str, range: &str) -> (String, Vec<u8>) {
        self.ask(target, &format!("Range: bytes={range}\r\n")).await;
        self.reply().await
    }

    /// What comes until the server closes.
    async fn rest(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).await.unwrap();
        bytes
    }
}

fn digits() -> WebFile {
    b"0123456789".as_slice().into()
}

async fn one_of_digits(script: WebSeedScript, range: &str) -> (String, Vec<u8>) {
    let seed = FakeWebSeed::start(WebSite::new(script).file("/d", digits())).unwrap();
    Client::of(&seed).await.get("/d", range).await
}

#[tokio::test]
async fn ranges_over_one_connection() {
    let site = WebSite::default().file("/d", digits()).file("/a #", b"x".as_slice()).file("/empty", b"".as_slice());
    let seed = FakeWebSeed::start(site.file("/huge", WebFile::Zeros(4 << 40))).unwrap();
    let mut client = Client::of(&seed).await;
    for (target, range, status, content_range, body) in [
        ("/d", "2-4", "206", "bytes 2-4/10", "234"),
        ("/d", "8-", "206", "bytes 8-9/10", "89"),
        ("/d", "8-99", "206", "bytes 8-9/10", "89"),
        ("/d", "10-11", "416", "bytes */10", ""),
        ("/d", "nonsense", "200", "", "0123456789"),
        ("/a%20%23", "0-0", "206", "bytes 0-0/1", "x"),
        ("/empty", "0-0", "200", "", ""),
        ("/none", "0-0", "404", "", "no such file\n"),
        ("/huge", "4398046511103-4398046511103", "206", "bytes 4398046511103-4398046511103/4398046511104", "\0"),
    ] {
        let (head, got) = client.get(target, range).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {range}: {head}");
        let line = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).unwrap_or_default();
        assert_eq!((line, got.as_slice()), (content_range, body.as_bytes()), "{target} {range}");
    }
    assert_eq!(seed.requests().len(), 9);
    assert_eq!(seed.requests()[0].header("range"), Some("bytes=2-4"));
    let counts = seed.counts();
    assert_eq!((counts.connections, counts.peak_connections, counts.peak_requests), (1, 1, 1));
    assert_eq!(counts.times.len(), 1);
    assert!(counts.bytes_sent > 100, "{}", counts.bytes_sent);
}

#[tokio::test]
async fn ranges_ignored_and_lied_about() {
    let (head, body) = one_of_digits(WebSeedScript::Whole, "2-4").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body == b"0123456789", "{head}");
    let lie = WebSeedScript::ContentRange(Some("bytes {first}-{last}/*, not {length}".to_owned()));
    let (head, body) = one_of_digits(lie, "2-4").await;
    assert!(head.contains("\r\nContent-Range: bytes 2-4/*, not 10\r\n") && body == b"234", "{head}");
    let (head, body) = one_of_digits(WebSeedScript::ContentRange(None), "2-4").await;
    assert!(head.starts_with("HTTP/1.1 206 ") && !head.contains("Content-Range") && body == b"234", "{head}");
    let (head, body) = one_of_digits(WebSeedScript::BodyOf(9), "2-4").await;
    assert!(head.contains("bytes 2-4/10") && body == b"23456789\0", "{head} {body:?}");
}

#[tokio::test]
async fn pieces_of_bep_17() {
    let site = WebSite::new(WebSeedScript::Pieces { piece_length: 4 }).file("/seed", digits());
    let seed = FakeWebSeed::start(site).unwrap();
    let mut client = Client::of(&seed).await;
    for (query, status, body) in [
        ("piece=1&ranges=0-3", "200", "4567"),
        ("piece=2&ranges=1-1", "200", "9"),
        ("piece=2&ranges=0-3", "404", "no such piece\n"),
        ("", "404", "no such piece\n"),
    ] {
        client.ask(&format!("/seed?info_hash=x&{query}"), "").await;
        let (head, got) = client.reply().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && got == body.as_bytes(), "{query}: {head}");
    }
}

#[tokio::test]
async fn replies_of_any_kind_by_path() {
    let site = WebSite::new(WebSeedScript::too_fast(503, 7))
        .at("/moved", WebSeedScript::redirect("file:///etc/passwd"))
        .at("/packed", WebSeedScript::status("200 OK").with_header("Content-Encoding", "gzip").with_body("packed"));
    let seed = FakeWebSeed::start(site).unwrap();
    let mut client = Client::of(&seed).await;
    assert_eq!(client.get("/", "0-1").await.0, "HTTP/1.1 503\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    assert!(client.get("/moved", "0-1").await.0.contains("\r\nLocation: file:///etc/passwd\r\n"));
    let (head, body) = client.get("/packed", "0-1").await;
    assert!(head.contains("\r\nContent-Encoding: gzip\r\n") && body == b"packed", "{head}");
    seed.set_site(WebSeedScript::status("403 Forbidden"));
    assert!(client.get("/", "0-1").await.0.starts_with("HTTP/1.1 403 Forbidden\r\n"));
}

#[tokio::test]
async fn what_no_library_sends() {
    let raw = |script| async move {
        let seed = FakeWebSeed::start(script).unwrap();
        let mut client = Client::of(&seed).await;
        client.ask("/", "").await;
        client.rest().await
    };
    assert_eq!(raw(WebSeedScript::Raw(b"weird\n".to_vec())).await, b"weird\n");
    assert_eq!(raw(WebSeedScript::CloseAtOnce.after(Duration::from_millis(1))).await, b"");
    for (script, first) in [
        (WebSeedScript::endless(4 << 40), "HTTP/1.1 200 OK\r\nContent-Length: 4398046511104\r\n\r\neee"),
        (
            WebSeedScript::endless_chunks("HTTP/1.1 206 Partial Content\r\n"),
            "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n10\r\n",
        ),
        (WebSeedScript::Trickle { first: b"ab".to_vec(), then: b"cd".to_vec() }, "abc"),
        (WebSeedScript::RawKeepOpen(b"abc".to_vec()), "abc"),
    ] {
        let seed = FakeWebSeed::start(script).unwrap();
        let mut client = Client::of(&seed).await;
        client.ask("/", "").await;
        let mut got = vec![0; first.len()];
        client.0.read_exact(&mut got).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&got), first);
        assert!(seed.counts().bytes_sent >= first.len() as u64);
    }
}

#[tokio::test]
async fn peaks_are_counted() {
    let seed = FakeWebSeed::start(WebSeedScript::Silence).unwrap();
    let mut clients = [Client::of(&seed).await, Client::of(&seed).await, Client::of(&seed).await];
    clients[0].ask("/0", "").await;
    clients[1].ask("/1", "").await;
    assert!(seed.wait_for(|request| request.target == "/1", MINUTE).await);
    assert!(seed.wait_for(|request| request.target == "/0", MINUTE).await);
    let counts = seed.counts();
    assert_eq!((counts.peak_requests, counts.bytes_sent), (2, 0));
    assert!(counts.peak_connections >= 2, "{counts:?}");
}

/// Closes and new connections are all there when the server's tasks run.
#[tokio::test]
async fn a_connection_is_not_counted_with_one_that_was_closed_before_it() {
    let seed = FakeWebSeed::start(WebSeedScript::Silence).unwrap();
    let mut open = [None, None];
    for round in 1..=50 {
        for place in &mut open {
            drop(place.take());
            *place = Some(std::net::TcpStream::connect(seed.addr()).unwrap());
        }
        while seed.counts().connections < 2 * round {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(seed.counts().peak_connections, 2);
}

#[tokio::test]
async fn only_loopback() {
    let public = SocketAddr::from(([192, 0, 2, 1], 0));
    assert!(matches!(FakeWebSeed::start_on(public, WebSite::default()), Err(Error::NotLoopback(_))));
}
