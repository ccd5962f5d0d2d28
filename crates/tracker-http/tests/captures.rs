//! Replies recorded from real trackers, replayed byte for byte, and what is understood of them.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

use ids::{InfoHash, PeerId};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracker::{Announce, Event};
use tracker_http::Client;

/// Replays `reply` to our own request, in pieces of `piece` bytes.
async fn understood(reply: &[u8], piece: usize) -> String {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let url = "http://tracker.invalid/announce".parse().unwrap();
    let announce = Announce {
        info_hash: InfoHash([1; 20]),
        peer_id: PeerId::new([1; 12]),
        port: 50_000,
        uploaded: 0,
        downloaded: 0,
        left: 1,
        event: Event::Started,
        numwant: None,
        key: 1,
        crypto: tracker::Crypto::None,
        tracker_id: None,
    };
    let client = Client::default();
    let tracker = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            theirs.read_buf(&mut request).await.unwrap();
        }
        for piece in reply.chunks(piece) {
            // We hang up as soon as we have the whole reply.
            if theirs.write_all(piece).await.is_err() {
                break;
            }
        }
        drop(theirs);
    };
    match tokio::join!(client.announce(ours, &url, &announce), tracker).0 {
        Err(error) => error.to_string().chars().take(60).collect(),
        Ok(reply) => {
            let announced = reply.announced;
            let peers: Vec<String> = announced.peers.iter().take(2).map(|peer| peer.address.to_string()).collect();
            let ids = announced.peers.iter().filter(|peer| peer.peer_id.is_some()).count();
            format!(
                "{}/{} every {} s, {} peers {} ids {ids}",
                announced.complete.unwrap(),
                announced.incomplete.unwrap(),
                announced.interval.unwrap(),
                announced.peers.len(),
                peers.join(" "),
            )
        }
    }
}

#[tokio::test]
async fn every_recorded_reply_is_understood_or_refused_for_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tracker");
    let mut replayed = Vec::new();
    for (name, expected) in EXPECTED {
        let reply = std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for piece in [1, 50, 5000] {
            assert_eq!(understood(&reply, piece).await, *expected, "{name} in pieces of {piece}");
        }
        replayed.push(folder.join(name));
    }
    for tracker in std::fs::read_dir(&folder).unwrap() {
        for reply in std::fs::read_dir(tracker.unwrap().path()).unwrap() {
            let reply = reply.unwrap().path();
            let is_udp = reply.file_name().unwrap().to_str().unwrap().starts_with("udp_");
            assert!(is_udp || replayed.contains(&reply), "{} is not in the table", reply.display());
        }
    }
}

/// Seeds/leechers, interval, peers (the first two) and how many came with a peer id.
const EXPECTED: &[(&str, &str)] = &[
    // A padded Content-Length that counts a CRLF after the body; always compact.
    ("aquatic_http/02_second_leech.raw", "1/0 every 120 s, 1 peers 127.0.0.1:5001 ids 0"),
    ("aquatic_http/05_nocompact.raw", "1/0 every 120 s, 1 peers 127.0.0.1:5001 ids 0"),
    ("aquatic_http/09_unknown_ih.raw", "0/0 every 120 s, 0 peers  ids 0"),
    // Dictionaries unless compact=1.
    ("bittorrent-tracker-11/02_second_leech.raw", "1/1 every 60 s, 2 peers 127.0.0.1:5001 127.0.0.1:5002 ids 0"),
    ("bittorrent-tracker-11/04_compact0.raw", "1/1 every 60 s, 2 peers 127.0.0.1:5002 127.0.0.1:5001 ids 2"),
    ("bittorrent-tracker-11/05_nocompact.raw", "1/1 every 60 s, 2 peers 127.0.0.1:5001 127.0.0.1:5002 ids 2"),
    ("bittorrent-tracker-11/09_unknown_ih.raw", "1/0 every 60 s, 1 peers 127.0.0.1:5001 ids 0"),
    ("bittorrent-tracker-11/10_missing_info_hash.raw", "tracker refuses: invalid info_hash"),
    ("bittorrent-tracker-11/10_missing_peer_id.raw", "tracker refuses: invalid peer_id"),
    // Closes after each reply; refuses compact=0 and torrents that are not on its list.
    ("opentracker/02_second_leech.raw", "1/1 every 1703 s, 2 peers 127.0.0.1:5002 127.0.0.1:5001 ids 0"),
    ("opentracker/04_compact0.raw", "HTTP 400"),
    ("opentracker/05_nocompact.raw", "1/1 every 1935 s, 2 peers 127.0.0.1:5002 127.0.0.1:5001 ids 0"),
    ("opentracker/09_unknown_ih.raw", "tracker refuses: Requested download is not authorized for us"),
    ("opentracker/10_missing_info_hash.raw", "tracker refuses: Your client forgot to send your torrent's i"),
    ("opentracker/10_missing_peer_id.raw", "1/71 every 1847 s, 50 peers 127.0.0.1:20067 127.0.0.1:20068 ids 0"),
    // Leaves the asker out of the list; a failure reason of 200 characters.
    ("torrust/02_second_leech.raw", "1/1 every 120 s, 1 peers 127.0.0.1:5001 ids 0"),
    ("torrust/04_compact0.raw", "1/1 every 120 s, 1 peers 127.0.0.1:5001 ids 1"),
    ("torrust/05_nocompact.raw", "1/1 every 120 s, 1 peers 127.0.0.1:5001 ids 1"),
    ("torrust/09_unknown_ih.raw", "1/0 every 120 s, 0 peers  ids 0"),
    ("torrust/10_missing_info_hash.raw", "tracker refuses: Cannot parse query params for announce requ"),
    ("torrust/10_missing_peer_id.raw", "tracker refuses: Cannot parse query params for announce requ"),
];
