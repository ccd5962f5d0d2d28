//! Piece layers of v2 and hybrid torrents that are known by their hashes: scripted peers answer hash requests (BEP 52).

use super::{dialling, one, swarm_of};
use crate::lab::{Told, collect};
use client::{Config, Event, Known, LayersReport, MatchedHash, MetadataStanding, MetadataStatus, Swarm, TorrentRef};
use fake_swarm::torrent::sha1;
use fake_swarm::{
    FakeSwarm, HashScript, HashTree, Knows, MetadataScript, Peer, Serving, message, peer_ip, sha256, v2_info,
};
use ids::{InfoHash, InfoHashV2};
use metainfo::{Hashes, Torrent, TorrentFile};
use std::time::Duration;

fn trees() -> Vec<HashTree> {
    (0..).zip([2, 3, 700, 512]).map(|(content, pieces)| HashTree::invented(pieces, content)).collect()
}

/// The info dictionary of these files, and its hashes.
fn info(is_hybrid: bool) -> (Vec<u8>, InfoHash, InfoHashV2) {
    let info = v2_info("layers", &trees(), is_hybrid);
    let hashes = (InfoHash(sha1(&info)), InfoHashV2(sha256(&info)));
    (info, hashes.0, hashes.1)
}

/// A seed that serves the metadata and answers hash requests.
fn peer(info: &[u8], hashes: HashScript) -> Peer {
    let serving = Serving::metadata(MetadataScript::of(info)).and_hashes(hashes);
    Peer::default().sending([message::have_all()]).serving(serving)
}

fn asking(swarm: &FakeSwarm) -> Config {
    dialling(swarm).with_piece_layers(true)
}

/// A run to its end, and what became known.
async fn run(link: impl Into<TorrentRef>, config: Config) -> (Told, Option<Known>) {
    let mut swarm = Swarm::new(link, config).unwrap();
    let told = collect(&mut swarm).await;
    (told, swarm.known().cloned())
}

fn layers(told: &Told) -> &LayersReport {
    assert_eq!(one(told).status, MetadataStatus::Ok);
    one(told).layers.as_ref().unwrap()
}

/// The file that is made of what became known, read again.
fn written(known: &Known) -> Torrent {
    let layers = (!known.piece_layers.is_empty()).then_some(&*known.piece_layers);
    let bytes = TorrentFile { piece_layers: layers, ..TorrentFile::new(&known.info) }.write().unwrap();
    Torrent::parse(&bytes).unwrap()
}

#[tokio::test]
async fn a_torrent_of_a_link_has_its_piece_layers() {
    for is_hybrid in [false, true] {
        let (info, v1, v2) = info(is_hybrid);
        let knows = if is_hybrid { Knows::Hybrid(v2.truncated().0) } else { Knows::Torrent };
        let primary = if is_hybrid { v1 } else { v2.truncated() };
        let seed = || Peer { knows, ..peer(&info, HashScript::of(trees())) };
        let swarm = swarm_of(primary.0, [seed(), seed()]);
        let by_truncated = TorrentRef::from(v2.truncated());
        let links = if is_hybrid {
            vec![TorrentRef::from(Hashes::Hybrid { v1, v2 }), by_truncated]
        } else {
            vec![TorrentRef::from(Hashes::from(v2)), by_truncated]
        };
        for link in links {
            let (told, known) = run(link.clone(), asking(&swarm)).await;
            let layers = layers(&told);
            assert_eq!((layers.wanted, layers.complete, layers.v1_peers), (4, 4, 0), "{link:?}");
            assert!(layers.is_complete() && layers.elapsed.is_some());
            assert_eq!(layers.size_bytes, (2 + 3 + 700 + 512) * 32);
            assert_eq!(layers.peers.iter().map(|peer| peer.hashes).sum::<u32>(), 1217);
            let known = known.unwrap();
            assert_eq!(known.info, info);
            let expected = trees().into_iter().map(|tree| (tree.root(), tree.layer().to_vec())).collect();
            assert_eq!(*known.piece_layers, expected);
            let torrent = written(&known);
            assert!(torrent.diagnostics.is_empty() && torrent.hashes.v2() == Some(v2));
            // Also where the link says no more than 20 bytes.
            let matched: Vec<_> = told.peers.iter().map(|peer| peer.matched_hash).collect();
            assert_eq!(matched, [Some(MatchedHash::V2); 2]);
        }
    }
}

#[tokio::test]
async fn peers_that_are_reached_by_the_v1_hash_are_asked_over_a_second_connection() {
    let (info, v1, v2) = info(true);
    for (last_byte, complete) in [(0x14, 4), (0x04, 0)] {
        let reserved = [0, 0, 0, 0, 0, 0x10, 0, last_byte];
        let seed = peer(&info, HashScript::of(trees()));
        let swarm = swarm_of(v1.0, [Peer { knows: Knows::Hybrid(v2.truncated().0), reserved, ..seed }]);
        let (told, known) = run(v1, asking(&swarm)).await;
        let layers = layers(&told);
        let counted = (layers.wanted, layers.complete, layers.peers.len(), layers.v1_peers);
        assert_eq!(counted, if complete == 4 { (4, 4, 1, 0) } else { (4, 0, 0, 1) });
        assert_eq!(written(&known.unwrap()).diagnostics.is_empty(), complete == 4);
        // It is one peer, and that by which it was found.
        assert_eq!((told.peers.len(), told.peers[0].matched_hash, told.summary.ok), (1, Some(MatchedHash::V1), 1));
        // libtorrent closes on a request in a connection by the v1 hash.
        let connections = swarm.connections(peer_ip(0));
        let asked = |at: usize| connections[at].messages.iter().any(|message| message.id == Some(21));
        assert!(!asked(0) && connections.len() == 1 + usize::from(complete == 4) && (complete == 0 || asked(1)));
    }
}

#[tokio::test]
async fn few_peers_are_connected_to_a_second_time() {
    let (info, v1, v2) = info(true);
    let silent = || Peer {
        knows: Knows::Hybrid(v2.truncated().0),
        reserved: [0, 0, 0, 0, 0, 0x10, 0, 0x14],
        ..peer(&info, HashScript::of(trees()).silent())
    };
    let swarm = swarm_of(v1.0, (0..6).map(|_| silent()));
    let mut config = asking(&swarm);
    config.limits.metadata.timeout = Duration::from_millis(200);
    let (told, _) = run(v1, config).await;
    assert_eq!((layers(&told).complete, layers(&told).v1_peers, told.peers.len()), (0, 2, 6));
    let second = (0..6).map(|peer| swarm.connections(peer_ip(peer)).len() - 1);
    assert_eq!(second.sum::<usize>(), 4);
}

#[tokio::test]
async fn each_peer_that_does_not_help_is_named_and_the_layers_come_from_another() {
    let (info, _, v2) = info(false);
    let good = || HashScript::of(trees());
    for (script, standing) in [
        (good().spoilt(), MetadataStanding::WrongBytes),
        (HashScript::of([]), MetadataStanding::Rejected),
        (good().silent(), MetadataStanding::TimedOut),
    ] {
        let slow = good().delayed(Duration::from_millis(20));
        let swarm = swarm_of(v2.truncated().0, [peer(&info, script.clone()), peer(&info, slow)]);
        let mut config = asking(&swarm);
        // A good peer on a busy machine takes part of it.
        config.limits.metadata.timeout = Duration::from_millis(800);
        config.limits.metadata.hedge = Duration::from_secs(1);
        let (told, _) = run(Hashes::from(v2), config.clone()).await;
        let bad = swarm.addr(peer_ip(0)).into();
        assert!(layers(&told).is_complete(), "{standing}");
        for peer in &layers(&told).peers {
            assert_eq!(peer.standing == standing, peer.address == bad, "{peer:?}");
        }
        // Alone, it leaves the torrent without layers, and does not hold the run for ever.
        let swarm = swarm_of(v2.truncated().0, [peer(&info, script)]);
        let (told, known) = run(Hashes::from(v2), config.with_peers(asking(&swarm).peers)).await;
        assert_eq!((layers(&told).complete, layers(&told).peers[0].standing), (0, standing));
        assert!(known.unwrap().piece_layers.is_empty());
    }
}

#[tokio::test]
async fn layers_are_asked_for_where_there_are_some_and_the_caller_wants_them() {
    let (info, _, v2) = info(false);
    let swarm = swarm_of(v2.truncated().0, [peer(&info, HashScript::of(trees()))]);
    let (told, known) = run(Hashes::from(v2), dialling(&swarm)).await;
    assert_eq!((one(&told).layers.as_ref(), known.unwrap().piece_layers.is_empty()), (None, true));
    // Beyond the limit, none.
    let mut config = asking(&swarm);
    config.limits.metadata.bytes = 1217 * 32 - 1;
    let (told, _) = run(Hashes::from(v2), config).await;
    assert_eq!((layers(&told).wanted, layers(&told).complete, layers(&told).peers[0].hashes), (4, 0, 0));
    let v1 = swarm_of(super::file().info_hash(), [super::serving(super::honest(), [super::seed()])]);
    let mut run = Swarm::new(super::hash(), asking(&v1)).unwrap();
    let told = collect(&mut run).await;
    assert_eq!((one(&told).status, one(&told).layers.as_ref()), (MetadataStatus::Ok, None));
}

#[tokio::test]
async fn the_report_comes_with_the_layers() {
    let (info, _, v2) = info(false);
    let swarm = swarm_of(v2.truncated().0, [peer(&info, HashScript::of(trees()))]);
    let mut run = Swarm::new(Hashes::from(v2), asking(&swarm)).unwrap();
    while let Some(event) = run.next().await {
        if let Event::Metadata(report) = event {
            assert!(report.layers.unwrap().is_complete());
            assert_eq!(run.known().unwrap().piece_layers.len(), 4);
            return;
        }
    }
    panic!("no report of metadata");
}
