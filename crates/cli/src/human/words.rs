//! Values in words: what a torrent holds, what a tracker says, what a peer is and has.

use crate::input::Input;
use crate::text::{binary_size, grouped, listed, plural, size, span, time};
use client::{
    CodeKind, DhtStatus, Explanation, Outcome, PeerReport, Role, Times, TrackerReport, TrackerStatus, WebSeedStatus,
};
use guard::escape;
use std::time::Duration;
use tracker::Family;

/// An outcome in two or three words.
pub(super) fn outcome_words(outcome: Outcome) -> &'static str {
    Explanation::of(CodeKind::Outcome, outcome.code()).map_or(outcome.code(), |entry| entry.words)
}

/// A tracker's status in two or three words.
pub(super) fn status_words(status: TrackerStatus) -> &'static str {
    Explanation::of(CodeKind::TrackerStatus, status.code()).map_or(status.code(), |entry| entry.words)
}

/// A web seed's status in two or three words.
pub(super) fn web_seed_words(status: WebSeedStatus) -> &'static str {
    Explanation::of(CodeKind::WebSeedStatus, status.code()).map_or(status.code(), |entry| entry.words)
}

/// How a lookup in the DHT ended in two or three words.
pub(super) fn dht_words(status: DhtStatus) -> &'static str {
    Explanation::of(CodeKind::DhtStatus, status.code()).map_or(status.code(), |entry| entry.words)
}

/// The kind of a client without its version: `qBittorrent` of `qBittorrent/5.1.0`.
pub(super) fn family(client: &str) -> &str {
    let client = client.split('/').next().unwrap_or(client);
    let version = client.match_indices(' ').find(|(at, _)| client[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let name = version.map_or(client, |(at, _)| &client[..at]);
    if name.is_empty() { client } else { name }
}

/// The name that the torrent gives itself, or what it was asked for by.
pub(crate) fn name(input: &Input) -> String {
    match input.name() {
        Some(name) => guard::escape_bytes(&name).to_string(),
        None => escape(&input.given).to_string(),
    }
}

/// What is known of a torrent: size, files, pieces, hashes.
pub(super) fn facts(input: &Input) -> Vec<String> {
    let hashes = input.torrent_ref.hashes;
    let mut facts = content(input);
    facts.extend(hashes.v1().map(|hash| hash.to_string()));
    facts.extend(hashes.v2().map(|hash| format!("v2 {hash}")));
    facts
}

/// What it holds: size, files, pieces.
pub(super) fn content(input: &Input) -> Vec<String> {
    let mut facts: Vec<String> = input.torrent_ref.total_size.map(size).into_iter().collect();
    if let Some(torrent) = input.torrent() {
        facts.push(plural(torrent.files.content_len(), "file"));
        let pieces = if torrent.pieces == 1 { "piece" } else { "pieces" };
        facts.push(format!("{} {pieces} of {}", grouped(torrent.pieces), binary_size(torrent.piece_length)));
        facts.extend(torrent.private.then(|| "private".to_owned()));
    }
    facts
}

/// Over which family, and about which half of a hybrid, where that does not go without saying.
pub(super) fn swarm_suffix(input: &Input, report: &TrackerReport) -> String {
    let family = if report.family == Some(Family::V6) { " over IPv6" } else { "" };
    let other = report.announced_hash.is_some_and(|hash| hash != input.torrent_ref.hashes.primary());
    format!("{family}{}", if other { ", v2 swarm" } else { "" })
}

/// `78 peers, claims 40 seeds, 12 leechers`.
pub(super) fn said_by_tracker(report: &TrackerReport) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(named) = report.peers {
        said.push(plural(named.total(), "peer"));
        let skipped = report.skipped.total();
        said.extend((skipped > 0).then(|| format!("{skipped} unusable")));
    }
    said.extend((report.left_out > 0).then(|| format!("{} left out", report.left_out)));
    let claims = [(report.seeders, "seed"), (report.leechers, "leecher"), (report.downloaded, "download")];
    let claims: Vec<String> =
        claims.iter().filter_map(|(count, what)| Some(plural((*count)? as usize, what))).collect();
    if !claims.is_empty() {
        said.push(format!("claims {}", listed(&claims)));
    }
    said.extend(report.announce_in.map(|wait| format!("announced to again in {}", span(wait))));
    said
}

/// `: dns 3 ms, connect 12 ms`; nothing where no step was taken.
pub(super) fn steps(times: Times) -> String {
    let steps = [("dns", times.dns), ("connect", times.connect), ("tls", times.tls), ("reply", times.reply)];
    let steps: Vec<String> =
        steps.iter().filter_map(|(step, took)| Some(format!("{step} {}", time((*took)?)))).collect();
    if steps.is_empty() { String::new() } else { format!(": {}", steps.join(", ")) }
}

/// From the first packet to the whole handshake.
pub(super) fn answered_in(report: &PeerReport) -> Duration {
    report.connect.unwrap_or_default() + report.handshake.unwrap_or_default()
}

/// What a peer is and has: `seed`, `leech 40.0 %`.
pub(super) fn role_and_share(report: &PeerReport) -> String {
    let role = match report.role {
        Role::Unknown if report.listen_end.is_none() => return String::new(),
        Role::Unknown => "role unknown",
        role => role_name(role),
    };
    match report.completeness {
        Some(told) if report.role != Role::Seed => {
            // Never rounded up: 100 % is said of those only that have everything.
            let percent = u64::from(told.have) * 1000 / u64::from(told.pieces.max(1));
            format!("{role} {}.{} %", percent / 10, percent % 10)
        }
        _ => role.to_owned(),
    }
}

pub(super) fn role_name(role: Role) -> &'static str {
    Explanation::of(CodeKind::Role, role.code()).map_or(role.code(), |entry| entry.words)
}
