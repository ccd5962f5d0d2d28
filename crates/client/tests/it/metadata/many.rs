//! Many links at once, and one link whose peers are of different use.

use super::{dialling, honest, serving, swarm_of};
use crate::lab::{collect, config, raise_descriptor_limit, run};
use client::{MetadataStatus, Shared, Swarm};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, MetadataScript, Peer};
use ids::InfoHash;
use std::time::Duration;
use tokio::task::JoinSet;

/// Pieces of a torrent whose metadata has 1 MiB.
const PIECES: u64 = 52_400;

fn file_of(name: &str, pieces: u64) -> SingleFile<'_> {
    SingleFile { piece_length: 1 << 14, ..SingleFile::new(name, pieces << 14) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_links_at_once_have_all_their_metadata() {
    raise_descriptor_limit();
    let names: Vec<String> = (0..200).map(|n| format!("link {n}")).collect();
    let files: Vec<SingleFile<'_>> = names.iter().map(|name| file_of(name, 2000)).collect();
    let swarms: Vec<FakeSwarm> =
        files.iter().map(|file| swarm_of(file.info_hash(), [serving(MetadataScript::of(file.info()), [])])).collect();
    // Room for ten at a time: the others wait for it.
    let mut all = config();
    all.limits.metadata_bytes = 10 * files[0].info().len();
    let shared = Shared::new(&all).unwrap();
    let mut runs = JoinSet::new();
    for (swarm, file) in swarms.iter().zip(&files) {
        let mut run = Swarm::sharing(InfoHash(file.info_hash()), dialling(swarm), &shared).unwrap();
        runs.spawn(async move {
            let told = collect(&mut run).await;
            (told.metadata[0].status, run.known().map(|known| known.info.len()))
        });
    }
    let ended = runs.join_all().await;
    assert!(ended.iter().all(|(status, size)| (*status, size.is_some()) == (MetadataStatus::Ok, true)), "{ended:?}");
}

#[tokio::test]
async fn silent_and_slow_peers_hold_up_little() {
    let file = file_of("large", PIECES);
    let script = MetadataScript::of(file.info());
    let good = || script.clone().delayed(Duration::from_millis(20));
    let slow = script.clone().delayed(Duration::from_millis(500));
    let silent = || serving(script.clone().silent(), []);
    let peers = [silent(), serving(good(), []), serving(slow, []), silent(), serving(good(), [])];
    let swarm = swarm_of(file.info_hash(), peers);
    let told = run(InfoHash(file.info_hash()), dialling(&swarm)).await;
    let report = &told.metadata[0];
    assert_eq!((report.status, report.pieces), (MetadataStatus::Ok, 64));
    // 1.2 s on a machine with nothing else to do.
    assert!(report.elapsed < Duration::from_secs(4), "{:?}", report.elapsed);
    println!("1 MiB in {:?}", report.elapsed);
}

#[tokio::test]
async fn a_peer_that_comes_late_is_asked() {
    let late = Peer { delay: Duration::from_millis(700), ..serving(honest(), []) };
    let swarm = swarm_of(super::file().info_hash(), [serving(MetadataScript::lacking(), []), late]);
    let told = run(super::hash(), dialling(&swarm)).await;
    assert_eq!(told.metadata[0].status, MetadataStatus::Ok);
}
