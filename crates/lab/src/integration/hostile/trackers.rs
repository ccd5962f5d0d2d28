//! Trackers at their worst.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use fake_swarm::{FakeTracker, TrackerScript, Transactions, UdpScript, bencoding, gzip, peer_ip};
use serde_json::{Value, json};
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::Fixture;
use super::scenario::{Scenario, need, scenario};

/// Every scenario with a tracker in it that is not one of peers.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("an endless body", |fixture| ends(fixture, TrackerScript::EndlessBody, "too_large"))
        .needs(&[need("--limit body-bytes=1000000000000", "it takes more than 64 MiB")]),
    scenario("an endless head", |fixture| ends(fixture, TrackerScript::endless_head(), "head_too_large")),
    scenario("a header of 200 KiB", |fixture| ends(fixture, with_header(&"x".repeat(200 << 10), 1), "head_too_large"))
        .needs(&[need("--limit head-bytes=1000000", "no line on a tracker")]),
    scenario("200 headers", |fixture| ends(fixture, with_header("x", 200), "head_too_large"))
        .needs(&[need("--limit head-lines=10000", "no line on a tracker")]),
    scenario("100 Continue without end", |fixture| ends(fixture, TrackerScript::endless_continue(), "head_too_large")),
    scenario("a head, one byte a second", |fixture| ends(fixture, TrackerScript::Trickle, "timeout"))
        .needs(&[need("--limit tracker-time=60000 --deadline 17s", "no line on a tracker")]),
    scenario("a body, one byte a second", |fixture| {
        ends(fixture, TrackerScript::TrickleBody(vec![b'e'; 100]), "timeout")
    }),
    scenario("a gzip bomb", |fixture| ends(fixture, TrackerScript::Gzip(gzip::bomb(1 << 30)), "inflated_too_large")),
    scenario("a gzip bomb that fits in a body", |fixture| {
        ends(fixture, TrackerScript::Gzip(gzip::bomb(1 << 31)), "inflated_too_large")
    }),
    scenario("short chunks without end", |fixture| {
        ends(fixture, TrackerScript::endless_chunks("", "10\r\n0123456789abcdef\r\n"), "too_large")
    }),
    scenario("a chunk of 2^64 bytes", |fixture| {
        ends(fixture, TrackerScript::endless_chunks("ffffffffffffffff\r\n", "e"), "too_large")
    }),
    scenario("a chunk extension without end", |fixture| {
        ends(fixture, TrackerScript::endless_chunks("1;x=", "x"), "bad_body")
    }),
    scenario("trailers without end", |fixture| {
        ends(fixture, TrackerScript::endless_chunks("0\r\n", "X: y\r\n"), "bad_body")
    }),
    scenario("a failure of 1 MiB with escapes", long_failure),
    scenario("intervals that are none", intervals),
    scenario("a redirect in a circle", |fixture| redirected(fixture, "", "redirect_loop", 1)),
    scenario("redirects without end", |fixture| redirected(fixture, "?again", "too_many_redirects", 6))
        .needs(&[need("--limit redirects=1000000", "it was asked")]),
    scenario("a redirect to a file", |fixture| {
        ends(fixture, TrackerScript::redirect("file:///etc/passwd"), "redirect")
    }),
    scenario("TLS that stalls at once", |fixture| stalled_tls(fixture, b"")),
    scenario("TLS that stalls in a record", |fixture| stalled_tls(fixture, b"\x16\x03\x03\x40\0\x02")),
    scenario("100,000 peers", many_peers),
    scenario("100,000 peers, all of them taken", all_peers)
        .needs(&[need("--limit peers=1000000", "no summary that has")]),
    scenario("10,000 times one peer", one_peer_often),
    scenario("UDP, forged replies without the right one", |fixture| forged(fixture, Transactions::Wrong, 0)),
    scenario("UDP, forged replies before the right one", |fixture| {
        forged(fixture, Transactions::AfterForgeries(100), 0)
    }),
    scenario("UDP, a flood of forged replies", |fixture| forged(fixture, Transactions::Wrong, 20_000)),
    scenario("UDP, the same reply again and again", |fixture| forged(fixture, Transactions::Right, 5000)),
    scenario("UDP, a flood from elsewhere", flooded_from_elsewhere),
    scenario("an answer after the goodbye", late_answer),
    scenario("an endless answer to the goodbye", |fixture| goodbye(fixture, TrackerScript::EndlessBody)),
    scenario("no answer to the goodbye", |fixture| goodbye(fixture, TrackerScript::Silence))
        .needs(&[need("--limit goodbye-time=60000", "it takes longer than")]),
    scenario("128 trackers that say nothing", silent_trackers),
    scenario("600 torrents of one tracker", |fixture| paced(fixture, 600, "")),
    // So few at such a pace that without the limit they take less on any machine.
    scenario("120 torrents of one tracker", |fixture| paced(fixture, 120, "--limit tracker-rate=20"))
        .needs(&[need("--limit tracker-rate=1000", "requests in")]),
    scenario("40 torrents of a tracker that says nothing", silent_again)
        .needs(&[need("--limit silent-time=0", "it was asked")]),
];

/// A run that asks this tracker and finds no peer.
fn ends(fixture: &Fixture, script: TrackerScript, status: &str) -> Result<Case> {
    let tracker = fixture.tracker(script)?;
    let row = Row::new("one tracker", &fixture.torrent()?, 3).says(json!({"status": status}));
    Ok(Case::new(row).asks(&tracker))
}

/// A run that asks this tracker, which answers in the end.
fn answers(fixture: &Fixture, tracker: &Arc<FakeTracker>, says: Value) -> Result<Case> {
    let row = Row::new("one tracker", &fixture.torrent()?, 1).says(says);
    Ok(Case::new(row).asks(tracker))
}

/// A reply without peers.
fn no_peers() -> Vec<u8> {
    bencoding::dictionary([("interval", bencoding::integer(60)), ("peers", bencoding::string(""))])
}

/// A good reply with so many headers more.
fn with_header(value: &str, times: usize) -> TrackerScript {
    let headers = format!("X-Reason: {value}\r\n").repeat(times);
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", no_peers().len());
    TrackerScript::Raw([head.into_bytes(), no_peers()].concat())
}

/// What a tracker says is cut and made safe, in both forms.
fn long_failure(fixture: &Fixture) -> Result<Case> {
    let reason = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}".repeat(80_000);
    let tracker = fixture.tracker(TrackerScript::Failure(reason))?;
    let row = Row::new("one tracker", &fixture.torrent()?, 3).says(json!({"status": "failure"})).in_text();
    Ok(Case::new(row).asks(&tracker).afterwards(|report, _| {
        let said = [report.said.as_str(), &report.complaint].concat();
        let odd = said.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        let odd = odd.map(|c| format!("{c:?} reaches the terminal"));
        odd.into_iter().chain((said.len() > 8192).then(|| format!("it writes {} bytes", said.len()))).collect()
    }))
}

/// Each interval that is none is taken for none, or for the longest that there is.
fn intervals(fixture: &Fixture) -> Result<Case> {
    let mut case = Case::new(Row::new("intervals", &fixture.torrent()?, 1));
    for (interval, known) in [
        ("-1", json!(null)),
        ("-9223372036854775808", json!(null)),
        ("9223372036854775807", json!(null)),
        ("9223372036854775808", json!(null)),
        ("0", json!(0)),
    ] {
        let body = format!("d8:intervali{interval}e5:peers0:e").into_bytes();
        let tracker =
            fixture.tracker(TrackerScript::Body { status: 200, content_type: "text/plain".to_owned(), body })?;
        case = case.asks(&tracker).row(|row| row.says(json!({"status": "ok", "interval_s": known})));
    }
    Ok(case)
}

/// From one place to another, which is the same but for this, and from there on. It must be asked so often.
fn redirected(fixture: &Fixture, change: &str, status: &str, often: usize) -> Result<Case> {
    let tracker = fixture.tracker(TrackerScript::Silence)?;
    tracker.set_script(TrackerScript::redirect(format!("{}{change}", tracker.announce_url())));
    let row = Row::new("one tracker", &fixture.torrent()?, 3).says(json!({"status": status}));
    let asked = Arc::clone(&tracker);
    Ok(Case::new(row).asks(&tracker).afterwards(move |_, _| {
        // The goodbye goes the same way.
        let times = asked.requests().len() / 2;
        Vec::from_iter((times != often).then(|| format!("it was asked {times} times, expected {often}")))
    }))
}

/// Takes the connection, says this, and no more.
fn stalled_tls(fixture: &Fixture, said: &'static [u8]) -> Result<Case> {
    let failed = |error: std::io::Error| format!("no listener: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    thread::spawn(move || {
        if let Ok((mut stream, _)) = listener.accept() {
            // Until the other side closes, however it does.
            let _ = stream.write_all(said).and_then(|()| stream.read_to_end(&mut Vec::new()));
        }
    });
    let row = Row::new("one tracker", &fixture.torrent()?, 3).says(json!({"status": "tls_timeout"}));
    let case = Case::new(row.tracker(format!("https://{address}/announce")));
    Ok(case.dials_tracker(address))
}

/// As many peers on a port, from this one on, at addresses of their own.
fn peers(first: u32, count: u32, port: u16) -> impl Iterator<Item = SocketAddr> {
    (first..first + count).map(move |number| SocketAddr::from((peer_ip(number), port)))
}

/// Most of them are left out, and the others are at closed ports.
fn many_peers(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm(&[(peer_ip(0), fake_swarm::Peer::refusing())])?;
    let port = swarm.addr(peer_ip(0)).port();
    let tracker = fixture.tracker(TrackerScript::peers(peers(0, 100_000, port)))?;
    let case = answers(fixture, &tracker, json!({"status": "ok", "peers": 5000, "left_out": 95_000}))?;
    let case = case.row(|row| row.sums_up(json!({"peers": 5000, "outcomes": {"connect_refused": 5000}})));
    // Ten thousand attempts, each of whose system calls is traced: on a busy machine that takes longer than the deadline of a run.
    Ok(case.keeps(swarm).dials_port(port).args("--deadline 5m"))
}

/// All of them are accepted, and none may be dialled.
fn all_peers(fixture: &Fixture) -> Result<Case> {
    let mut case = Case::new(Row::new("three trackers", &fixture.torrent()?, 1)).args("--max-peers 0");
    for number in 0..3 {
        let tracker = fixture.tracker(TrackerScript::peers(peers(40_000 * number, 40_000, 81)))?;
        case = case.asks(&tracker);
    }
    let case = case.row(|row| row.tells(json!({"ok": 3})));
    let case = case.row(|row| row.sums_up(json!({"peers": 100_000, "outcomes": {"invalid_address": 100_000}})));
    Ok(case.within(Duration::from_secs(60)))
}

/// It is one peer, and dialled once.
fn one_peer_often(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm(&[(peer_ip(0), fake_swarm::Peer::default())])?;
    let tracker = fixture.tracker(TrackerScript::peers(vec![swarm.addr(peer_ip(0)); 10_000]))?;
    let row = Row::new("one tracker", &fixture.torrent()?, 0);
    let row = row.says(json!({"status": "ok", "peers": 1})).finds([(swarm.addr(peer_ip(0)), "ok")]);
    let accepted = Arc::clone(&swarm);
    Ok(Case::new(row).asks(&tracker).meets(&swarm).args("--max-peers 0").afterwards(move |_, _| {
        let times = accepted.accepted();
        Vec::from_iter((times != 1).then(|| format!("the peer was dialled {times} times")))
    }))
}

/// An attacker guesses transaction ids (BEP 15), and sends each reply so often again.
fn forged(fixture: &Fixture, transactions: Transactions, again: usize) -> Result<Case> {
    let right = transactions != Transactions::Wrong;
    let tracker = fixture.udp_tracker(UdpScript { transactions, again, ..UdpScript::default() })?;
    let (code, status) = if right { (1, "ok") } else { (3, "timeout") };
    let row = Row::new("one tracker", &fixture.torrent()?, code).says(json!({"status": status}));
    Ok(Case::new(row).asks_over_udp(&tracker))
}

/// Datagrams from another address, sent by an observer of the run's own ones, are not even read.
fn flooded_from_elsewhere(fixture: &Fixture) -> Result<Case> {
    let tracker = fixture.udp_tracker(UdpScript { silent_for: 1, ..UdpScript::default() })?;
    let row = Row::new("one tracker", &fixture.torrent()?, 1).says(json!({"status": "ok", "peers": 0}));
    let (asked, runtime) = (Arc::clone(&tracker), fixture.runtime());
    Ok(Case::new(row).asks_over_udp(&tracker).meanwhile(move |_| {
        let failed = |error: std::io::Error| format!("no flood: {error}");
        let minute = Duration::from_secs(60);
        if !runtime.block_on(asked.wait_for(|_| true, minute)) {
            return Err("the tracker was not asked".to_owned());
        }
        let first = asked.datagrams().into_iter().next().ok_or("no datagram")?;
        let stranger = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        // The right answer to the connect, from the wrong place; the tracker answers the second question only.
        let forged = [&[0; 4][..], &first.transaction().unwrap_or_default(), &[7; 8]].concat();
        for _ in 0..20_000 {
            // A buffer that is full is as good as a datagram that is dropped on its way.
            let _ = stranger.send_to(&forged, first.remote);
        }
        let connected = |datagram: &fake_swarm::Datagram| datagram.connection() == Some([7; 8]);
        let deceived = asked.datagrams().iter().any(connected);
        if deceived { Err("a stranger's connection id is used".to_owned()) } else { Ok(()) }
    }))
}

/// It answers after the timeout, with peers that may not be dialled then.
fn late_answer(fixture: &Fixture) -> Result<Case> {
    let tracker = fixture.tracker(TrackerScript::peers(peers(0, 10, 9)).after(Duration::from_secs(3)))?;
    let row = Row::new("one tracker", &fixture.torrent()?, 3).says(json!({"status": "interrupted"}));
    Ok(Case::new(row).asks(&tracker).args("--deadline 1s").within(Duration::from_secs(8)))
}

/// It answers the announce and then, to the goodbye, in another way.
fn goodbye(fixture: &Fixture, then: TrackerScript) -> Result<Case> {
    let tracker = fixture.tracker(TrackerScript::peers(Vec::<SocketAddr>::new()))?;
    let case = answers(fixture, &tracker, json!({"status": "ok"}))?;
    let swarm = fixture.swarm(&[(peer_ip(0), fake_swarm::Peer::silent())])?;
    let peer = swarm.addr(peer_ip(0));
    let (asked, runtime) = (Arc::clone(&tracker), fixture.runtime());
    let case =
        case.meets(&swarm).args(&format!("--peer {peer} --handshake-timeout 1s")).within(Duration::from_secs(10));
    // The peer keeps the run going for a second after the announce has been answered.
    Ok(case.meanwhile(move |_| {
        let started = runtime.block_on(asked.wait_for(|_| true, Duration::from_secs(10)));
        let accepted = runtime.block_on(swarm.wait_for(|counts| counts.accepted > 0, Duration::from_secs(10)));
        asked.set_script(then);
        if started && accepted { Ok(()) } else { Err("the run does not begin".to_owned()) }
    }))
}

/// No more than 64 are asked at once.
/// So many links to one tracker, of which nothing else is known.
fn links(fixture: &Fixture, count: usize, script: TrackerScript, code: i32) -> Result<(Arc<FakeTracker>, Case)> {
    let tracker = fixture.tracker(script)?;
    let tr = percent_encoded(&tracker.announce_url());
    let link = |number: usize| format!("magnet:?xt=urn:btih:{number:040x}&tr={tr}");
    let row = Row::new("links", &fixture.at(link(1)), code).in_text().args((2..=count).map(link));
    let case = Case::new(row).knows(&tracker).dials_tracker(tracker.addr()).of_torrents(count);
    Ok((tracker, case))
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// An announce and a goodbye of each, of which a second's are let through at once: at its pace they take ten seconds.
fn paced(fixture: &Fixture, torrents: usize, pace: &str) -> Result<Case> {
    const LEAST: Duration = Duration::from_secs(10);
    let (_, case) = links(fixture, torrents, TrackerScript::peers(Vec::<SocketAddr>::new()), 1)?;
    // No other limit is near.
    Ok(case.args("--rate 1000").args(pace).afterwards(move |_, seen| {
        let fast = || format!("it is sent {} requests in {:.1?}", 2 * torrents, seen.took);
        Vec::from_iter((seen.took < LEAST).then(fast))
    }))
}

/// It is asked over as many connections as there may be at once; those that wait for one of them do not ask.
fn silent_again(fixture: &Fixture) -> Result<Case> {
    const MOST: usize = 4;
    let (tracker, case) = links(fixture, 40, TrackerScript::Silence, 3)?;
    Ok(case.args("--limit tracker-time=2000 --limit goodbye-time=500").afterwards(move |_, _| {
        let asked = tracker.requests().iter().filter(|request| request.event().as_deref() == Some("started")).count();
        Vec::from_iter((asked > MOST).then(|| format!("it was asked {asked} times, expected {MOST} at most")))
    }))
}

fn silent_trackers(fixture: &Fixture) -> Result<Case> {
    let peers: Vec<_> = (0..128).map(|number| (peer_ip(number), fake_swarm::Peer::silent())).collect();
    let swarm = fixture.swarm(&peers)?;
    let mut case = Case::new(Row::new("many trackers", &fixture.torrent()?, 3).tells(json!({"interrupted": 128})));
    for endpoint in swarm.endpoints() {
        case = case.dials_tracker(endpoint.into());
        case = case.row(|row| row.tracker(format!("http://{endpoint}/announce")));
    }
    let counts = Arc::clone(&swarm);
    Ok(case.args("--deadline 2s").keeps(swarm).afterwards(move |_, _| {
        let peak = counts.counts().peak;
        Vec::from_iter((peak != 128).then(|| format!("{peak} trackers are asked at once, expected all")))
    }))
}
