//! Trackers that are not there, not trackers, or worse: scripted ones on loopback, each failing in a way of its own.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use fake_swarm::{FakeTracker, FakeUdpTracker, FullListener, TrackerScript, Transactions, UdpScript, bencoding, gzip};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use xtask::shell::Result;

use super::goodbyes;
use super::ports::free_port;
use super::row::Row;
use super::secrets::{PASSKEY, planted};
use super::section::Lab;
use super::torrents::{self, Torrent};

pub(super) const NAME: &str = "bad-input";

/// More than a reply may hold once it is inflated, and much less before.
const BOMB: usize = 64 << 20;

/// All rows at once: some of them take as long as the binary has patience.
pub(super) fn run(lab: &Lab) -> Result {
    let failed = |error: fake_swarm::Error| format!("the scripted trackers: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let inside = runtime.enter();
    let torrent = torrents::invented(&lab.swarm.scratch.folder("torrents")?, "bad input", &[])?;
    let (mut http, mut udp, mut rows) = (HashMap::new(), Vec::new(), Vec::new());
    for (name, script, says) in http_scripts() {
        let tracker = FakeTracker::start(script).map_err(failed)?;
        rows.push(row(name, &torrent, says).tracker(tracker.announce_url()));
        http.insert(name, tracker);
    }
    for (name, script, says) in udp_scripts() {
        let tracker = FakeUdpTracker::start(script).map_err(failed)?;
        rows.push(row(name, &torrent, says).tracker(tracker.announce_url()));
        udp.push(tracker);
    }
    let full = FullListener::start().map_err(|error| error.to_string())?;
    let no_room = row("no room for another connection", &torrent, json!({"status": "connect_timeout"}));
    rows.push(no_room.args(["--connect-timeout", "1s"]).tracker(format!("http://{}/announce", full.addr())));
    rows.extend(once_more(&torrent, &http)?);
    rows.extend(closed_ports(lab, &torrent)?);
    drop(inside);
    thread::scope(|scope| {
        let (end, ended) = oneshot::channel::<()>();
        // The scripts run there while the rows run here.
        scope.spawn(|| runtime.block_on(ended));
        let judged = lab.prober.judge("bad input", &Row::in_both_forms(rows));
        drop(end);
        let faults: Vec<String> = judged.err().into_iter().chain(goodbyes::missing(http.values(), &udp)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
    })
}

/// A row that has this of its one tracker, which answered without a peer, or did not answer.
fn row(name: &str, torrent: &Torrent, says: Value) -> Row {
    let code = if says.get("status").is_some_and(|status| status == "ok") { 1 } else { 3 };
    Row::new(name, torrent, code).says(says)
}

/// What HTTP trackers do, and what is to be said of each.
fn http_scripts() -> Vec<(&'static str, TrackerScript, Value)> {
    let says = |status: &str| json!({"status": status});
    let reply = || bencoding::dictionary([("interval", bencoding::integer(60)), ("peers", bencoding::string(""))]);
    let body = |status: u16, content_type: &str, body: &[u8]| TrackerScript::Body {
        status,
        content_type: content_type.to_owned(),
        body: body.to_vec(),
    };
    let page = format!("<html>no user has the passkey {PASSKEY}</html>");
    let refusal = bencoding::dictionary([
        ("failure reason", bencoding::string(format!("unknown passkey {PASSKEY}"))),
        ("retry in", bencoding::string("5")),
    ]);
    vec![
        (
            "a refusal",
            body(200, "text/plain", &refusal),
            json!({"status": "failure", "message": "unknown passkey ***", "retry_in_s": 300}),
        ),
        (
            "a refusal with an HTTP status",
            body(403, "text/plain", &refusal),
            json!({"status": "http_status", "http_status": 403, "message": "unknown passkey ***"}),
        ),
        ("a page", body(200, "text/html", page.as_bytes()), json!({"status": "not_a_tracker", "message": "text/html"})),
        (
            "a page with an HTTP status",
            body(404, "text/html", page.as_bytes()),
            json!({"status": "http_status", "http_status": 404}),
        ),
        ("not bencode", body(200, "text/plain", b"d5:peers"), says("not_a_tracker")),
        ("SSH", TrackerScript::Raw(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec()), says("not_http")),
        ("nothing", TrackerScript::CloseAtOnce, says("closed")),
        (
            "half of it",
            TrackerScript::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd5:peers".to_vec()),
            says("incomplete"),
        ),
        ("an endless body", TrackerScript::EndlessBody, says("too_large")),
        ("an endless head", TrackerScript::endless_head(), says("head_too_large")),
        ("100 Continue without end", TrackerScript::endless_continue(), says("head_too_large")),
        ("a gzip bomb", TrackerScript::Gzip(gzip::bomb(BOMB)), says("inflated_too_large")),
        (
            "half of the gzip",
            TrackerScript::Gzip(gzip::stored(&reply()).into_iter().take(20).collect()),
            says("bad_gzip"),
        ),
        ("gzip that is none", TrackerScript::Gzip(reply()), json!({"status": "ok", "interval_s": 60})),
        ("gzip", TrackerScript::Gzip(gzip::stored(&reply())), json!({"status": "ok", "interval_s": 60})),
        (
            "gzip without a label",
            body(200, "text/plain", &gzip::stored(&reply())),
            json!({"status": "ok", "interval_s": 60}),
        ),
        ("silence", TrackerScript::Silence, says("timeout")),
        ("a head, one byte a second", TrackerScript::Trickle, says("timeout")),
        ("a body, one byte a second", TrackerScript::TrickleBody(vec![b'e'; 100]), says("timeout")),
        ("a head and no body", TrackerScript::stall_after_head(), says("timeout")),
        (
            "a redirect to nowhere",
            TrackerScript::Raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec()),
            json!({"status": "http_status", "http_status": 302}),
        ),
        (
            "a redirect to a closed port",
            TrackerScript::redirect(format!("http://127.0.0.1:1/announce?pid={PASSKEY}")),
            says("connect_refused"),
        ),
        // Another service of this machine, which a torrent may not name either.
        (
            "a redirect to another service",
            TrackerScript::redirect(format!("http://127.0.0.1:1/{PASSKEY}")),
            says("refused_address"),
        ),
    ]
}

/// What UDP trackers do, and what is to be said of each.
fn udp_scripts() -> Vec<(&'static str, UdpScript, Value)> {
    let says = |status: &str| json!({"status": status});
    let honest = UdpScript::default;
    let refusing = || UdpScript { error: Some(format!("unknown passkey {PASSKEY}\0")), ..honest() };
    let forging = |transactions| UdpScript { transactions, ..honest() };
    vec![
        ("UDP", honest(), json!({"status": "ok", "interval_s": 1800})),
        ("UDP, the first datagram lost", UdpScript { silent_for: 1, ..honest() }, says("ok")),
        ("UDP, forgeries first", forging(Transactions::AfterForgeries(3)), says("ok")),
        ("UDP, a refusal", refusing(), json!({"status": "failure", "message": "unknown passkey ***"})),
        ("UDP, 8 bytes", UdpScript { cut: Some(8), ..honest() }, says("failure")),
        ("UDP, silence", UdpScript::silence(), says("timeout")),
        ("UDP, wrong transaction ids", forging(Transactions::Wrong), says("timeout")),
        // The only word of the reason is in a datagram that has to be ignored.
        (
            "UDP, a refusal with a wrong transaction id",
            UdpScript { transactions: Transactions::WrongAfterConnect, ..refusing() },
            json!({"status": "timeout", "message": "unknown passkey ***"}),
        ),
    ]
}

/// Trackers that cannot be asked at all.
fn closed_ports(lab: &Lab, torrent: &Torrent) -> Result<Vec<Row>> {
    let says = |status: &str| json!({"status": status});
    let closed = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let urls = ["http://127.0.0.1:99999/announce", "wss://127.0.0.1/announce", "http:///announce"].map(planted);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let odd = torrents::invented(&lab.swarm.scratch.folder("torrents")?, "odd trackers", &urls)?;
    let no_scrape = format!("http://{closed}/{PASSKEY}");
    Ok(vec![
        row("a closed port", torrent, says("connect_refused")).tracker(format!("http://{closed}/announce")),
        row("a closed port, UDP", torrent, says("connect_refused")).tracker(format!("udp://{closed}/announce")),
        row("a closed port, HTTPS", torrent, says("connect_refused")).tracker(format!("https://{closed}/announce")),
        row("no scrape URL", torrent, says("scrape_unsupported")).args(["--scrape"]).tracker(no_scrape),
        Row::new("odd URLs", &odd, 3).says(says("bad_url")).says(says("bad_url")).says(says("unsupported_scheme")),
    ])
}

/// Some of the scripted trackers again: three in one run, of which one answers, and TLS with one that says nothing.
fn once_more(torrent: &Torrent, http: &HashMap<&str, FakeTracker>) -> Result<[Row; 2]> {
    let named = |name: &str| http.get(name).ok_or_else(|| format!("no script is called {name}"));
    let (answers, fails, hangs) = (named("gzip")?, named("a page")?, named("silence")?);
    let side_by_side = [(answers, "ok"), (fails, "not_a_tracker"), (hangs, "interrupted")]
        .iter()
        .fold(Row::new("one of three answers", torrent, 1).args(["--deadline", "3s"]), |row, (tracker, status)| {
            row.tracker(tracker.announce_url()).says(json!({"status": status}))
        });
    let over_tls = row("silence over HTTPS", torrent, json!({"status": "tls_timeout"}));
    Ok([side_by_side, over_tls.tracker(format!("https://{}/announce", hangs.addr()))])
}
