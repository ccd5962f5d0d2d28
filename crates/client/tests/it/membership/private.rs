//! Private torrents (BEP 27): one tracker at a time, also over several runs.

use crate::lab::{config, lab};
use crate::membership::{A_PEER, MINUTE, Rounds, asked, pass};
use client::{CutShort, Error, Event, Membership, Swarm, TorrentRef};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeTracker, Peer, TrackerScript};
use metainfo::Torrent;

#[tokio::test]
async fn the_tracker_that_answered_stays_the_only_one() {
    let scripts = [TrackerScript::Failure("no".to_owned()), TrackerScript::peers(A_PEER), TrackerScript::peers(A_PEER)];
    let [first, second, third] = scripts.map(|script| FakeTracker::start(script).unwrap());
    let urls = [&first, &second, &third].map(FakeTracker::announce_url);
    let tiers = urls.iter().map(|url| vec![url.as_str()]).collect();
    let file = SingleFile { announce_list: tiers, private: true, ..SingleFile::new("private", 1000) };
    let mut rounds = Rounds::new(&Torrent::parse(&file.to_bytes()).unwrap(), config().with_allow_private(true));
    rounds.round().await;
    for wait in [10, 20, 30] {
        pass(wait * MINUTE).await;
        let told = rounds.round().await;
        let asked = told.trackers.iter().filter(|report| report.status.code() != "not_asked").count();
        assert_eq!((told.trackers.len(), asked), (3, 1));
    }
    // Ours fails, and the next one is used.
    second.set_script(TrackerScript::Failure("gone".to_owned()));
    pass(30 * MINUTE).await;
    rounds.round().await;
    rounds.leave().await;
    assert_eq!(asked(&first), ["started", "started", "stopped"]);
    assert_eq!(asked(&second), ["started", "scrape", "none", "none", "none", "stopped"]);
    assert_eq!(asked(&third), ["started", "stopped"]);
}

#[tokio::test]
async fn what_a_run_has_learned_holds_for_the_next() {
    let lab = lab([Peer::default()]);
    let other = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
    let mut torrent = lab.torrent.clone();
    torrent.private = true;
    let urls = [lab.tracker.announce_url(), other.announce_url()];
    let link = TorrentRef::from(torrent.hashes).with_trackers(urls.to_vec()).with_may_be_learned(true);
    for is_allowed in [true, false] {
        let config = config().with_allow_private(is_allowed);
        let mut rounds = Rounds::new(link.clone(), config.clone());
        let mut swarm = rounds.swarm();
        while swarm.next().await.is_some_and(|event| !matches!(event, Event::Peer(_))) {}
        assert_eq!(swarm.learn(&torrent).is_ok(), is_allowed);
        while let Some(event) = swarm.next().await {
            let Event::Summary(summary) = event else { continue };
            assert_eq!(summary.cut_short, (!is_allowed).then_some(CutShort::Private));
        }
        rounds.membership = swarm.pause().await;
        if is_allowed {
            pass(30 * MINUTE).await;
            let told = rounds.round().await;
            assert_eq!(told.summary.trackers_ok, 1, "one tracker at a time");
            assert_eq!(told.dht[0].status.code(), "private");
        }
        if !is_allowed {
            // There is no next run, in which goodbyes could be lost.
            assert_eq!(rounds.shared.goodbyes_owed(), 0);
            let membership = std::mem::take(&mut rounds.membership);
            let next = Swarm::resuming(link.clone(), config, &rounds.shared, membership);
            assert!(matches!(next, Err(Error::Private)));
        }
        rounds.leave().await;
        for tracker in [&lab.tracker, &other] {
            let asked = asked(tracker);
            assert_eq!(asked.iter().filter(|event| *event == "started").count(), if is_allowed { 1 } else { 2 });
            assert_eq!(asked.iter().filter(|event| *event == "stopped").count(), if is_allowed { 1 } else { 2 });
        }
    }
    let private = TorrentRef::from(&torrent);
    let shared = client::Shared::new(&config()).unwrap();
    let refused = Swarm::resuming(private, config(), &shared, Membership::default());
    assert!(matches!(refused, Err(Error::Private)));
}
