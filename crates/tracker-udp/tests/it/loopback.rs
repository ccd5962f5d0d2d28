//! Sessions over real sockets, with scripted trackers on loopback.
use ids::{InfoHash, PeerId};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tracker::{Announce, Scrape};
use tracker_udp::{Error, Session};

const EXAMPLE: Announce<'static> =
    Announce::started(InfoHash([1; 20]), PeerId([2; 20]), 50_000, 1).with_numwant(Some(200));

async fn session(local: &str, tracker: SocketAddr) -> Session {
    let socket = UdpSocket::bind(local).await.unwrap();
    socket.connect(tracker).await.unwrap();
    Session::new(socket, &"udp://tracker.invalid:1/announce?x=1".parse().unwrap()).unwrap()
}

/// Answers connects, announces with `peers`, and scrapes of one torrent; gives up after `requests`.
async fn serve(tracker: &UdpSocket, peers: &[u8], requests: usize) {
    let mut request = [0; 1000];
    for _ in 0..requests {
        let (_, from) = tracker.recv_from(&mut request).await.unwrap();
        let body = match request[11] {
            0 => vec![7; 8],
            1 => [&[0, 0, 7, 8, 0, 0, 0, 2, 0, 0, 0, 3][..], peers].concat(),
            _ => vec![0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 2],
        };
        tracker.send_to(&[&request[8..16], &body].concat(), from).await.unwrap();
    }
}

#[tokio::test]
async fn announce_and_scrape_over_ipv4() {
    let tracker = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut session = session("127.0.0.1:0", tracker.local_addr().unwrap()).await;
    let asking = async {
        let reply = session.announce(&EXAMPLE, 1).await.unwrap();
        let scraped = session.scrape(&Scrape::from(InfoHash([1; 20])), 5).await.unwrap();
        (reply, scraped)
    };
    let ((reply, scraped), ()) = tokio::join!(asking, serve(&tracker, b"\x7f\0\0\x09\x1a\xe1", 3));
    assert_eq!(reply.content.peers[0].address.to_string(), "127.0.0.9:6881");
    assert!(reply.connect.is_some_and(|connect| connect <= reply.elapsed));
    assert_eq!((scraped.content.files[0].1.downloaded, scraped.connect), (Some(9), None));
}

#[tokio::test]
async fn entries_have_18_bytes_over_ipv6_and_6_over_ipv4_mapped_addresses() {
    let entry = [&Ipv6Addr::LOCALHOST.octets()[..], &[0x1a, 0xe1]].concat();
    for (local, peers, expected) in
        [("[::1]:0", &entry[..], "[::1]:6881"), ("127.0.0.1:0", b"\x7f\0\0\x09\x1a\xe1", "127.0.0.9:6881")]
    {
        let tracker = UdpSocket::bind(local).await.unwrap();
        let address = tracker.local_addr().unwrap();
        // A socket for both families speaks to IPv4 by its mapped address.
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut session = session("[::]:0", SocketAddr::from((ip, address.port()))).await;
        let (reply, ()) = tokio::join!(session.announce(&EXAMPLE, 1), serve(&tracker, peers, 2));
        assert_eq!(reply.unwrap().content.peers[0].address.to_string(), expected);
    }
}

#[tokio::test]
async fn a_closed_port_is_refused_at_once_and_a_tracker_there_later_answers() {
    // A loopback address used by no other test, so that the port stays free meanwhile.
    let tracker = UdpSocket::bind("127.0.21.1:0").await.unwrap();
    let address = tracker.local_addr().unwrap();
    drop(tracker);
    let mut session = session("127.0.0.1:0", address).await;
    let begun = Instant::now();
    let error = session.announce(&EXAMPLE, 1).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert!(begun.elapsed() < Session::TIMEOUT / 10);
    let tracker = UdpSocket::bind(address).await.unwrap();
    let (reply, ()) = tokio::join!(session.announce(&EXAMPLE, 9), serve(&tracker, b"", 2));
    assert_eq!(reply.unwrap().content.interval, Some(1800));
}

#[tokio::test]
async fn a_pending_icmp_refusal_does_not_fail_the_next_exchange() {
    let tracker = UdpSocket::bind("127.0.21.2:0").await.unwrap();
    let address = tracker.local_addr().unwrap();
    drop(tracker);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(address).await.unwrap();
    // On loopback the refusal is pending before this returns. It is not read from the socket.
    socket.send(b"x").await.unwrap();
    let tracker = UdpSocket::bind(address).await.unwrap();
    let mut session = Session::new(socket, &"udp://tracker.invalid:1".parse().unwrap()).unwrap();
    let (reply, ()) = tokio::join!(session.announce(&EXAMPLE, 1), serve(&tracker, b"", 2));
    assert_eq!(reply.unwrap().content.interval, Some(1800));
}

#[tokio::test]
async fn a_flood_delays_neither_other_tasks_nor_the_deadline() {
    let tracker = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut session = session("127.0.0.1:0", tracker.local_addr().unwrap()).await;
    session.timeout = Duration::from_millis(300);
    let over = Arc::new(AtomicBool::new(false));
    let flooding = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            let (_, victim) = tracker.recv_from(&mut [0; 100]).unwrap();
            while !over.load(Ordering::Relaxed) {
                // A full buffer does not end the flood.
                let _ = tracker.send_to(b"garbage, garbage", victim);
            }
        }
    });
    let others = Arc::new(AtomicUsize::new(0));
    let other = tokio::spawn({
        let others = Arc::clone(&others);
        async move {
            loop {
                others.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    let begun = Instant::now();
    let error = session.announce(&EXAMPLE, 1).await.unwrap_err();
    let elapsed = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    other.abort();
    flooding.join().unwrap();
    let Error::Timeout { ignored, .. } = error else { panic!("{error}") };
    assert!(ignored.count > 100 && others.load(Ordering::Relaxed) > 1, "{ignored:?}, {others:?}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[tokio::test]
async fn a_socket_without_a_tracker_is_refused() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let error = Session::new(socket, &"udp://tracker.invalid:1".parse().unwrap()).err().unwrap();
    assert_eq!(error.code(), "local_limit");
}

#[test]
fn exchanges_can_be_spawned() {
    fn spawnable<T: Send + 'static>(_: impl FnOnce(Session) -> T) {}
    spawnable(|mut session| async move {
        let _ = session.announce(&EXAMPLE, 1).await;
        let _ = session.scrape(&Scrape::from(InfoHash([1; 20])), 1).await;
    });
}
