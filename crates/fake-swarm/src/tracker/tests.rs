//! Each scripted tracker, seen by a plain TCP client.

use std::io::ErrorKind;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::bencoding::integer;
use crate::script::DictionaryPeer;
use crate::udp_script::UdpCounts;

const MINUTE: Duration = Duration::from_secs(60);
const REQUEST: &str =
    "GET /announce?info_hash=%01&event=started&numwant=2 HTTP/1.1\r\nHost: x\r\nUser-Agent: ping\r\n\r\n";

/// Sends the request and leaves the connection open.
async fn ask(tracker: &FakeTracker) -> TcpStream {
    let mut stream = TcpStream::connect(tracker.addr()).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    stream
}

/// Sends the request and returns all that comes until the tracker closes.
async fn fetch(tracker: &FakeTracker) -> Vec<u8> {
    let mut answer = Vec::new();
    ask(tracker).await.read_to_end(&mut answer).await.unwrap();
    answer
}

/// Head and body of a whole response, the head in lower case.
fn split(response: &[u8]) -> (String, &[u8]) {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(response[..end].to_ascii_lowercase()).unwrap(), &response[end + 4..])
}

async fn body(script: TrackerScript) -> Vec<u8> {
    let response = fetch(&FakeTracker::start(script).unwrap()).await;
    let (head, body) = split(&response);
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    body.to_vec()
}

fn peers() -> Vec<SocketAddr> {
    [1, 2, 3].map(|last| SocketAddr::from(([127, 0, 1, last], 6881))).to_vec()
}

#[tokio::test]
async fn ordinary_replies() {
    let compact = b"d8:intervali1800e5:peers18:\x7f\0\x01\x01\x1a\xe1\x7f\0\x01\x02\x1a\xe1\x7f\0\x01\x03\x1a\xe1e";
    assert_eq!(body(TrackerScript::peers(peers())).await, compact);
    let two = TrackerScript::Peers {
        peers: peers(),
        interval: None,
        honour_numwant: true,
        extra: vec![("complete".to_owned(), integer(1))],
    };
    assert_eq!(body(two).await, b"d8:completei1e5:peers12:\x7f\0\x01\x01\x1a\xe1\x7f\0\x01\x02\x1a\xe1e");
    assert_eq!(
        body(TrackerScript::dictionary([DictionaryPeer::new("peer.example", 1)])).await,
        b"d8:intervali1800e5:peersld2:ip12:peer.example4:porti1eeee"
    );
    assert_eq!(body(TrackerScript::Failure("no".to_owned())).await, b"d14:failure reason2:noe");
}

#[tokio::test]
async fn any_status_and_body() {
    let script = TrackerScript::Body { status: 503, content_type: "text/html".to_owned(), body: b"<html>".to_vec() };
    let response = fetch(&FakeTracker::start(script).unwrap()).await;
    let (head, body) = split(&response);
    assert!(head.starts_with("http/1.1 503 ") && head.contains("content-type: text/html"), "{head}");
    assert_eq!(body, b"<html>");
}

#[tokio::test]
async fn raw_replies_are_verbatim() {
    let bytes = b"HTTP/1.0 200\nweird\n\nd5:peers0:e".to_vec();
    let tracker = FakeTracker::start(TrackerScript::Raw(bytes.clone())).unwrap();
    assert_eq!(fetch(&tracker).await, bytes);

    tracker.set_script(TrackerScript::RawKeepOpen(bytes.clone()));
    let mut stream = ask(&tracker).await;
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, bytes);
    // Still open: it closes only after we have.
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);

    tracker.set_script(TrackerScript::CloseAtOnce);
    assert_eq!(fetch(&tracker).await, b"");
}

#[tokio::test]
async fn silence_is_silent_and_recorded() {
    let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
    let stream = ask(&tracker).await;
    assert!(tracker.wait_for(|request| request.path() == "/announce", MINUTE).await);
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_trickle_begins() {
    let tracker = FakeTracker::start(TrackerScript::Trickle).unwrap();
    let mut stream = ask(&tracker).await;
    let mut buffer = [0; 100];
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 1);
    assert_eq!(buffer[0], b'H');
}

#[tokio::test]
async fn a_body_trickles_after_its_head() {
    let tracker = FakeTracker::start(TrackerScript::TrickleBody(b"xy".to_vec())).unwrap();
    let mut stream = ask(&tracker).await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    let mut read = vec![0; head.len() + 1];
    let started = Instant::now();
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(read, [head.as_slice(), b"x"].concat());
    stream.read_exact(&mut read[..1]).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_head_stalls() {
    let tracker = FakeTracker::start(TrackerScript::stall_after_head()).unwrap();
    let mut stream = ask(&tracker).await;
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
    }
    assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn what_is_endless_goes_on() {
    for (script, begins) in [
        (TrackerScript::EndlessBody, "HTTP/1.1 200 OK\r\n"),
        (TrackerScript::endless_head(), "HTTP/1.1 200 OK\r\nX-Reason: there is always one more\r\nX-Reason: "),
        (TrackerScript::endless_continue(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let tracker = FakeTracker::start(script).unwrap();
        let mut stream = ask(&tracker).await;
        let mut read = vec![0; 8 << 20];
        stream.read_exact(&mut read).await.unwrap();
        assert!(read.starts_with(begins.as_bytes()), "{begins}");
    }
}

#[tokio::test]
async fn redirects_and_gzip_are_labelled() {
    let cases = [
        (TrackerScript::redirect("/next"), "302 found", "location: /next?info_hash=%01&event=started&numwant=2"),
        (
            TrackerScript::redirect("/next?a=b"),
            "302 found",
            "location: /next?a=b&info_hash=%01&event=started&numwant=2",
        ),
        (
            TrackerScript::Redirect { status: 301, location: "http://x/".to_owned(), keep_query: false },
            "301 moved permanently",
            "location: http://x/\r\n",
        ),
        (TrackerScript::Gzip(b"no gzip".to_vec()), "200 ok", "content-encoding: gzip"),
    ];
    for (script, status, header) in cases {
        let response = fetch(&FakeTracker::start(script).unwrap()).await;
        let (head, _) = split(&response);
        assert!(head.starts_with(&format!("http/1.1 {status}\r\n")), "{head}");
        assert!(head.contains(header), "{head}");
    }
}

/// Sends a request for `target` and reads the reply to its end, over an open connection.
async fn fetch_over(stream: &mut TcpStream, target: &str) -> Vec<u8> {
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut reply).await.unwrap(), 0, "{}", String::from_utf8_lossy(&reply));
        let Some(end) = reply.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(reply[..end].to_ascii_lowercase()).unwrap();
        assert!(!head.contains("connection: close"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let body = &reply[end + 4..];
        if body.len() == length.parse::<usize>().unwrap() {
            return body.to_vec();
        }
    }
}

#[tokio::test]
async fn a_connection_is_kept_and_closed_without_a_word() {
    let peers = || TrackerScript::peers(peers());
    let tracker = FakeTracker::start(TrackerScript::KeepAlive { most: 3, then: Box::new(peers()) }).unwrap();
    let mut stream = TcpStream::connect(tracker.addr()).await.unwrap();
    for _ in 0..3 {
        assert!(fetch_over(&mut stream, "/announce?event=started").await.starts_with(b"d8:interval"));
    }
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    tracker.set_script(peers().after(Duration::from_millis(1)).kept_alive());
    let mut stream = TcpStream::connect(tracker.addr()).await.unwrap();
    for _ in 0..10 {
        fetch_over(&mut stream, "/announce").await;
    }
    assert_eq!((tracker.connections(), tracker.requests().len()), (2, 13));
}

#[tokio::test]
async fn a_scrape_of_many_is_counted() {
    let counts = |seeders| UdpCounts { seeders, ..UdpCounts::default() };
    let script = TrackerScript::Counting {
        counts: vec![([b'a'; 20], counts(1)), ([b'b'; 20], counts(2))],
        most: 2,
        otherwise: Box::new(TrackerScript::Failure("no".to_owned())),
    };
    let tracker = FakeTracker::start(script.kept_alive()).unwrap();
    let mut stream = TcpStream::connect(tracker.addr()).await.unwrap();
    let query = |letters: &str| {
        letters.chars().map(|letter| format!("info_hash={}&", letter.to_string().repeat(20))).collect::<String>()
    };
    let entry =
        |letter: &str, seeds| format!("20:{}d8:completei{seeds}e10:downloadedi0e10:incompletei0ee", letter.repeat(20));
    for (letters, files) in [("ba", entry("a", 1) + &entry("b", 2)), ("bca", entry("b", 2)), ("c", String::new())] {
        let body = fetch_over(&mut stream, &format!("/scrape?{}", query(letters))).await;
        assert_eq!(String::from_utf8(body).unwrap(), format!("d5:filesd{files}ee"));
    }
    assert_eq!(fetch_over(&mut stream, "/announce").await, b"d14:failure reason2:noe");
}

#[tokio::test]
async fn delays_add_up() {
    let delay = Duration::from_millis(20);
    for script in [TrackerScript::Failure("late".to_owned()), TrackerScript::Raw(b"late".to_vec())] {
        let tracker = FakeTracker::start(script.after(delay).after(delay)).unwrap();
        let started = Instant::now();
        assert!(fetch(&tracker).await.windows(4).any(|window| window == b"late"));
        assert!(started.elapsed() >= 2 * delay);
    }
}

#[tokio::test]
async fn requests_are_recorded() {
    for script in [TrackerScript::peers(peers()), TrackerScript::Raw(b"x".to_vec())] {
        let tracker = FakeTracker::start(script).unwrap();
        assert_eq!(tracker.requests(), []);
        let (seen, _) = tokio::join!(
            tracker.wait_for(|request| request.event().as_deref() == Some("started"), MINUTE),
            fetch(&tracker)
        );
        assert!(seen);
        let requests = tracker.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].target, "/announce?info_hash=%01&event=started&numwant=2");
        assert_eq!(requests[0].query("info_hash").unwrap(), "%01");
        assert_eq!(
            requests[0].headers,
            [("host".to_owned(), "x".to_owned()), ("user-agent".to_owned(), "ping".to_owned())]
        );
        assert!(requests[0].remote.ip().is_loopback());
        assert!(!tracker.wait_for(|request| request.event().as_deref() == Some("stopped"), Duration::ZERO).await);
    }
}

#[tokio::test]
async fn only_on_loopback() {
    let v6 = FakeTracker::start_on("[::1]:0".parse().unwrap(), TrackerScript::peers(peers())).unwrap();
    assert_eq!(v6.announce_url(), format!("http://[::1]:{}/announce", v6.addr().port()));
    assert!(fetch(&v6).await.starts_with(b"HTTP/1.1 200 OK"));
    let everywhere = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(FakeTracker::start_on(everywhere, TrackerScript::Silence), Err(Error::NotLoopback(_))));
    assert!(FakeTracker::start_in_namespace(everywhere, TrackerScript::Silence).unwrap().addr().ip().is_unspecified());
    let taken = FakeTracker::start_on(v6.addr(), TrackerScript::Silence).unwrap_err();
    assert!(matches!(taken, Error::Listen { .. }), "{taken}");
}

#[tokio::test]
async fn dropping_the_tracker_closes_it() {
    let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
    let addr = tracker.addr();
    let mut open = ask(&tracker).await;
    assert!(tracker.wait_for(|_| true, MINUTE).await);
    drop(tracker);
    // At once, without a turn of the runtime.
    assert_eq!(std::net::TcpStream::connect(addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(open.read(&mut [0; 1]).await.unwrap(), 0);
}

#[test]
fn a_runtime_is_required() {
    assert!(matches!(FakeTracker::start(TrackerScript::Silence), Err(Error::NoRuntime)));
}
