//! Scripted trackers on loopback: which are asked, where redirects lead, which get a goodbye.

use crate::lab::{PATIENCE, Told, collect, config, lab, run};
use client::{Config, Swarm, TrackerReport, Trackers};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeTracker, FakeUdpTracker, Peer, Request, TrackerScript, Transactions, UdpCounts, UdpScript};
use metainfo::Torrent;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tracker::Family;

const NO_PEERS: [SocketAddr; 0] = [];

/// The statuses of a run, sorted.
fn statuses(told: &Told) -> Vec<&'static str> {
    let mut codes: Vec<_> = told.trackers.iter().map(|report| report.status.code()).collect();
    codes.sort_unstable();
    codes
}

fn events(tracker: &FakeTracker) -> Vec<String> {
    tracker.requests().iter().filter_map(Request::event).collect()
}

/// A run that asks these trackers.
async fn asked<'t>(trackers: impl IntoIterator<Item = &'t str>, config: Config) -> Told {
    let lab = lab([]);
    let urls = trackers.into_iter().map(|url| url.parse().unwrap()).collect();
    run(&lab.torrent, config.with_trackers(Trackers::Only(urls))).await
}

fn redirect(to: &str) -> TrackerScript {
    TrackerScript::Raw(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into())
}

/// A reply with a header and a body.
fn reply(headers: &str, body: &[u8]) -> TrackerScript {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    TrackerScript::Raw([head.as_bytes(), body].concat())
}

/// A hybrid torrent: with a v1 and a v2 part.
pub(crate) fn hybrid(announce: &str, private: bool) -> Torrent {
    let tree = format!("d1:ad0:d6:lengthi5e11:pieces root32:{}eee", "r".repeat(32));
    let private = if private { "7:privatei1e" } else { "" };
    let info = format!(
        "d9:file tree{tree}6:lengthi5e12:meta versioni2e4:name1:a12:piece lengthi16384e6:pieces20:{}{private}e",
        "h".repeat(20)
    );
    Torrent::parse(format!("d8:announce{}:{announce}4:info{info}e", announce.len()).as_bytes()).unwrap()
}

#[tokio::test]
async fn both_hashes_of_a_hybrid_get_an_announce_and_a_goodbye() {
    let tracker = FakeTracker::start(TrackerScript::peers(NO_PEERS)).unwrap();
    let torrent = hybrid(&tracker.announce_url(), false);
    let told = run(&torrent, config()).await;
    let hashes: BTreeSet<_> = told.trackers.iter().map(|report| report.announced_hash).collect();
    assert_eq!(hashes, torrent.hashes.wire().map(Some).collect());
    let told: BTreeSet<_> = tracker.requests().iter().map(|r| (r.query("info_hash"), r.event())).collect();
    assert_eq!(told.len(), 4, "{told:?}");
}

#[tokio::test]
async fn a_host_of_both_families_is_asked_over_both() {
    let v4 = FakeTracker::start(TrackerScript::peers(NO_PEERS)).unwrap();
    let port = v4.addr().port();
    let _v6 = FakeTracker::start_on(([0, 0, 0, 0, 0, 0, 0, 1], port).into(), TrackerScript::peers(NO_PEERS)).unwrap();
    let told = asked([&*format!("http://localhost:{port}/announce")], config()).await;
    let found: BTreeSet<_> = told.trackers.iter().map(|report| (report.family, report.status.code())).collect();
    // Which families `localhost` has depends on this machine; each is asked once.
    let addresses = std::net::ToSocketAddrs::to_socket_addrs(&("localhost", port)).unwrap();
    let wanted = addresses.map(|address| (Some(Family::of(address)), "ok")).collect();
    assert_eq!(found, wanted);
    assert!(told.trackers.iter().all(|report| report.times.dns.is_some() && report.times.reply.is_some()));
}

#[tokio::test]
async fn a_scrape_asks_for_counts_and_sends_no_announce() {
    let lab = lab([]);
    let hash = percent_encoding_of(&lab.torrent);
    let mut body = b"d5:filesd20:".to_vec();
    body.extend(lab.torrent.hashes.primary().0);
    body.extend(b"d8:completei7e10:downloadedi9e10:incompletei2eeee");
    lab.tracker.set_script(reply("", &body));
    let told = run(&lab.torrent, config().with_scrape(true)).await;
    let report = &told.trackers[0];
    assert_eq!((report.seeders, report.leechers, report.downloaded), (Some(7), Some(2), Some(9)), "{report:?}");
    let requests: Vec<_> = lab.tracker.requests().iter().map(|request| request.target.clone()).collect();
    assert_eq!(requests, [format!("/scrape?info_hash={hash}")]);
    let url = lab.tracker.announce_url().replace("announce", "ann");
    let told = asked([&*url], config().with_scrape(true)).await;
    assert_eq!(statuses(&told), ["scrape_unsupported"]);
}

fn percent_encoding_of(torrent: &Torrent) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = torrent.hashes.primary().0;
    bytes
        .iter()
        .map(|&byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[tokio::test]
async fn trackers_of_a_private_torrent_are_asked_in_order_until_one_answers() {
    let [first, second, third] =
        [TrackerScript::Failure("no".to_owned()), TrackerScript::peers(NO_PEERS), TrackerScript::peers(NO_PEERS)]
            .map(|script| FakeTracker::start(script).unwrap());
    let urls = [&first, &second, &third].map(FakeTracker::announce_url);
    let tiers = urls.iter().map(|url| vec![url.as_str()]).collect();
    let file = SingleFile { announce_list: tiers, private: true, ..SingleFile::new("private", 1000) };
    let torrent = Torrent::parse(&file.to_bytes()).unwrap();
    let told = run(&torrent, config().with_allow_private(true)).await;
    let found: Vec<_> = told.trackers.iter().map(|report| (report.url.to_string(), report.status.code())).collect();
    let wanted: Vec<_> = urls.into_iter().zip(["failure", "ok", "not_asked"]).collect();
    assert_eq!(found, wanted);
    assert!(third.requests().is_empty());
    assert_eq!(events(&second), ["started", "stopped"]);
}

#[tokio::test]
async fn a_redirect_is_followed_with_its_own_query() {
    let last = FakeTracker::start(TrackerScript::peers(NO_PEERS)).unwrap();
    let first = FakeTracker::start(redirect(&format!("{}?from=x&event=started", last.announce_url()))).unwrap();
    let told = asked([&*first.announce_url()], config()).await;
    let report = &told.trackers[0];
    assert_eq!((report.status.code(), &*report.url), ("ok", &*first.announce_url()));
    assert_eq!(report.redirected_to.as_deref(), Some(&*format!("{}?***&***", last.announce_url())));
    let targets: Vec<_> = last.requests().iter().map(|request| request.target.clone()).collect();
    // Both may have counted us, so both get a goodbye.
    assert_eq!(targets, ["/announce?from=x&event=started", "/announce?from=x&event=stopped"]);
    assert_eq!(events(&first), ["started", "stopped"]);
}

#[tokio::test]
async fn redirects_end_at_a_loop_or_after_five() {
    let tracker = FakeTracker::start(redirect("/announce?round=1")).unwrap();
    let told = asked([&*tracker.announce_url()], config()).await;
    assert_eq!(statuses(&told), ["redirect_loop"]);
    assert_eq!(tracker.requests().iter().filter(|r| r.event().as_deref() != Some("stopped")).count(), 2);

    let mut chain = vec![FakeTracker::start(TrackerScript::peers(NO_PEERS)).unwrap()];
    for _ in 0..6 {
        let to = format!("{}?event=started", chain[chain.len() - 1].announce_url());
        chain.push(FakeTracker::start(redirect(&to)).unwrap());
    }
    assert_eq!(statuses(&asked([&*chain[5].announce_url()], config()).await), ["ok"]);
    let told = asked([&*chain[6].announce_url()], config()).await;
    assert_eq!(statuses(&told), ["too_many_redirects"]);
}

#[tokio::test]
async fn a_tracker_that_two_redirects_lead_to_is_asked_once() {
    let last = FakeTracker::start(TrackerScript::peers(NO_PEERS)).unwrap();
    // As servers redirect that keep the query of the request.
    let first = FakeTracker::start(TrackerScript::Silence).unwrap();
    let other = FakeTracker::start(TrackerScript::Silence).unwrap();
    let lab = lab([]);
    let urls = [&first, &other].map(|tracker| tracker.announce_url().parse().unwrap());
    let trackers = Trackers::Only(urls.to_vec());
    let to = format!("{}?event=started", last.announce_url());
    first.set_script(redirect(&to));
    other.set_script(redirect(&to));
    let told = run(&lab.torrent, config().with_trackers(trackers)).await;
    assert_eq!(statuses(&told), ["not_asked", "ok"]);
    assert_eq!(events(&last), ["started", "stopped"]);
}

#[tokio::test]
async fn a_redirect_leads_only_where_a_torrent_may_point() {
    let victim = FakeTracker::start(TrackerScript::peers(NO_PEERS)).unwrap();
    let to = victim.announce_url().replace("announce", "admin");
    let first = FakeTracker::start(redirect(&to)).unwrap();
    let told = asked([&*first.announce_url()], config()).await;
    assert_eq!(statuses(&told), ["refused_address"]);
    for (to, status) in [
        ("file:///etc/passwd", "redirect"),
        ("ftp://127.0.0.1/announce", "redirect"),
        ("http://127.0.0.1:0/announce", "redirect"),
        ("//[bad/announce", "redirect"),
        ("http://0.0.0.0/announce", "refused_address"),
        ("http://224.0.0.1/announce", "refused_address"),
    ] {
        first.set_script(redirect(to));
        let told = asked([&*first.announce_url()], config()).await;
        assert_eq!(statuses(&told), [status], "{to}");
    }
    assert!(victim.requests().is_empty());
}

#[tokio::test]
async fn a_goodbye_has_the_tracker_id_of_the_answer() {
    let lab = lab([]);
    lab.tracker.set_script(reply("", b"d8:intervali60e5:peers0:10:tracker id4:id 1e"));
    run(&lab.torrent, config()).await;
    let ids: Vec<_> = lab.tracker.requests().iter().map(|request| request.query("trackerid")).collect();
    assert_eq!(ids, [None, Some("id%201".to_owned())]);
}

#[tokio::test]
async fn a_reply_without_an_answer_is_reported_with_its_http_status_and_time() {
    for (script, code, status) in [
        (reply("", b"d14:failure reason2:noe"), "failure", Some(200)),
        (reply("Content-Type: text/html\r\n", b"<html>"), "not_a_tracker", Some(200)),
        (reply("", b"\x1f\x8bbroken"), "bad_gzip", Some(200)),
        (redirect("http://[bad/"), "redirect", Some(302)),
        (TrackerScript::Raw(b"SSH-2.0".to_vec()), "not_http", None),
    ] {
        let tracker = FakeTracker::start(script).unwrap();
        let told = asked([tracker.announce_url().as_str()], config()).await;
        let report = &told.trackers[0];
        let replied = report.times.reply.is_some();
        assert_eq!((report.status.code(), report.http_status, replied), (code, status, status.is_some()));
    }
}

#[tokio::test]
async fn retry_in_of_a_failure_is_reported() {
    let lab = lab([]);
    lab.tracker.set_script(reply("", b"d14:failure reason4:busy8:retry in1:5e"));
    let told = run(&lab.torrent, config()).await;
    assert_eq!(told.trackers[0].retry_in, Some(Duration::from_secs(300)));
    assert_eq!(told.trackers[0].http_status, Some(200));
}

#[tokio::test]
async fn secrets_are_shown_only_with_show_secrets() {
    let lab = lab([]);
    lab.tracker.set_script(TrackerScript::Failure("no such passkey: s3cr3tpass".to_owned()));
    let url = format!("{}?passkey=s3cr3tpass", lab.tracker.announce_url());
    let shown = |report: &TrackerReport| format!("{} {:?}", report.url, report);
    let hidden = asked([&*url], config()).await;
    assert!(!shown(&hidden.trackers[0]).contains("s3cr3tpass"), "{}", shown(&hidden.trackers[0]));
    let told = asked([&*url], config().with_show_secrets(true)).await;
    assert!(told.trackers[0].url.contains("s3cr3tpass"));
}

/// BEP 15's numbers of `started` and `stopped`.
const STARTED: u32 = 2;
const STOPPED: u32 = 3;

/// The events of the announces to a UDP tracker, in order.
fn udp_events(tracker: &FakeUdpTracker) -> Vec<u32> {
    tracker.datagrams().iter().filter_map(|datagram| datagram.announce()).map(|announce| announce.event).collect()
}

fn udp_config(tracker: &FakeUdpTracker) -> Config {
    config().with_trackers(Trackers::Only(vec![tracker.announce_url().parse().unwrap()]))
}

#[tokio::test]
async fn a_udp_tracker_gets_announce_and_goodbye_under_one_connection_id() {
    let lab = lab([Peer::default(), Peer::default()]);
    let peers = lab.swarm.endpoints().into_iter().map(SocketAddr::from).collect();
    let tracker = FakeUdpTracker::start(UdpScript { peers, ..UdpScript::default() }).unwrap();
    let told = run(&lab.torrent, udp_config(&tracker)).await;
    assert_eq!((told.summary.ok, told.trackers[0].peers.map(|named| named.v4)), (2, Some(2)));
    assert_eq!(udp_events(&tracker), [STARTED, STOPPED]);
    // Connect, started, stopped.
    assert_eq!(tracker.datagrams().len(), 3);
    let keys: BTreeSet<_> =
        tracker.datagrams().iter().filter_map(|d| d.announce()).map(|a| (a.key, a.port, a.left, a.info_hash)).collect();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn a_scrape_over_udp_sends_no_announce() {
    let lab = lab([]);
    let counts = UdpCounts { seeders: 3, completed: 4, leechers: 5 };
    let counts = vec![(lab.torrent.hashes.primary().0, counts)];
    let tracker = FakeUdpTracker::start(UdpScript { counts, ..UdpScript::default() }).unwrap();
    let told = run(&lab.torrent, udp_config(&tracker).with_scrape(true)).await;
    let report = &told.trackers[0];
    assert_eq!((report.seeders, report.downloaded, report.leechers), (Some(3), Some(4), Some(5)));
    assert!(udp_events(&tracker).is_empty());
}

#[tokio::test]
async fn an_unanswered_announce_over_udp_gets_a_goodbye() {
    let lab = lab([]);
    // Gives a connection id, then answers under wrong transaction ids.
    let script = UdpScript { transactions: Transactions::WrongAfterConnect, ..UdpScript::default() };
    let tracker = FakeUdpTracker::start(script).unwrap();
    let mut swarm = Swarm::new(&lab.torrent, udp_config(&tracker)).unwrap();
    tokio::select! {
        event = swarm.next() => panic!("nothing can have happened: {event:?}"),
        asked = tracker.wait_for(|datagram| datagram.announce().is_some(), PATIENCE) => assert!(asked),
    }
    swarm.interrupt();
    let told = collect(&mut swarm).await;
    assert_eq!(statuses(&told), ["interrupted"]);
    tracker.set_script(UdpScript::default());
    swarm.shutdown().await;
    assert_eq!(udp_events(&tracker).last(), Some(&STOPPED));
}

#[tokio::test]
async fn a_udp_tracker_without_an_announce_gets_no_goodbye() {
    let lab = lab([]);
    let tracker = FakeUdpTracker::start(UdpScript { silent_for: usize::MAX, ..UdpScript::default() }).unwrap();
    let config = udp_config(&tracker).with_deadline(Duration::from_millis(200));
    let told = run(&lab.torrent, config).await;
    assert_eq!(statuses(&told), ["interrupted"]);
    assert_eq!(tracker.datagrams().len(), 1);
}

#[tokio::test]
async fn a_closed_udp_port_is_connect_refused() {
    let gone = FakeUdpTracker::start(UdpScript::default()).unwrap();
    let config = udp_config(&gone);
    drop(gone);
    assert_eq!(statuses(&run(&lab([]).torrent, config).await), ["connect_refused"]);
}
