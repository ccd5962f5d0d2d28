//! Reports of trackers without an answer: refusals, silence, no scrape, no count, and the reason of each.

use crate::lab::{PATIENCE, config, lab, run};
use client::{Config, Sources, Standing, TorrentRef, TrackerReport, Trackers};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeTracker, FakeUdpTracker, TrackerScript, UdpScript};
use metainfo::Torrent;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

/// The one report of a run about a torrent of the lab.
async fn report_of(url: &str, config: Config) -> TrackerReport {
    let trackers = Trackers::Only(vec![url.parse().unwrap()]);
    let mut told = run(&lab([]).torrent, config.with_trackers(trackers)).await;
    assert_eq!(told.trackers.len(), 1);
    told.trackers.remove(0)
}

/// The report of a scrape of a tracker with this reply.
async fn scraped(reply: Vec<u8>) -> TrackerReport {
    let tracker = FakeTracker::start(TrackerScript::Raw(reply)).unwrap();
    report_of(&tracker.announce_url(), config().with_scrape(true)).await
}

fn reply(status: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// The entry of a scrape for the lab's torrent under this key.
fn files(key: &[u8], counts: &str) -> Vec<u8> {
    [format!("d5:filesd{}:", key.len()).as_bytes(), key, counts.as_bytes(), b"ee"].concat()
}

#[tokio::test]
async fn a_refusal_keeps_its_intervals_over_announce_and_scrape() {
    let body = b"d14:failure reason2:no8:intervali3600e12:min intervali1800ee";
    for (status, code) in [("200 OK", "failure"), ("403 Forbidden", "http_status")] {
        let tracker = FakeTracker::start(TrackerScript::Raw(reply(status, body))).unwrap();
        for scrape in [false, true] {
            let report = report_of(&tracker.announce_url(), config().with_scrape(scrape)).await;
            assert_eq!((report.status.code(), report.standing), (code, Standing::Refused));
            let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
            assert_eq!((report.interval, report.min_interval), (minutes(60), minutes(30)));
        }
    }
}

#[tokio::test]
async fn retry_after_in_the_head_is_reported() {
    let head = "429 Too Many Requests\r\nRetry-After: 120";
    let tracker = FakeTracker::start(TrackerScript::Raw(reply(head, b""))).unwrap();
    let report = report_of(&tracker.announce_url(), config()).await;
    assert_eq!((report.standing, report.retry_in), (Standing::Refused, Some(Duration::from_secs(120))));
    assert_eq!(report.message.as_deref(), Some("HTTP 429, retry in 2 min"));
}

#[tokio::test]
async fn a_scrape_reply_without_a_count_is_reported_as_no_count() {
    let hash = lab([]).torrent.hashes.primary().0;
    let other = files(&[b'x'; 20], "d8:completei9e10:incompletei9ee");
    let (unknown, no_count) =
        ("the tracker does not know this torrent", "the tracker lists this torrent without a count");
    for (body, said) in [
        (b"d5:filesdee".to_vec(), unknown),
        (other, unknown),
        (files(&hash, "de"), no_count),
        (files(&hash, "d8:completei-1ee"), no_count),
    ] {
        let report = scraped(reply("200 OK", &body)).await;
        assert_eq!((report.status.code(), report.standing), ("no_count", Standing::Unknown));
        assert_eq!((report.message.as_deref(), report.http_status), (Some(said), Some(200)));
        assert_eq!((report.seeders, report.leechers, report.downloaded), (None, None, None));
    }
    let report = scraped(reply("200 OK", &files(&hash, "d10:incompletei0ee"))).await;
    assert_eq!((report.status.code(), report.leechers, report.message), ("ok", Some(0), None));
}

#[tokio::test]
async fn counts_under_an_info_hash_encoded_as_utf8_are_read() {
    let hash = lab([]).torrent.hashes.primary().0;
    let text: String = hash.iter().map(|&byte| char::from(byte)).collect();
    assert_ne!(text.len(), 20, "a hash with bytes beyond ASCII");
    let body = files(text.as_bytes(), "d8:completei7e10:incompletei2ee");
    let report = scraped(reply("200 OK", &body)).await;
    assert_eq!((report.status.code(), report.seeders, report.leechers), ("ok", Some(7), Some(2)));
}

#[tokio::test]
async fn min_request_interval_of_a_scrape_is_reported() {
    let hash = lab([]).torrent.hashes.primary().0;
    for counts in [files(&hash, "d8:completei1ee"), b"d5:filesdee".to_vec()] {
        let body = [&counts[..counts.len() - 1], b"5:flagsd20:min_request_intervali600eee"].concat();
        assert_eq!(scraped(reply("200 OK", &body)).await.min_interval, Some(Duration::from_secs(600)));
    }
}

#[tokio::test]
async fn a_server_that_lacks_the_scrape_url_is_scrape_unsupported() {
    for status in ["404 Not Found", "405 Method Not Allowed", "410 Gone", "501 Not Implemented"] {
        let report = scraped(reply(status, b"<html>")).await;
        assert_eq!((report.status.code(), report.standing), ("scrape_unsupported", Standing::Unusable));
        let (number, message) = (status[..3].parse().ok(), report.message.as_ref().unwrap());
        assert_eq!(report.http_status, number);
        assert!(message.starts_with(&format!("this tracker has no scrape: HTTP {}", &status[..3])), "{message}");
    }
    for (status, body, code) in
        [("404 Not Found", &b"d14:failure reason2:noe"[..], "http_status"), ("500 Oops", b"", "http_status")]
    {
        assert_eq!(scraped(reply(status, body)).await.status.code(), code);
    }
    // After a redirect too, but not for an announce.
    let last = FakeTracker::start(TrackerScript::Raw(reply("404 Not Found", b""))).unwrap();
    let first = FakeTracker::start(TrackerScript::redirect(format!("{}/x", last.announce_url()))).unwrap();
    let report = report_of(&first.announce_url(), config().with_scrape(true)).await;
    assert_eq!(report.status.code(), "scrape_unsupported");
    assert_eq!(report_of(&last.announce_url(), config()).await.status.code(), "http_status");
}

#[tokio::test]
async fn an_empty_answer_over_udp_is_a_refusal() {
    let tracker = FakeUdpTracker::start(UdpScript { cut: Some(8), ..UdpScript::default() }).unwrap();
    for scrape in [false, true] {
        let report = report_of(&tracker.announce_url(), config().with_scrape(scrape)).await;
        assert_eq!((report.status.code(), report.standing), ("failure", Standing::Refused));
        assert!(report.message.as_ref().unwrap().contains("does not serve"), "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn udp_replies_from_another_address_are_reported_and_not_accepted() {
    for from in ["127.0.0.2:0", "127.0.0.1:0"] {
        let script = UdpScript { replies_from: Some(from.parse().unwrap()), ..UdpScript::default() };
        let tracker = FakeUdpTracker::start(script).unwrap();
        for scrape in [false, true] {
            let report = report_of(&tracker.announce_url(), config().with_scrape(scrape)).await;
            assert_eq!((report.status.code(), report.standing), ("timeout", Standing::Silent));
            let (message, ip) = (report.message.as_ref().unwrap(), from.trim_end_matches('0'));
            let beginning = format!("no answer to connect within 15 s; a reply came from {ip}");
            assert!(message.starts_with(&beginning) && !message.contains(&tracker.addr().to_string()), "{message}");
        }
    }
}

/// Also when the others come at the same time and with the right transaction id.
#[tokio::test(start_paused = true)]
async fn the_reply_of_the_tracker_is_accepted_among_many_of_others() {
    let peers = [SocketAddr::from(([127, 0, 0, 9], 6881))];
    // Answers the third connect, at 4.5 s.
    let script = UdpScript { silent_for: 2, ..UdpScript::peers(peers) };
    let tracker = FakeUdpTracker::start(script).unwrap();
    let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let url = tracker.announce_url();
    let flood = async {
        assert!(tracker.wait_for(|_| tracker.datagrams().len() == 2, PATIENCE).await);
        let asked = tracker.datagrams().last().unwrap().clone();
        for _ in 0..200 {
            let connected = [&[0; 4], &asked.bytes[12..16], &[7; 8]].concat();
            other.send_to(&connected, asked.remote).await.unwrap();
        }
    };
    let (report, ()) = tokio::join!(report_of(&url, config()), flood);
    assert_eq!((report.status.code(), report.peers.map(|named| named.v4)), ("ok", Some(1)));
    assert_eq!(tracker.datagrams().iter().filter(|datagram| datagram.action() == Some(0)).count(), 3);
}

#[tokio::test]
async fn onion_and_i2p_names_are_not_resolved() {
    for (url, network) in [
        ("http://duskgytldkxiuqc6.onion/announce", "Tor"),
        ("https://a.b.ONION./announce", "Tor"),
        ("udp://tracker.postman.i2p:6969", "I2P"),
    ] {
        let report = report_of(url, config()).await;
        assert_eq!((report.status.code(), report.standing), ("resolve_failed", Standing::NotAsked));
        let message = report.message.as_ref().unwrap();
        assert!(
            message.contains(&format!("over {network}, which is not spoken here")) && report.times.dns.is_none(),
            "{message}"
        );
    }
    // Nor after a redirect.
    let tracker = FakeTracker::start(TrackerScript::redirect("http://a.onion/announce")).unwrap();
    let report = report_of(&tracker.announce_url(), config()).await;
    assert!(report.message.as_ref().unwrap().starts_with("onion names are reached over Tor"), "{report:?}");
    let peers = vec!["a.onion:6881".parse().unwrap()];
    let told = run(&lab([]).torrent, config().with_peers(peers).with_sources(Sources::NONE)).await;
    assert!(told.peers[0].error.as_ref().unwrap().contains("onion names are reached over Tor"), "{:?}", told.peers);
}

#[tokio::test]
async fn bad_urls_are_numbered_and_redacted() {
    let texts =
        ["<html>s3cretkey", "31s3cretkey", "foo://s3cretkey/", "udp://t.example/s3cretkey/announce", "31s3cretkey"];
    let magnet = texts.map(|text| format!("&tr={text}")).concat();
    let link = format!("magnet:?xt=urn:btih:{}{magnet}", "a".repeat(40)).replace('<', "%3C").replace('>', "%3E");
    let torrent_ref = TorrentRef::from(&metainfo::Magnet::parse(&link).unwrap());
    let told = run(torrent_ref, config()).await;
    let urls: BTreeSet<_> = told.trackers.iter().map(|report| &*report.url).collect();
    let expected = ["*** (tracker 1)", "*** (tracker 2)", "*** (tracker 3)", "udp://t.example/***/announce"];
    assert_eq!(urls, BTreeSet::from(expected));
    let message = told.trackers.iter().find(|report| report.url.starts_with("udp")).unwrap().message.clone();
    assert_eq!(message.as_deref(), Some("bad URL: no port: a udp tracker has no default one"));
}

#[tokio::test]
async fn a_local_tracker_url_of_a_torrent_is_refused_unless_its_path_is_announce() {
    let service = FakeTracker::start(TrackerScript::peers(Vec::<SocketAddr>::new())).unwrap();
    for (path, code) in [
        ("/announce/../admin?delete=1", "refused_address"),
        ("/announce/%2e%2e/admin?delete=1", "refused_address"),
        ("/announce%2f..%2fadmin?delete=1", "refused_address"),
        ("/announce\\..\\admin", "refused_address"),
        ("/announcements", "refused_address"),
        ("/announce.php?x=1", "ok"),
    ] {
        let url = format!("http://{}{path}", service.addr());
        let file = SingleFile { announce: Some(&url), ..SingleFile::new("aimed.bin", 5) };
        let told = run(&Torrent::parse(&file.to_bytes()).unwrap(), config()).await;
        assert_eq!(told.trackers[0].status.code(), code, "{path}");
    }
    let asked: BTreeSet<_> = service.requests().iter().filter_map(|request| request.event()).collect();
    assert_eq!((service.requests().len(), asked.len()), (2, 2));
}

#[tokio::test]
async fn trackers_are_counted_by_standing() {
    let refuses = FakeTracker::start(TrackerScript::Failure("gone".to_owned())).unwrap();
    let closes = FakeTracker::start(TrackerScript::CloseAtOnce).unwrap();
    let answers = FakeTracker::start(TrackerScript::peers(Vec::<SocketAddr>::new())).unwrap();
    let urls =
        [refuses.announce_url(), closes.announce_url(), answers.announce_url(), "http://a.i2p/announce".to_owned()];
    let trackers = Trackers::Only(urls.iter().map(|url| url.parse().unwrap()).collect());
    let told = run(&lab([]).torrent, config().with_trackers(trackers)).await;
    let expected =
        [Standing::Answered, Standing::Refused, Standing::NotAsked, Standing::Silent].map(|standing| (standing, 1));
    assert_eq!(told.summary.tracker_standings, BTreeMap::from(expected));
    assert_eq!((told.summary.trackers, told.summary.trackers_ok), (4, 1));
}
