//! A piece in full, hashed as it comes.

use super::{Made, asking, only, statuses};
use crate::lab::run;
use client::{Config, Proof, TorrentRef, WebSeedReport, WebSeedStatus};
use fake_swarm::{FakeSwarm, FakeWebSeed, MetadataScript, Peer, Serving, WebSite, peer_ip};
use ids::InfoHash;
use std::time::Duration;

/// A file, padding (BEP 47), and two more files, all in one piece.
const FILES: &[(&str, u64, &str)] = &[("a", 20_000, ""), (".pad/12768", 12_768, "p"), ("b", 5000, ""), ("c", 10, "")];

/// SHA-1 of 20,000 `a`, 12,768 zeros, 5,000 `b` and 10 `c`.
const HASH: &str = "ff266ec19152fdea82f258933430cdc45559a0d2";

/// The report about a server whose file `b` consists of this byte.
async fn proved_with(byte: u8, adjust: impl FnOnce(Config) -> Config) -> (WebSeedReport, FakeWebSeed) {
    let hash: InfoHash = HASH.parse().unwrap();
    let made = Made { files: FILES, piece_length: 65536, hashes: Some(hash.0.to_vec()), ..Made::default() };
    let torrent = made.torrent();
    let proof = Proof::choose(&torrent, &made.bytes()).unwrap();
    let site = WebSite::default().file("/made/a", vec![b'a'; 20_000]).file("/made/b", vec![byte; 5000]);
    let server = FakeWebSeed::start(site.file("/made/c", vec![b'c'; 10])).unwrap();
    let config = adjust(asking([server.url("/")]).with_web_seed_proof(true));
    let told = run(TorrentRef::from(&torrent).with_proof(proof), config).await;
    assert_eq!(told.summary.web_seeds.proved, usize::from(only(&told).proved == Some(true)));
    (only(&told).clone(), server)
}

#[tokio::test]
async fn a_piece_over_several_files_and_padding_is_proved() {
    use WebSeedStatus::Ok;
    let (report, server) = proved_with(b'b', |config| config).await;
    assert_eq!((report.status, report.complete, report.proved), (Ok, true, Some(true)), "{report:?}");
    assert_eq!(statuses(&report), [("a", Ok), ("b", Ok), ("c", Ok), ("a", Ok), ("b", Ok), ("c", Ok)]);
    assert_eq!(report.files.iter().map(|file| file.piece).collect::<Vec<_>>()[2..4], [None, Some(0)]);
    let ranges: Vec<_> =
        server.requests().iter().filter_map(|request| request.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges[3..], ["bytes=0-19999", "bytes=0-4999", "bytes=0-9"]);
}

#[tokio::test]
async fn a_link_becomes_a_torrent_whose_web_seeds_are_checked_and_proved() {
    let hash: InfoHash = HASH.parse().unwrap();
    let made = Made { files: FILES, piece_length: 65536, hashes: Some(hash.0.to_vec()), ..Made::default() };
    let link = TorrentRef::from(made.torrent().hashes);
    let script = MetadataScript::of(made.info());
    let peer = Peer::default().serving(Serving::metadata(script));
    let peers = FakeSwarm::start(link.hashes.primary().0, &[(peer_ip(0), peer)]).unwrap();
    let site = WebSite::default().file("/made/a", vec![b'a'; 20_000]).file("/made/b", vec![b'b'; 5000]);
    let server = FakeWebSeed::start(site.file("/made/c", vec![b'c'; 10])).unwrap();
    let peers = peers.endpoints().into_iter().map(|peer| tracker::PeerAddress::Socket(peer.into())).collect();
    let config = asking([server.url("/")]).with_web_seed_proof(true).with_peers(peers);
    let told = run(link, config.with_linger(Duration::from_secs(1))).await;
    assert_eq!(told.metadata.iter().map(|report| report.status).collect::<Vec<_>>(), [client::MetadataStatus::Ok]);
    assert_eq!((told.summary.web_seeds.files, told.summary.web_seeds.proved), (Some(3), 1));
    assert_eq!((only(&told).status, only(&told).complete), (WebSeedStatus::Ok, true));
}

#[tokio::test]
async fn a_file_of_the_right_size_with_other_bytes_is_caught() {
    use WebSeedStatus::{Ok, WrongHash};
    let (report, _) = proved_with(b'B', |config| config).await;
    assert_eq!((report.status, report.complete, report.proved), (WrongHash, false, Some(false)));
    let expected = [("a", Ok), ("b", Ok), ("c", Ok), ("a", WrongHash), ("b", WrongHash), ("c", WrongHash)];
    assert_eq!(statuses(&report), expected);
    // Without the proof it cannot be known.
    let (report, _) = proved_with(b'B', |config| config.with_web_seed_proof(false)).await;
    assert_eq!((report.status, report.complete, report.proved), (Ok, true, None));
}

#[tokio::test]
async fn a_piece_that_is_too_large_is_not_asked_for() {
    let small = |config: Config| config.clone().with_limits(config.limits.with_proof_bytes(37_777));
    let (report, server) = proved_with(b'b', small).await;
    assert_eq!((report.status, report.complete, report.proved), (WebSeedStatus::Ok, true, None));
    let last = report.files.last().unwrap();
    assert_eq!((last.status, last.piece, server.requests().len()), (WebSeedStatus::NotAsked, Some(0), 3));
    assert_eq!(last.message.as_deref(), Some("the piece has 37778 bytes, more than 37777"));
}
