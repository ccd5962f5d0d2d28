//! The engine against scripted trackers and peers on loopback: outcomes, deadlines, goodbyes.

use crate::lab::{PATIENCE, SIZE, collect, config, lab, outcome_of, run};
use client::{BitTorrentClient, Config, CutShort, Error, Event, Outcome, Sources, Stage, Swarm, Trackers};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{DictionaryPeer, FakeNode, FakeTracker, NodeScript, Peer, TrackerScript, node_id, node_ip};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

#[tokio::test]
async fn each_behaviour_of_a_peer_gives_its_outcome_and_stage() {
    use Outcome::*;
    let cases = [
        (Peer::good(b"-TR3000-abcdefghijkl"), Ok, Stage::Done),
        (Peer::slow(Duration::from_millis(1)), Ok, Stage::Done),
        (Peer::after_info_hash(), Ok, Stage::Done),
        (Peer::default(), Ok, Stage::Done),
        (Peer::speaking_first(), Ok, Stage::Done),
        (Peer::default().sending([b"\0\0\0\x01\x0e".to_vec()]), Ok, Stage::Done),
        (Peer::split(vec![1, 20, 67]), Ok, Stage::Done),
        (Peer::refusing(), ConnectRefused, Stage::Connect),
        (Peer::silent(), HandshakeTimeout, Stage::Handshake),
        (Peer::slow(Duration::from_secs(1)), HandshakeTimeout, Stage::Handshake),
        (Peer::closing_on_accept(), ClosedBeforeHandshake, Stage::Handshake),
        (Peer::closing(), ClosedBeforeHandshake, Stage::Handshake),
        (Peer::resetting(), ClosedBeforeHandshake, Stage::Handshake),
        (Peer::short(1), ShortHandshake, Stage::Handshake),
        (Peer::short(67), ShortHandshake, Stage::Handshake),
        (Peer::short_reset(30), ShortHandshake, Stage::Handshake),
        (Peer::garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), NotBittorrent, Stage::Handshake),
        (Peer::wrong_hash(), WrongInfoHash, Stage::Done),
        (Peer::own_peer_id(), OwnPeerId, Stage::Done),
    ];
    let lab = lab(cases.iter().map(|(peer, ..)| peer.clone()));
    let told = run(&lab.torrent, config()).await;
    assert_eq!(told.peers.len(), cases.len());
    for (endpoint, (peer, outcome, stage)) in lab.swarm.endpoints().into_iter().zip(cases) {
        assert_eq!(outcome_of(&told, endpoint.into()), (outcome, stage), "{peer:?}");
    }
    assert_eq!(told.summary.ok, 7);
    assert_eq!(told.summary.clients.get(&Some("Transmission 3.00".to_owned())), Some(&1));
}

#[tokio::test]
async fn a_peer_that_resets_early_is_judged_by_the_bytes_it_sent() {
    let said = [(0, Outcome::ClosedBeforeHandshake), (30, Outcome::ShortHandshake), (68, Outcome::Ok)];
    let lab = lab((0..300).map(|n| Peer::speaking_then_resetting(said[n % 3].0)));
    let told = run(&lab.torrent, config()).await;
    for (n, endpoint) in lab.swarm.endpoints().into_iter().enumerate() {
        assert_eq!(outcome_of(&told, endpoint.into()).0, said[n % 3].1);
    }
}

#[tokio::test]
async fn an_announce_has_true_fields_and_the_goodbye_the_same() {
    let lab = lab([Peer::default()]);
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    let port = swarm.port();
    // Bound, so that no other program gets the port, and not listening.
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_err());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    collect(&mut swarm).await;
    swarm.shutdown().await;
    let requests = lab.tracker.requests();
    let events: Vec<_> = requests.iter().map(|request| request.event()).collect();
    assert_eq!(events, [Some("started".to_owned()), Some("stopped".to_owned())]);
    let [started, stopped] = &requests[..] else { panic!("two requests") };
    for key in ["info_hash", "peer_id", "port", "key", "left", "compact"] {
        assert!(started.query(key).is_some(), "{key}");
        assert_eq!(started.query(key), stopped.query(key), "{key}");
    }
    assert_eq!(started.query("left"), Some(SIZE.to_string()));
    assert_eq!(started.query("port"), Some(port.to_string()));
    assert!(started.header("user-agent").is_some_and(|agent| agent.starts_with("bt-handshake/")));
}

#[tokio::test]
async fn the_deadline_ends_the_run_with_a_report_for_each_peer() {
    let lab = lab(std::iter::repeat_n(Peer::silent(), 20));
    let told = run(&lab.torrent, config().with_deadline(Duration::from_millis(300)).with_concurrency(Some(5))).await;
    assert_eq!(told.summary.cut_short, Some(CutShort::Deadline));
    let outcomes: Vec<_> = told.summary.outcomes.into_iter().collect();
    assert_eq!(outcomes, [(Outcome::Interrupted, 5), (Outcome::NotTried, 15)]);
    assert_eq!(lab.swarm.accepted(), 5);
}

#[tokio::test]
async fn a_silent_tracker_gets_a_goodbye() {
    let lab = lab([]);
    lab.tracker.set_script(TrackerScript::Silence);
    let mut swarm = Swarm::new(&lab.torrent, config().with_deadline(Duration::from_millis(200))).unwrap();
    let told = collect(&mut swarm).await;
    assert_eq!(told.trackers[0].status.code(), "interrupted");
    lab.tracker.set_script(TrackerScript::Failure("bye".to_owned()));
    swarm.shutdown().await;
    let events: Vec<_> = lab.tracker.requests().iter().map(|request| request.event()).collect();
    assert_eq!(events, [Some("started".to_owned()), Some("stopped".to_owned())]);
}

#[tokio::test]
async fn shutdown_sends_a_goodbye_for_an_announce_in_flight() {
    let lab = lab([]);
    lab.tracker.set_script(TrackerScript::Silence);
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    tokio::select! {
        event = swarm.next() => panic!("nothing can have happened: {event:?}"),
        asked = lab.tracker.wait_for(|_| true, PATIENCE) => assert!(asked),
    }
    lab.tracker.set_script(TrackerScript::peers(Vec::<SocketAddr>::new()));
    swarm.shutdown().await;
    assert!(lab.tracker.requests().iter().any(|request| request.event().as_deref() == Some("stopped")));
}

#[tokio::test]
async fn an_interrupt_reports_peers_in_flight_and_queued_ones() {
    let lab = lab(std::iter::repeat_n(Peer::silent(), 6));
    let mut swarm = Swarm::new(&lab.torrent, config().with_concurrency(Some(2))).unwrap();
    tokio::select! {
        () = async { while swarm.next().await.is_some() {} } => panic!("the run cannot be over"),
        both = lab.swarm.wait_for(|counts| counts.received >= 136, PATIENCE) => assert!(both),
    }
    swarm.interrupt();
    let told = collect(&mut swarm).await;
    assert_eq!(told.summary.cut_short, Some(CutShort::Interrupt));
    assert_eq!(
        told.summary.outcomes.into_iter().collect::<Vec<_>>(),
        [(Outcome::Interrupted, 2), (Outcome::NotTried, 4)]
    );
}

#[tokio::test]
async fn next_is_cancel_safe() {
    let lab = lab(std::iter::repeat_n(Peer::default(), 200));
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    let (mut reports, mut given_up) = (0, 0);
    loop {
        tokio::select! {
            biased;
            event = swarm.next() => match event {
                Some(Event::Peer(report)) => {
                    assert_eq!(report.outcome, Outcome::Ok);
                    reports += 1;
                }
                Some(_) => {}
                None => break,
            },
            // Cancels `next` as soon as it is pending.
            () = tokio::task::yield_now() => given_up += 1,
        }
    }
    assert_eq!(reports, 200);
    assert!(given_up > 0);
    assert_eq!(lab.swarm.accepted(), 200);
}

#[tokio::test]
async fn a_caller_that_polls_once_at_a_time_makes_progress() {
    let lab = lab(std::iter::repeat_n(Peer::silent(), 100));
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    let mut looks = 0;
    while lab.swarm.counts().accepted < 100 {
        // Polled once, and cancelled when pending.
        tokio::select! {
            biased;
            event = swarm.next() => assert!(matches!(event, Some(Event::Tracker(_))), "{event:?}"),
            () = std::future::ready(()) => {}
        }
        tokio::task::yield_now().await;
        looks += 1;
        assert!(looks < 100_000, "{:?}", lab.swarm.counts());
    }
}

#[tokio::test]
async fn dropping_the_swarm_closes_every_connection() {
    let lab = lab(std::iter::repeat_n(Peer::silent(), 10));
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    tokio::select! {
        () = async { while swarm.next().await.is_some() {} } => panic!("the run cannot be over"),
        open = lab.swarm.wait_for(|counts| counts.open == 10, PATIENCE) => assert!(open),
    }
    drop(swarm);
    assert!(lab.swarm.wait_for(|counts| counts.open == 0, PATIENCE).await);
}

#[tokio::test]
async fn dropping_the_swarm_cancels_its_tasks() {
    // The kernel accepts the connection and nothing answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = PeerAddress::Socket(listener.local_addr().unwrap());
    let lab = lab([]);
    let metrics = tokio::runtime::Handle::current().metrics();
    let config = config().with_peers(vec![peer]).with_sources(Sources::NONE);
    let mut swarm = Swarm::new(&lab.torrent, config).unwrap();
    tokio::task::yield_now().await;
    let before = metrics.num_alive_tasks();
    for _ in 0..3 {
        tokio::select! {
            biased;
            event = swarm.next() => panic!("{event:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(metrics.num_alive_tasks(), before + 1);
    drop(swarm);
    // The runtime drops aborted tasks in its next turn.
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), before);
}

#[tokio::test]
async fn our_own_endpoint_is_no_peer() {
    let lab = lab([Peer::default()]);
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    let own: SocketAddr = ([127, 0, 0, 1], swarm.port()).into();
    let peers = lab.swarm.endpoints().into_iter().map(SocketAddr::from).chain([own]);
    lab.tracker.set_script(TrackerScript::peers(peers));
    let told = collect(&mut swarm).await;
    assert_eq!((told.peers.len(), told.trackers[0].peers.map(|named| named.total())), (1, Some(1)));
}

#[tokio::test]
async fn a_silent_tracker_does_not_delay_peers_of_others() {
    let lab = lab([Peer::default()]);
    let silent = FakeTracker::start(TrackerScript::Silence).unwrap();
    let second = FakeTracker::start(TrackerScript::peers(lab.swarm.endpoints())).unwrap();
    let urls = [&silent, &lab.tracker, &second].map(|tracker| tracker.announce_url().parse().unwrap());
    let config = config().with_trackers(Trackers::Only(urls.to_vec()));
    let mut swarm = Swarm::new(&lab.torrent, config).unwrap();
    let (mut answered, mut shook_hands) = (0, 0);
    while answered < 2 || shook_hands < 1 {
        match tokio::time::timeout(PATIENCE, swarm.next()).await.unwrap() {
            Some(Event::Peer(report)) => shook_hands += usize::from(report.outcome == Outcome::Ok),
            Some(Event::Tracker(report)) => answered += usize::from(report.status.is_ok()),
            other => panic!("{other:?}"),
        }
    }
    swarm.interrupt();
    let mut interrupted = 0;
    while let Some(event) = swarm.next().await {
        if let Event::Tracker(report) = event {
            interrupted += usize::from(report.status.code() == "interrupted");
        }
    }
    assert_eq!((interrupted, lab.swarm.accepted()), (1, 1));
}

#[tokio::test]
async fn host_names_in_a_dictionary_peer_list_are_resolved() {
    let lab = lab([Peer::default(), Peer::refusing()]);
    let [endpoint, refusing] = lab.swarm.endpoints()[..] else { panic!("two peers") };
    // A label of more than 63 characters is refused by the resolver itself: no packet leaves.
    let unknown = format!("{}.example", "a".repeat(64));
    lab.tracker.set_script(TrackerScript::dictionary([
        DictionaryPeer::new(endpoint.ip().to_string(), endpoint.port().into()),
        DictionaryPeer::new(unknown.clone(), 6881),
        DictionaryPeer::new("localhost", refusing.port().into()),
    ]));
    let told = run(&lab.torrent, config()).await;
    assert_eq!(outcome_of(&told, endpoint.into()).0, Outcome::Ok);
    let of =
        |address: &str| told.peers.iter().find(|peer| peer.address.to_string() == address).map(|peer| peer.outcome);
    assert_eq!(of(&format!("{unknown}:6881")), Some(Outcome::ResolveFailed));
    // Which family it is depends on the machine's `/etc/hosts`.
    let localhost = ["127.0.0.1", "[::1]"].map(|host| of(&format!("{host}:{}", refusing.port())));
    assert!(localhost.contains(&Some(Outcome::ConnectRefused)), "{localhost:?}");
}

#[tokio::test]
async fn an_interrupt_during_look_ups_reports_every_name() {
    let lab = lab([]);
    let names = (1..=40).map(|port| DictionaryPeer::new("localhost", port));
    lab.tracker.set_script(TrackerScript::dictionary(names));
    let mut swarm = Swarm::new(&lab.torrent, config()).unwrap();
    while !matches!(swarm.next().await, Some(Event::Tracker(_))) {}
    tokio::select! {
        biased;
        // One poll begins the look-ups, and none of them can have ended.
        event = swarm.next() => panic!("{event:?}"),
        () = std::future::ready(()) => {}
    }
    swarm.interrupt();
    let (mut names, mut outcomes) = (0, BTreeSet::new());
    while let Some(event) = swarm.next().await {
        if let Event::Peer(report) = event {
            names += 1;
            outcomes.insert(report.outcome);
        }
    }
    assert_eq!(names, 40);
    assert!(outcomes.contains(&Outcome::Interrupted) && outcomes.contains(&Outcome::NotTried), "{outcomes:?}");
}

#[tokio::test]
async fn trackers_beyond_those_asked_at_once_are_asked_too() {
    let lab = lab([Peer::default()]);
    let url = |n| format!("{}?n={n}", lab.tracker.announce_url()).parse().unwrap();
    let config = config().with_trackers(Trackers::Only((0..100).map(url).collect()));
    let told = run(&lab.torrent, config).await;
    assert_eq!((told.summary.trackers, told.summary.trackers_ok, told.summary.ok), (100, 100, 1));
    let goodbyes =
        lab.tracker.requests().iter().filter(|request| request.event().as_deref() == Some("stopped")).count();
    assert_eq!(goodbyes, 100);
}

#[tokio::test]
async fn a_bound_address_is_the_source_of_all_connections() {
    let lab = lab([Peer::default()]);
    let mut config = config();
    config.bind.add("127.8.9.10".parse().unwrap()).unwrap();
    config.peers = vec!["[::1]:1".parse().unwrap()];
    let told = run(&lab.torrent, config).await;
    assert_eq!(told.summary.ok, 1);
    // IPv6 has no source address, so it is not used.
    assert_eq!(outcome_of(&told, "[::1]:1".parse().unwrap()).0, Outcome::LocalLimit);
    assert!(lab.tracker.requests().iter().all(|request| request.remote.ip().to_string() == "127.8.9.10"));
    let ip = *lab.swarm.endpoints()[0].ip();
    assert!(lab.swarm.connections(ip).iter().all(|connection| connection.remote.ip().to_string() == "127.8.9.10"));
}

#[tokio::test(start_paused = true)]
async fn attempts_beyond_loopback_keep_the_pace() {
    let lab = lab([]);
    let mut config = config().with_rate(10).with_sources(Sources::NONE);
    // Without an IPv4 source address these are refused before a packet is sent.
    config.bind.add("::1".parse().unwrap()).unwrap();
    config.peers = (1..=5).map(|port| PeerAddress::Socket(([8, 8, 8, 8], port).into())).collect();
    let told = run(&lab.torrent, config).await;
    assert_eq!(told.summary.outcomes.into_iter().collect::<Vec<_>>(), [(Outcome::LocalLimit, 5)]);
    let elapsed = told.summary.elapsed.as_millis();
    assert!((400..450).contains(&elapsed), "five attempts at ten a second took {elapsed} ms");
}

#[tokio::test]
async fn a_config_that_cannot_begin_gives_its_error() {
    let lab = lab([]);
    let mut bound = config();
    bound.bind.add("198.51.100.77".parse().unwrap()).unwrap();
    assert!(matches!(bound.bind.add("198.51.100.78".parse().unwrap()), Err(Error::BindTwice)));
    assert!(matches!(Swarm::new(&lab.torrent, bound), Err(Error::Bind { .. })));
    let taken = config().with_port(Some(lab.swarm.port()));
    assert!(matches!(Swarm::new(&lab.torrent, taken), Err(Error::Bind { .. })));
    let mut private = lab.torrent.clone();
    private.private = true;
    assert!(matches!(Swarm::new(&private, config()), Err(Error::Private)));
    assert!(Swarm::new(&private, config().with_allow_private(true)).is_ok());
    assert!(Swarm::new(&private, config().with_sources(Sources::NONE)).is_ok());
    let foreign = Trackers::Only(vec!["http://other.invalid/announce".parse().unwrap()]);
    let foreign = config().with_allow_private(true).with_trackers(foreign);
    assert!(matches!(Swarm::new(&private, foreign), Err(Error::ForeignTracker)));
    for no_host in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255"] {
        let added = config().bind.add(no_host.parse().unwrap());
        assert!(matches!(added, Err(Error::BindNotAHost(_))), "{no_host}");
    }
}

/// A torrent file that is removed at the end of the test.
struct OnDisk(std::path::PathBuf);

impl OnDisk {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("bt-handshake-{}-{name}.torrent", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_facade_is_ok_without_peers_and_an_error_without_a_source() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let tracker = FakeTracker::start(TrackerScript::peers(Vec::<SocketAddr>::new())).unwrap();
    let url = tracker.announce_url();
    let file = SingleFile { announce: Some(&url), ..SingleFile::new("facade.bin", SIZE) };
    let on_disk = OnDisk::new("facade", &file.to_bytes());
    let client = BitTorrentClient::with_config(Config::default().with_dht_bootstrap(Vec::new()));
    // Ok when there are no peers.
    is_send(client.download(&on_disk.0)).await.unwrap();
    tracker.set_script(TrackerScript::Failure("go away".to_owned()));
    let refused = client.download(&on_disk.0).await.unwrap_err();
    assert!(refused.to_string().contains("tracker refuses: go away"), "{refused}");
    // What `fn main() -> Result<(), Error>` prints.
    assert_eq!(format!("{refused:?}"), refused.to_string());
    let private = OnDisk::new("private", &SingleFile { private: true, ..file.clone() }.to_bytes());
    assert!(matches!(client.download(&private.0).await, Err(Error::Private)));
    let broken = OnDisk::new("broken", b"d4:info");
    assert!(matches!(client.download(&broken.0).await, Err(Error::Torrent(_))));
    assert!(matches!(client.download("/nonexistent.torrent").await, Err(Error::Read(_))));
    let lonely = OnDisk::new("lonely", &SingleFile::new("lonely.bin", SIZE).to_bytes());
    assert!(matches!(client.download(&lonely.0).await, Err(Error::NoSource)));
    // A node of the DHT that answers is a source.
    let node = FakeNode::start(node_ip(1), node_id(1), NodeScript::default()).unwrap();
    let client = BitTorrentClient::with_config(config().with_dht_nodes(vec![PeerAddress::Socket(node.addr())]));
    is_send(client.download(&lonely.0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_on_a_multi_threaded_runtime_is_ok() {
    let lab = lab(std::iter::repeat_n(Peer::default(), 50));
    let torrent = lab.torrent.clone();
    let told = tokio::spawn(async move { run(&torrent, config()).await }).await.unwrap();
    assert_eq!(told.summary.ok, 50);
}
