//! Several runs about one torrent, one after the other: what trackers are asked in each, and the goodbyes at the end.

mod failures;
mod private;

use crate::lab::{Lab, Told, collect, config, lab};
use crate::trackers::hybrid;
use client::{Config, Membership, Shared, Standing, Swarm, TorrentRef, TrackerReport, Trackers, Verdict};
use fake_swarm::{FakeTracker, FakeUdpTracker, Peer, Request, TrackerScript, UdpCounts, UdpScript};
use report::Source;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const A_PEER: [SocketAddr; 1] = [SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1)];

/// Runs about one torrent.
pub(super) struct Rounds {
    torrent_ref: TorrentRef,
    pub(super) config: Config,
    pub(super) shared: Shared,
    pub(super) membership: Membership,
}

impl Rounds {
    pub(super) fn new(torrent_ref: impl Into<TorrentRef>, config: Config) -> Self {
        let shared = Shared::new(&config).unwrap();
        Self { torrent_ref: torrent_ref.into(), config, shared, membership: Membership::default() }
    }

    /// The rounds of a torrent without trackers of its own, at these.
    pub(super) fn at<'u>(urls: impl IntoIterator<Item = &'u str>) -> Self {
        let urls = urls.into_iter().map(|url| url.parse().unwrap()).collect();
        Self::new(&lab([]).torrent, config().with_trackers(Trackers::Only(urls)))
    }

    pub(super) fn swarm(&mut self) -> Swarm {
        let membership = std::mem::take(&mut self.membership);
        Swarm::resuming(self.torrent_ref.clone(), self.config.clone(), &self.shared, membership).unwrap()
    }

    pub(super) async fn round(&mut self) -> Told {
        let mut swarm = self.swarm();
        let told = collect(&mut swarm).await;
        self.membership = swarm.pause().await;
        told
    }

    /// A round of which the report of the one tracker matters.
    pub(super) async fn report(&mut self) -> TrackerReport {
        self.round().await.trackers.remove(0)
    }

    pub(super) async fn leave(self) -> Vec<TrackerReport> {
        let owed = self.membership.leave(&self.config, &self.shared).await;
        assert_eq!(self.shared.goodbyes_owed(), 0);
        owed
    }
}

/// Lets time pass between two rounds. During a round the clock runs, because sockets do not wait for a stopped one.
pub(super) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A wait of which up to 10 s have passed, in seconds.
pub(super) fn half_minutes(wait: Duration) -> u64 {
    (wait.as_secs() + 10) / 30 * 30
}

/// What a tracker was asked: the event of an announce, or `scrape`.
pub(super) fn asked(tracker: &FakeTracker) -> Vec<String> {
    let name = |request: &Request| match request.path() {
        "/scrape" => "scrape".to_owned(),
        _ => request.event().unwrap_or_else(|| "none".to_owned()),
    };
    tracker.requests().iter().map(name).collect()
}

/// Names the peers of a lab, and answers scrapes too.
fn counting(lab: &Lab, interval: Option<u32>, extra: &[(&str, &str)]) -> TrackerScript {
    let peers = lab.swarm.endpoints().into_iter().map(Into::into).collect();
    let extra = extra.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect();
    let counts = UdpCounts { seeders: 7, completed: 9, leechers: 2 };
    TrackerScript::Counting {
        counts: vec![(lab.torrent.hashes.primary().0, counts)],
        most: usize::MAX,
        otherwise: Box::new(TrackerScript::Peers { peers, interval, honour_numwant: false, extra }),
    }
}

#[tokio::test]
async fn it_is_announced_to_no_sooner_than_its_min_interval_and_left_once() {
    let lab = lab([Peer::default(), Peer::closing()]);
    let extra = [("min interval", "i600e"), ("tracker id", "4:me&7")];
    lab.tracker.set_script(counting(&lab, Some(1800), &extra));
    let mut rounds = Rounds::new(&lab.torrent, config());
    assert_eq!(rounds.membership.next_announce(), None);
    let first = rounds.round().await;
    assert_eq!((first.trackers[0].announce_in, first.trackers[0].peers.map(|named| named.v4)), (None, Some(2)));
    // Its later answers name no tracker id: the first is kept.
    lab.tracker.set_script(counting(&lab, Some(1800), &extra[..1]));
    pass(5 * MINUTE).await;
    let between = rounds.round().await;
    let report = &between.trackers[0];
    assert_eq!((report.status.code(), report.seeders, report.peers), ("ok", Some(7), None), "{report:?}");
    let wait = report.announce_in.unwrap();
    assert!(wait <= 5 * MINUTE && wait > 4 * MINUTE, "{wait:?}");
    assert_eq!(rounds.membership.next_announce().map(|wait| wait <= 5 * MINUTE), Some(true));
    // The peers that it named are dialled again, on its word.
    let named_by = |told: &Told| told.peers.iter().map(|peer| peer.sources.clone()).collect::<Vec<_>>();
    assert_eq!(named_by(&between), vec![vec![Source::Tracker(report.url.clone())]; 2]);
    assert_eq!((between.summary.ok, first.summary.ok), (1, 1));
    pass(5 * MINUTE).await;
    assert_eq!(rounds.membership.next_announce(), Some(Duration::ZERO));
    assert_eq!(rounds.round().await.trackers[0].announce_in, None);
    pass(10 * MINUTE).await;
    rounds.round().await;
    assert_eq!(rounds.shared.goodbyes_owed(), 1);
    assert_eq!(rounds.leave().await, []);
    assert_eq!(asked(&lab.tracker), ["started", "scrape", "none", "none", "stopped"]);
    let announces: Vec<Request> = lab.tracker.requests().into_iter().filter(|it| it.path() == "/announce").collect();
    for key in ["peer_id", "key", "port", "left", "info_hash"] {
        assert!(announces.iter().all(|it| it.query(key) == announces[0].query(key)), "{key}");
    }
    let ids: Vec<_> = announces.iter().map(|it| it.query("trackerid")).collect();
    let id = Some("me%267".to_owned());
    assert_eq!(ids, [None, id.clone(), id.clone(), id]);
}

#[tokio::test]
async fn over_udp_too() {
    let lab = lab([Peer::default()]);
    let script = UdpScript { interval: 1200, ..UdpScript::peers(lab.swarm.endpoints()) };
    let tracker = FakeUdpTracker::start(script).unwrap();
    let trackers = Trackers::Only(vec![tracker.announce_url().parse().unwrap()]);
    let mut rounds = Rounds::new(&lab.torrent, config().with_trackers(trackers));
    for (wait, ok) in [(0, 1), (19, 1), (1, 1), (20, 1)] {
        pass(wait * MINUTE).await;
        assert_eq!(rounds.round().await.summary.ok, ok);
    }
    assert_eq!(rounds.leave().await, []);
    let datagrams = tracker.datagrams();
    let announces: Vec<_> = datagrams.iter().filter_map(|datagram| datagram.announce()).collect();
    // BEP 15: 0 is none, 2 started, 3 stopped.
    assert_eq!(announces.iter().map(|announce| announce.event).collect::<Vec<_>>(), [2, 0, 0, 3]);
    assert_eq!(datagrams.iter().filter(|datagram| datagram.scrape().is_some()).count(), 1);
    for announce in &announces {
        let who = |it: &fake_swarm::UdpAnnounce| (it.peer_id, it.key, it.port, it.left, it.info_hash);
        assert_eq!(who(announce), who(&announces[0]));
    }
}

#[tokio::test]
async fn without_a_scrape_it_is_not_asked_between_announces() {
    for peers in [vec![Peer::refusing()], vec![Peer::default()]] {
        let lab = lab(peers);
        let url = lab.tracker.announce_url().replace("/announce", "/a");
        let trackers = Trackers::Only(vec![url.parse().unwrap()]);
        let mut rounds = Rounds::new(&lab.torrent, config().with_trackers(trackers));
        let first = rounds.round().await;
        pass(10 * MINUTE).await;
        let between = rounds.round().await;
        let report = &between.trackers[0];
        let was = (report.status.code(), report.standing, report.peers, report.seeders);
        assert_eq!(was, ("not_asked", Standing::Answered, None, None));
        assert!(report.message.as_ref().unwrap().starts_with("not asked: announced to again in 1"), "{report:?}");
        assert_eq!(report.announce_in.map(half_minutes), Some(1200));
        // Nothing else is said of the torrent for that.
        let of = |told: &Told| (told.summary.verdict(), told.summary.peers, told.summary.ok, told.summary.trackers_ok);
        assert_eq!(of(&between), of(&first));
        assert_ne!(between.summary.verdict(), Verdict::NoSource);
        rounds.leave().await;
        assert_eq!(asked(&lab.tracker), ["started", "stopped"]);
    }
}

#[tokio::test]
async fn a_scrape_that_is_not_there_is_asked_for_once() {
    let lab = lab([Peer::default()]);
    let mut rounds = Rounds::new(&lab.torrent, config());
    rounds.round().await;
    lab.tracker.set_script(TrackerScript::Raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec()));
    for _ in 0..2 {
        pass(10 * MINUTE).await;
        let told = rounds.round().await;
        assert_eq!((told.trackers[0].status.code(), told.summary.ok), ("not_asked", 1));
        assert!(told.trackers[0].announce_in.is_some());
    }
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()));
    pass(10 * MINUTE).await;
    assert!(rounds.report().await.status.is_ok());
    assert_eq!(asked(&lab.tracker), ["started", "scrape", "none"]);
}

#[tokio::test]
async fn a_scrape_of_no_use_takes_nothing_back_of_the_announce_before() {
    let lab = lab([]);
    let mut rounds = Rounds::new(&lab.torrent, config());
    assert_eq!(rounds.round().await.summary.verdict(), Verdict::NoPeerNamed);
    lab.tracker.set_script(TrackerScript::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nde".to_vec()));
    pass(2 * MINUTE).await;
    let told = rounds.round().await;
    assert!(!told.trackers[0].status.is_ok());
    assert_eq!((told.trackers[0].standing, told.summary.verdict()), (Standing::Answered, Verdict::NoPeerNamed));
    assert_eq!(asked(&lab.tracker), ["started", "scrape"]);
}

#[tokio::test]
async fn min_request_interval_of_a_scrape_is_kept() {
    let lab = lab([Peer::default()]);
    let mut rounds = Rounds::new(&lab.torrent, config());
    rounds.round().await;
    let body = b"d5:filesdee".to_vec();
    let body = [&body[..body.len() - 1], b"5:flagsd20:min_request_intervali600eee"].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    lab.tracker.set_script(TrackerScript::Raw([head.as_bytes(), &body].concat()));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        pass(5 * MINUTE).await;
        statuses.push(rounds.report().await.status.code());
    }
    assert_eq!(statuses, ["no_count", "not_asked", "no_count", "not_asked"]);
    assert_eq!(asked(&lab.tracker), ["started", "scrape", "scrape"]);
}

#[tokio::test]
async fn intervals_that_make_no_sense_are_bounded() {
    let [least, unsaid, most] = [1, 30, 24 * 60].map(|minutes| minutes * MINUTE);
    for (interval, min_interval, expected) in [
        (Some("i0e"), None, least),
        (Some("i1800e"), Some("i0e"), least),
        (Some("i2147483648e"), None, most),
        (Some("i1800e"), Some("i4294967295e"), most),
        (Some("i-1e"), None, unsaid),
        (Some("i-1e"), Some("i-5e"), unsaid),
        (Some("i99999999999999999999e"), None, unsaid),
        (None, None, unsaid),
        (Some("i1800e"), Some("i-1e"), 30 * MINUTE),
        (Some("i7200e"), Some("i300e"), 5 * MINUTE),
        (Some("i300e"), Some("i600e"), 10 * MINUTE),
    ] {
        let lab = lab([Peer::default()]);
        let extra: Vec<_> = [("interval", interval), ("min interval", min_interval)]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        lab.tracker.set_script(counting(&lab, None, &extra));
        let mut rounds = Rounds::new(&lab.torrent, config());
        assert!(rounds.report().await.status.is_ok());
        let wait = rounds.membership.next_announce().unwrap();
        assert!(wait <= expected && wait + MINUTE / 6 > expected, "{interval:?} {min_interval:?}: {wait:?}");
    }
    for (interval, expected) in [(0, least), (1 << 31, unsaid), (u32::MAX, unsaid), (i32::MAX as u32, most)] {
        let script = UdpScript { interval, peers: A_PEER.to_vec(), ..UdpScript::default() };
        let tracker = FakeUdpTracker::start(script).unwrap();
        let mut rounds = Rounds::at([&*tracker.announce_url()]);
        rounds.round().await;
        let wait = rounds.membership.next_announce().unwrap();
        assert!(wait <= expected && wait + MINUTE / 6 > expected, "{interval}: {wait:?}");
    }
}

#[tokio::test]
async fn a_tracker_that_names_no_peer_is_asked_again_sooner_unless_it_says_how_soon() {
    for (min_interval, minutes) in [(None, 5), (Some("i900e"), 15), (Some("i60e"), 1)] {
        let lab = lab([]);
        let extra: Vec<_> = min_interval.map(|wait| ("min interval", wait)).into_iter().collect();
        lab.tracker.set_script(counting(&lab, Some(1800), &extra));
        let mut rounds = Rounds::new(&lab.torrent, config());
        rounds.round().await;
        let wait = rounds.membership.next_announce().unwrap();
        assert_eq!(half_minutes(wait), minutes * 60, "{min_interval:?}");
    }
}

/// 10 s between rounds, whole minutes between announces.
#[tokio::test(start_paused = true)]
async fn a_day_of_rounds_leaves_no_more_than_an_hour() {
    let lab = lab([Peer::default(), Peer::closing(), Peer::refusing()]);
    lab.tracker.set_script(counting(&lab, Some(1800), &[("min interval", "i900e"), ("tracker id", "2:id")]));
    let mut rounds = Rounds::new(&lab.torrent, config());
    let mut sizes = Vec::new();
    for hour in 0..24 {
        for _ in 0..6 {
            assert_eq!(rounds.round().await.summary.ok, 1, "hour {hour}");
            tokio::time::advance(10 * MINUTE).await;
        }
        sizes.push(format!("{:?}", rounds.membership).len());
        assert_eq!(rounds.shared.goodbyes_owed(), 1);
    }
    // But for the digits of the times in it.
    assert!(sizes.iter().all(|size| size.abs_diff(sizes[0]) < 50), "{sizes:?}");
    rounds.leave().await;
    let asked = asked(&lab.tracker);
    let count = |what: &str| asked.iter().filter(|asked| *asked == what).count();
    // Every second round, as they are 10 minutes apart and announces 15.
    assert_eq!(["started", "none", "scrape", "stopped"].map(count), [1, 71, 72, 1]);
}

#[tokio::test]
async fn a_round_that_is_interrupted_owes_what_it_has_written() {
    let tracker = FakeTracker::start(TrackerScript::Silence).unwrap();
    let mut rounds = Rounds::at([&*tracker.announce_url()]);
    let mut swarm = rounds.swarm();
    {
        let written = tracker.wait_for(|_| true, MINUTE);
        tokio::select! {
            _ = swarm.next() => panic!("the tracker is silent"),
            written = written => assert!(written),
        }
    }
    swarm.interrupt();
    rounds.membership = swarm.pause().await;
    assert!(rounds.membership.next_announce().unwrap() > MINUTE / 2);
    tracker.set_script(TrackerScript::peers(A_PEER));
    let report = rounds.report().await;
    assert_eq!((report.status.code(), report.announce_in.is_some()), ("not_asked", true));
    pass(MINUTE).await;
    // It may not have counted that one.
    assert!(rounds.report().await.status.is_ok());
    rounds.leave().await;
    assert_eq!(asked(&tracker), ["started", "started", "stopped"]);
}

#[tokio::test]
async fn many_leave_at_the_same_time() {
    let tracker = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
    let config = config().with_trackers(Trackers::Only(vec![tracker.announce_url().parse().unwrap()]));
    let shared = Shared::new(&config).unwrap();
    let mut leaving = JoinSet::new();
    for n in 0..50 {
        let hash = ids::InfoHash([n; 20]);
        let mut swarm = Swarm::resuming(hash, config.clone(), &shared, Membership::default()).unwrap();
        collect(&mut swarm).await;
        let (membership, config, shared) = (swarm.pause().await, config.clone(), shared.clone());
        leaving.spawn(async move { membership.leave(&config, &shared).await });
    }
    assert_eq!(leaving.join_all().await.concat(), []);
    let asked = asked(&tracker);
    let count = |what: &str| asked.iter().filter(|asked| *asked == what).count();
    assert_eq!((["started", "stopped"].map(count), shared.goodbyes_owed()), ([50, 50], 0));
}

#[tokio::test]
async fn counts_of_many_torrents_are_asked_for_together() {
    let tracker = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
    let config = config().with_trackers(Trackers::Only(vec![tracker.announce_url().parse().unwrap()]));
    let shared = Shared::new(&config).unwrap();
    let hashes = || (0..10).map(|n| ids::InfoHash([n; 20]));
    let mut memberships: Vec<Membership> = hashes().map(|_| Membership::default()).collect();
    for round in 0..2 {
        let mut runs = JoinSet::new();
        for (hash, membership) in hashes().zip(std::mem::take(&mut memberships)) {
            let mut swarm = Swarm::resuming(hash, config.clone(), &shared, membership).unwrap();
            runs.spawn(async move {
                let told = collect(&mut swarm).await;
                (told.trackers[0].asked_together, swarm.pause().await)
            });
        }
        let (together, paused): (Vec<usize>, Vec<Membership>) = runs.join_all().await.into_iter().unzip();
        assert!(together.iter().all(|&together| round == 0 || together == 10), "{together:?}");
        memberships = paused;
        let counts = UdpCounts::default();
        let counts = hashes().map(|hash| (hash.0, counts)).collect();
        let otherwise = Box::new(TrackerScript::Silence);
        tracker.set_script(TrackerScript::Counting { counts, most: usize::MAX, otherwise });
        pass(MINUTE).await;
    }
    assert_eq!(asked(&tracker), [&["started"; 10][..], &["scrape"]].concat());
}

/// Also where an address has room for one conversation at a time.
#[tokio::test]
async fn each_hash_of_a_hybrid_has_its_own_interval() {
    for most in [None, Some(1)] {
        let tracker = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
        let torrent = hybrid(&tracker.announce_url(), false);
        let mut rounds = Rounds::new(&torrent, config().with_max_per_address(most));
        for wait in [0, 10, 20] {
            pass(wait * MINUTE).await;
            let told = rounds.round().await;
            let hashes: BTreeSet<_> = told.trackers.iter().filter_map(|report| report.announced_hash).collect();
            assert_eq!(hashes, torrent.hashes.wire().collect());
        }
        rounds.leave().await;
        let twice = ["started", "scrape", "none", "stopped"].map(|what| [what; 2]).concat();
        assert_eq!(asked(&tracker), twice);
    }
}

#[tokio::test]
async fn where_a_redirect_led_is_left_once_too() {
    let last = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
    let first = FakeTracker::start(TrackerScript::redirect(last.announce_url())).unwrap();
    let mut rounds = Rounds::at([&*first.announce_url()]);
    for _ in 0..3 {
        assert!(rounds.report().await.status.is_ok());
        pass(30 * MINUTE).await;
    }
    assert_eq!(rounds.leave().await, []);
    for tracker in [&first, &last] {
        assert_eq!(asked(tracker), ["started", "none", "none", "stopped"]);
    }
}

#[tokio::test]
async fn where_two_redirects_lead_has_one_interval() {
    let last = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
    let redirect = || FakeTracker::start(TrackerScript::redirect(last.announce_url())).unwrap();
    let (first, second) = (redirect(), redirect());
    let mut rounds = Rounds::at([&*first.announce_url(), &*second.announce_url()]);
    // The other one failed in the first, and is tried sooner; in the last both are due, with different events.
    for wait in [0, 5, 30] {
        pass(wait * MINUTE).await;
        let told = rounds.round().await;
        let codes: BTreeSet<&str> = told.trackers.iter().map(|report| report.status.code()).collect();
        assert!(codes.contains("not_asked"), "{codes:?}");
    }
    // The scrape of the second round was redirected there, too.
    let announces = last.requests().into_iter().filter(|request| request.query("peer_id").is_some());
    assert_eq!(announces.map(|request| request.event()).collect::<Vec<_>>(), [Some("started".to_owned()), None]);
}

#[tokio::test]
async fn a_run_that_asks_no_tracker_hands_on_what_it_was_given() {
    let tracker = FakeTracker::start(TrackerScript::peers(A_PEER)).unwrap();
    let mut rounds = Rounds::at([&*tracker.announce_url()]);
    rounds.round().await;
    let config = rounds.config.clone();
    rounds.config = config.clone().with_sources(client::Sources::NONE);
    assert_eq!(rounds.round().await.trackers, []);
    rounds.config = config.with_scrape(true);
    assert_eq!(rounds.report().await.announce_in, None);
    rounds.leave().await;
    assert_eq!(asked(&tracker), ["started", "scrape", "stopped"]);
}
