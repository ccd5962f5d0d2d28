//! The report for machines: one JSON object a line, schema 1. Unknown is `null`, never absent. URLs are redacted.

mod line;
mod torrent;

use crate::input::Subject;
use crate::output;
use client::peer_session::Oddity;
use client::{CutShort, Matched, PeerReport, Summary, TrackerReport, Tried};
use line::line;
use peer_wire::ExtensionHandshake;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;
use torrent::path;
pub(crate) use torrent::{start, torrent};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const SCHEMA: u32 = 1;

/// Most files and ranges of pieces listed in one line.
const MOST_LISTED: usize = 1000;

/// Most addresses of ours listed: we have a few, and peers can invent any.
const MOST_ADDRESSES: usize = 16;

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
    asked_together: usize,
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
    external_ip: Option<IpAddr>,
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
    same_as: Option<String>,
    maybe_same_as: Option<String>,
    outcome: &'static str,
    stage: &'static str,
    transport: &'static str,
    plaintext: Option<&'static str>,
    encrypted: Option<&'static str>,
    matched: Option<&'static str>,
    connect_ms: Option<f64>,
    handshake_ms: Option<f64>,
    bytes_received: usize,
    oddities: Vec<&'static str>,
    peer_id: Option<String>,
    client: Option<String>,
    reserved: Option<String>,
    role: &'static str,
    role_from: &'static str,
    completeness: Option<Completeness>,
    extension: Option<Extension>,
    error: Option<String>,
    other_error: Option<String>,
    hint: Option<&'static str>,
}

#[derive(Serialize)]
struct Completeness {
    have: u32,
    pieces: u32,
}

/// An extension handshake (BEP 10), by its own keys.
#[derive(Serialize)]
struct Extension {
    v: Option<String>,
    m: BTreeMap<String, u8>,
    p: Option<u16>,
    reqq: Option<u32>,
    metadata_size: Option<u32>,
    yourip: Option<IpAddr>,
    ipv4: Option<IpAddr>,
    ipv6: Option<IpAddr>,
    upload_only: Option<bool>,
    e: Option<bool>,
    complete_ago: Option<i64>,
    /// Keys that were there and could not be used.
    dropped: Vec<&'static str>,
}

/// What several torrents come to; of none in particular.
#[derive(Serialize)]
struct GrandTotal {
    r#type: &'static str,
    info_hash: Option<String>,
    torrents: usize,
    torrents_ok: usize,
    peers: usize,
    ok: usize,
    outcomes: BTreeMap<&'static str, usize>,
    elapsed_ms: f64,
}

#[derive(Serialize)]
struct Total<'r> {
    r#type: &'static str,
    info_hash: String,
    peers: usize,
    declined: usize,
    ok: usize,
    repeated: usize,
    maybe_repeated: usize,
    outcomes: BTreeMap<&'static str, usize>,
    clients: BTreeMap<&'r str, usize>,
    other_clients: usize,
    roles: BTreeMap<&'static str, usize>,
    copies_min: Option<f64>,
    copies_max: Option<f64>,
    missing_pieces: Option<u32>,
    missing_piece_ranges: Option<Vec<(u32, u32)>>,
    missing_files: Option<Vec<String>>,
    claimed_seeds: Option<u32>,
    verified_seeds: usize,
    verified_seeds_max: usize,
    unseen_seeds: Option<u32>,
    coverage: Coverage,
    seen_as: Vec<SeenAs>,
    verdict: &'static str,
    cut_short: Option<&'static str>,
    unmet: &'r [String],
    elapsed_ms: f64,
}

/// One address of ours, and how many see it.
#[derive(Serialize)]
struct SeenAs {
    ip: IpAddr,
    trackers: usize,
    peers: usize,
}

/// How much of the swarm was seen; all of it over TCP.
#[derive(Serialize)]
struct Coverage {
    named: usize,
    reached: usize,
    told: usize,
    empty: usize,
    silent_closers: usize,
    whole_list: Option<bool>,
    transport: &'static str,
    web_seeds_unchecked: usize,
}

pub(crate) fn tracker(subject: &Subject, report: &TrackerReport) -> io::Result<String> {
    line(&Tracker::of(subject, report, "tracker"))
}

/// A goodbye that could not be sent.
pub(crate) fn goodbye(subject: &Subject, report: &TrackerReport) -> io::Result<String> {
    line(&Tracker::of(subject, report, "goodbye"))
}

impl<'r> Tracker<'r> {
    fn of(subject: &Subject, report: &'r TrackerReport, r#type: &'static str) -> Self {
        let times = report.times;
        Self {
            r#type,
            info_hash: info_hash(subject),
            url: &report.url,
            redirected_to: report.redirected_to.as_deref(),
            announced_hash: report.announced_hash.map(|hash| hash.to_string()),
            family: report.family.map(tracker::Family::code),
            address: report.address.map(|address| address.to_string()),
            status: report.status.code(),
            message: report.message(),
            http_status: report.http_status,
            asked_together: report.asked_together,
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
            external_ip: report.external_ip,
            retry_in_s: report.status.retry_in().map(|time| time.as_secs()),
            dns_ms: times.dns.map(milliseconds),
            connect_ms: times.connect.map(milliseconds),
            tls_ms: times.tls.map(milliseconds),
            reply_ms: times.reply.map(milliseconds),
            elapsed_ms: milliseconds(report.elapsed),
        }
    }
}

pub(crate) fn peer(subject: &Subject, report: &PeerReport) -> io::Result<String> {
    let theirs = report.theirs.as_ref();
    line(&Peer {
        r#type: "peer",
        info_hash: info_hash(subject),
        addr: report.address.to_string(),
        sources: report.sources.iter().map(ToString::to_string).collect(),
        same_as: report.same_as.map(|address| address.to_string()),
        maybe_same_as: report.maybe_same_as.map(|address| address.to_string()),
        outcome: report.outcome.code(),
        stage: report.stage.code(),
        transport: report.transport.code(),
        plaintext: report.plaintext.map(Tried::code),
        encrypted: report.encrypted.map(Tried::code),
        matched: report.matched.map(Matched::code),
        connect_ms: report.connect.map(milliseconds),
        handshake_ms: report.handshake.map(milliseconds),
        bytes_received: report.bytes_received,
        oddities: report.oddities.iter().map(Oddity::code).collect(),
        peer_id: theirs.map(|theirs| theirs.peer_id.hex().to_string()),
        client: report.client(),
        reserved: theirs.map(|theirs| theirs.reserved.to_string()),
        role: report.role.code(),
        role_from: report.role_from.code(),
        completeness: report.completeness.map(|told| Completeness { have: told.have, pieces: told.pieces }),
        extension: report.extension.as_deref().map(Extension::of),
        error: report.reason(),
        other_error: report.other_reason(),
        hint: report.hint(),
    })
}

impl Extension {
    fn of(theirs: &ExtensionHandshake) -> Self {
        Self {
            v: theirs.client.clone(),
            m: theirs.extensions.clone(),
            p: theirs.port,
            reqq: theirs.reqq,
            metadata_size: theirs.metadata_size,
            yourip: theirs.yourip,
            ipv4: theirs.ipv4.map(IpAddr::V4),
            ipv6: theirs.ipv6.map(IpAddr::V6),
            upload_only: theirs.upload_only,
            e: theirs.prefers_encryption,
            complete_ago: theirs.complete_ago,
            dropped: theirs.dropped.iter().map(|dropped| dropped.key).collect(),
        }
    }
}

/// The end of a run; `unmet` are the conditions of the user's that are not met.
pub(crate) fn summary(subject: &Subject, summary: &Summary, unmet: &[String]) -> io::Result<String> {
    // A peer may call itself what we call those that have no name.
    let mut clients = BTreeMap::new();
    for (client, count) in &summary.clients {
        *clients.entry(client.as_deref().unwrap_or("unknown")).or_default() += count;
    }
    let swarm = &summary.swarm;
    let ranges = |ranges: &Vec<RangeInclusive<u32>>| {
        ranges.iter().take(MOST_LISTED).map(|range| (*range.start(), *range.end())).collect()
    };
    line(&Total {
        r#type: "summary",
        info_hash: info_hash(subject),
        peers: summary.peers,
        declined: summary.declined,
        ok: summary.ok,
        repeated: summary.repeated,
        maybe_repeated: summary.maybe_repeated,
        outcomes: summary.outcomes.iter().map(|(outcome, &count)| (outcome.code(), count)).collect(),
        clients,
        other_clients: summary.other_clients,
        roles: summary.roles.iter().map(|(role, &count)| (role.code(), count)).collect(),
        copies_min: swarm.copies.map(|copies| thousandths(copies.min)),
        copies_max: swarm.copies.map(|copies| thousandths(copies.max)),
        missing_pieces: swarm.missing_pieces(),
        missing_piece_ranges: swarm.missing.as_ref().map(ranges),
        missing_files: swarm.missing.as_ref().zip(subject.listing()).map(|(_, torrent)| {
            swarm.missing_files(torrent).take(MOST_LISTED).map(|file| path(subject, &file.path)).collect()
        }),
        claimed_seeds: swarm.claimed_seeds,
        verified_seeds: swarm.verified_seeds,
        verified_seeds_max: swarm.verified_seeds_max,
        unseen_seeds: swarm.unseen_seeds(),
        coverage: Coverage {
            named: swarm.coverage.named,
            reached: swarm.coverage.reached,
            told: swarm.coverage.told,
            empty: swarm.coverage.empty,
            silent_closers: swarm.coverage.silent_closers,
            whole_list: swarm.coverage.whole_list,
            transport: "tcp",
            web_seeds_unchecked: swarm.coverage.web_seeds,
        },
        seen_as: summary
            .seen_as
            .by_frequency()
            .into_iter()
            .take(MOST_ADDRESSES)
            .map(|(ip, by)| SeenAs { ip, trackers: by.trackers, peers: by.peers })
            .collect(),
        verdict: summary.verdict().code(),
        cut_short: summary.cut_short.map(|by| match by {
            CutShort::Deadline => "deadline",
            CutShort::Interrupt => "interrupt",
        }),
        unmet,
        elapsed_ms: milliseconds(summary.elapsed),
    })
}

pub(crate) fn total(total: &output::Total) -> io::Result<String> {
    line(&GrandTotal {
        r#type: "total",
        info_hash: None,
        torrents: total.torrents,
        torrents_ok: total.answered,
        peers: total.peers,
        ok: total.ok,
        outcomes: total.outcomes.iter().map(|(outcome, &count)| (outcome.code(), count)).collect(),
        elapsed_ms: milliseconds(total.begun.elapsed()),
    })
}

fn info_hash(subject: &Subject) -> String {
    subject.topic.hashes.primary().to_string()
}

/// Down: what is less than one copy stays less than one.
fn thousandths(copies: f64) -> f64 {
    /// What binary takes from a decimal fraction: 2.3 copies are 2299.9999999999995 thousandths. With at most 2^21 pieces, what
    /// is less than a thousandth differs from it by 4.7e-7 at least; of 100,000 copies binary takes 2e-8.
    const LOST: f64 = 1e-7;
    (copies * 1e3 + LOST).floor() / 1e3
}

/// Milliseconds with microsecond precision.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_rounded_down() {
        for (copies, shown) in [
            (2288.0 / 2289.0, 0.999),
            (1.0 - 1.0 / 2_097_152.0, 0.999),
            (0.0005, 0.0),
            (1.0, 1.0),
            (2.3, 2.3),
            (4.0 + 1.0 / 3.0, 4.333),
            (0.001 + 70.0, 70.001),
        ] {
            assert_eq!(thousandths(copies), shown, "{copies}");
        }
        (0..=1000).map(|n| f64::from(n) / 1e3).for_each(|copies| assert_eq!(thousandths(copies), copies));
    }
}
