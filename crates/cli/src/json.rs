//! The report for machines: one JSON object a line, schema 1. Unknown is `null`, never absent. URLs are redacted.

use crate::output::Subject;
use client::{PeerReport, Summary, TrackerReport};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Start<'r> {
    r#type: &'static str,
    schema: u32,
    info_hash: String,
    torrent: String,
    name: String,
    info_hash_v1: Option<String>,
    info_hash_v2: Option<String>,
    total_size: u64,
    piece_length: u32,
    pieces: u32,
    files: usize,
    private: bool,
    trackers: Vec<&'r str>,
}

#[derive(Serialize)]
struct Tracker<'r> {
    r#type: &'static str,
    info_hash: String,
    url: &'r str,
    redirected_to: Option<&'r str>,
    announced_hash: Option<String>,
    family: Option<&'static str>,
    address: Option<String>,
    status: &'static str,
    message: Option<String>,
    http_status: Option<u16>,
    peers: Option<usize>,
    peers_v4: Option<usize>,
    peers_v6: Option<usize>,
    skipped: BTreeMap<&'static str, usize>,
    left_out: usize,
    seeders: Option<u32>,
    leechers: Option<u32>,
    downloaded: Option<u32>,
    interval_s: Option<u64>,
    min_interval_s: Option<u64>,
    retry_in_s: Option<u64>,
    dns_ms: Option<f64>,
    connect_ms: Option<f64>,
    tls_ms: Option<f64>,
    reply_ms: Option<f64>,
    elapsed_ms: f64,
}

#[derive(Serialize)]
struct Peer {
    r#type: &'static str,
    info_hash: String,
    addr: String,
    sources: Vec<String>,
    outcome: &'static str,
    stage: &'static str,
    transport: &'static str,
    connect_ms: Option<f64>,
    handshake_ms: Option<f64>,
    peer_id: Option<String>,
    client: Option<String>,
    reserved: Option<String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Total<'r> {
    r#type: &'static str,
    info_hash: String,
    peers: usize,
    ok: usize,
    outcomes: BTreeMap<&'static str, usize>,
    clients: BTreeMap<&'r str, usize>,
    elapsed_ms: f64,
}

pub(crate) fn start(subject: Subject<'_>, show_secrets: bool) -> io::Result<String> {
    let torrent = subject.torrent;
    let show = |url: &String| if show_secrets { url.clone() } else { guard::redact_url(url) };
    let trackers: Vec<String> = torrent.trackers.iter().flatten().map(|tracker| show(&tracker.url)).collect();
    line(&Start {
        r#type: "start",
        schema: SCHEMA,
        info_hash: info_hash(subject),
        torrent: subject.path.to_string_lossy().into_owned(),
        name: String::from_utf8_lossy(&torrent.name).into_owned(),
        info_hash_v1: torrent.hashes.v1().map(|hash| hash.to_string()),
        info_hash_v2: torrent.hashes.v2().map(|hash| hash.to_string()),
        total_size: torrent.total_size,
        piece_length: torrent.piece_length,
        pieces: torrent.pieces,
        files: torrent.files.len(),
        private: torrent.private,
        trackers: trackers.iter().map(String::as_str).collect(),
    })
}

pub(crate) fn tracker(subject: Subject<'_>, report: &TrackerReport) -> io::Result<String> {
    let times = report.times;
    line(&Tracker {
        r#type: "tracker",
        info_hash: info_hash(subject),
        url: &report.url,
        redirected_to: report.redirected_to.as_deref(),
        announced_hash: report.announced_hash.map(|hash| hash.to_string()),
        family: report.family.map(tracker::Family::code),
        address: report.address.map(|address| address.to_string()),
        status: report.status.code(),
        message: report.message(),
        http_status: report.http_status,
        peers: report.peers.map(|named| named.total()),
        peers_v4: report.peers.map(|named| named.v4),
        peers_v6: report.peers.map(|named| named.v6),
        skipped: report.skipped.kinds().into_iter().filter(|(_, count)| *count > 0).collect(),
        left_out: report.left_out,
        seeders: report.seeders,
        leechers: report.leechers,
        downloaded: report.downloaded,
        interval_s: report.interval.map(|interval| interval.as_secs()),
        min_interval_s: report.min_interval.map(|interval| interval.as_secs()),
        retry_in_s: report.status.retry_in().map(|time| time.as_secs()),
        dns_ms: times.dns.map(milliseconds),
        connect_ms: times.connect.map(milliseconds),
        tls_ms: times.tls.map(milliseconds),
        reply_ms: times.reply.map(milliseconds),
        elapsed_ms: milliseconds(report.elapsed),
    })
}

pub(crate) fn peer(subject: Subject<'_>, report: &PeerReport) -> io::Result<String> {
    let theirs = report.theirs.as_ref();
    line(&Peer {
        r#type: "peer",
        info_hash: info_hash(subject),
        addr: report.address.to_string(),
        sources: report.sources.iter().map(ToString::to_string).collect(),
        outcome: report.outcome.code(),
        stage: report.stage.code(),
        transport: report.transport.code(),
        connect_ms: report.connect.map(milliseconds),
        handshake_ms: report.handshake.map(milliseconds),
        peer_id: theirs.map(|theirs| theirs.peer_id.hex().to_string()),
        client: report.client().map(|client| client.to_string()),
        reserved: theirs.map(|theirs| theirs.reserved.to_string()),
        error: report.error.as_ref().map(|error| guard::ErrorChain(error).to_string()),
    })
}

pub(crate) fn summary(subject: Subject<'_>, summary: &Summary) -> io::Result<String> {
    let name = |client: &'_ Option<String>| client.clone().unwrap_or_else(|| "unknown".to_owned());
    let clients: Vec<(String, usize)> = summary.clients.iter().map(|(client, &count)| (name(client), count)).collect();
    line(&Total {
        r#type: "summary",
        info_hash: info_hash(subject),
        peers: summary.peers,
        ok: summary.ok,
        outcomes: summary.outcomes.iter().map(|(outcome, &count)| (outcome.code(), count)).collect(),
        clients: clients.iter().map(|(client, count)| (client.as_str(), *count)).collect(),
        elapsed_ms: milliseconds(summary.elapsed),
    })
}

fn info_hash(subject: Subject<'_>) -> String {
    subject.torrent.hashes.primary().to_string()
}

/// JSON allows characters that command or deceive a terminal; they are written as `\u` escapes, which mean the same.
fn line(value: &impl Serialize) -> io::Result<String> {
    let plain = serde_json::to_string(value)?;
    if !plain.chars().any(guard::is_deceptive) {
        return Ok(plain);
    }
    let mut escaped = String::with_capacity(plain.len());
    for character in plain.chars() {
        if guard::is_deceptive(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
    }
    Ok(escaped)
}

/// Milliseconds with microsecond precision.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
