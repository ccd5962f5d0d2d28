//! The rows: which swarm is asked how, and what each client is to be reported as.

use std::net::{Ipv6Addr, TcpStream};

use serde_json::{Map, Value, json};
use xtask::shell::Result;

use super::acquaintance;
use super::clients::{Client, Met};
use super::policies::{Policy, Takes};
use super::swarms::{Player, Swarms};
use super::torrents::{Kind, PIECES};
use crate::integration::prober::Prober;
use crate::integration::row::Row;
use crate::integration::torrents::{Torrent, info_length, link};

/// The clients take no uTP, and where TCP fails we would try it. Clients that do are in `utp`.
const TCP_ALONE: [&str; 4] = ["--sources", "none", "--transport", "tcp"];

/// All that seed version 1, with each policy.
pub(super) fn policies(swarms: &Swarms) -> Result<Vec<Row>> {
    let mut rows = vec![seeds_listed(swarms)?];
    for policy in [Policy::Prefer, Policy::Require, Policy::Off] {
        rows.push(named(swarms, Kind::V1, Met::Listed, policy)?);
    }
    Ok(rows)
}

/// The other swarms, and what else there is to be asked of this one. The connections are those of an acquaintance.
pub(super) fn swarms(swarms: &Swarms, prober: &Prober) -> Result<(Vec<Row>, Vec<TcpStream>)> {
    let (known_already, acquaintances) = known_already(swarms, prober)?;
    let mut rows = vec![
        known_already,
        handshakes_alone(swarms)?,
        paused(swarms)?,
        unknown(swarms)?,
        v2_listed(swarms)?,
        hybrid_listed(swarms)?,
        named(swarms, Kind::Hybrid, Met::Listed, Policy::Require)?,
        leechers_listed(swarms)?,
        leechers_and_a_seed(swarms)?,
        hidden_listed(swarms)?,
    ];
    for kind in [Kind::V1, Kind::V2, Kind::Hybrid] {
        rows.push(named(swarms, kind, Met::SecretV6, Policy::PreferPlain)?.from(Ipv6Addr::LOCALHOST));
    }
    Ok((rows, acquaintances))
}

/// The tracker is asked, with the default policy.
fn listed(swarms: &Swarms, kind: Kind) -> Result<Row> {
    let row = Row::new(format!("{kind:?}, listed"), swarms.torrents.of(kind)?, 0);
    let row = row.tracker(swarms.opentracker.url("http"));
    Ok(swarms.players(kind, Met::Listed).fold(row, |row, player| {
        row.finds_one_of(player.address, lines(player, kind, Policy::PreferPlain, "tcp", true))
    }))
}

/// The clients are named to us, with a policy.
fn named(swarms: &Swarms, kind: Kind, met: Met, policy: Policy) -> Result<Row> {
    let row = Row::new(format!("{kind:?}, {met:?}, {policy:?}"), swarms.torrents.of(kind)?, 0);
    let row = row.args(TCP_ALONE).args(["--encryption", policy.argument()]);
    Ok(swarms.players(kind, met).fold(row, |row, player| names(row, player, lines(player, kind, policy, "tcp", false))))
}

/// Each client that has a torrent alone, by a link to it: all that the torrent says is learned from it, and what it said before
/// is judged by that.
pub(super) fn by_link(swarms: &Swarms, kind: Kind) -> Result<Vec<Row>> {
    let torrent = swarms.torrents.of(kind)?;
    let mut learned = json!({"status": "ok"});
    // Of others something comes after the info dictionary.
    if !matches!(kind, Kind::V2 | Kind::Hybrid) {
        let (bytes, piece) = (info_length(torrent)?, 16 << 10);
        learned = merged([learned, json!({"size_bytes": bytes, "pieces": bytes.div_ceil(piece)})]);
    }
    let row = |player: &Player, hash: &str| {
        let link = link(&Torrent { info_hash: hash.to_owned(), ..torrent.clone() }, &[]);
        let row = Row::new(format!("{kind:?}, by its link, {}", player.client.seed.name), &link, 0);
        let gives = player.client.seed.name != "ctorrent";
        let from = json!({"peers": [{"address": player.address.to_string(), "standing": "asked"}]});
        let nothing = || vec![json!({"outcome": "ok", "completeness": null})];
        let mut lines = if gives { lines(player, kind, Policy::PreferPlain, "tcp", false) } else { nothing() };
        // A hash alone does not tell which half of a torrent it is; the metadata does.
        let is_v2 = kind == Kind::V2 || torrent.other_hash.as_deref() == Some(hash);
        let matched = lines.iter_mut().filter_map(|line| line.get_mut("matched_hash")).filter(|half| half.is_string());
        matched.for_each(|half| *half = json!(if is_v2 { "v2" } else { "v1" }));
        let row = names(row.args(["--sources", "none"]), player, lines);
        row.learns(if gives { merged([learned.clone(), from]) } else { json!({"status": "no_peer_offers"}) })
    };
    let rows = swarms.players(kind, Met::Listed).map(|player| row(player, &torrent.info_hash));
    let v2 = torrent.other_hash.as_deref().into_iter().flat_map(|hash| {
        let know_it = swarms.players(kind, Met::Listed).filter(|player| player.client.knows_v2());
        know_it.map(move |player| row(player, hash))
    });
    Ok(rows.chain(v2).collect())
}

/// Each client that has a private torrent, by a link to it. Most offer no metadata of it; aria2 and rTorrent do.
pub(super) fn private_by_link(swarms: &Swarms) -> Result<Vec<Row>> {
    let link = link(swarms.torrents.of(Kind::Private)?, &[]);
    let rows = swarms.players(Kind::Private, Met::Listed).map(|player| {
        let client = player.client.seed.client;
        let gives = ["aria2", "rTorrent"].contains(&client);
        let row = Row::new(format!("private, by its link, {}", player.client.seed.name), &link, 0);
        let row = row.args(["--sources", "none", "--allow-private"]);
        let row = names(row, player, vec![json!({"outcome": "ok", "client": client})]);
        row.learns(json!({"status": if gives { "private" } else { "no_peer_offers" }}))
    });
    Ok(rows.collect())
}

/// Each client that was given a link and waits for metadata, by the same link. Those of libtorrent ask us, and are still there
/// after we have rejected that; others ask those who say that they have metadata.
pub(super) fn without_metadata(swarms: &Swarms) -> Result<Vec<Row>> {
    let link = link(swarms.torrents.of(Kind::Unknown)?, &[]);
    let rows = swarms.players(Kind::Unknown, Met::Secret).map(|player| {
        let seed = &player.client.seed;
        let row = Row::new(format!("a link that a client has too, {}", seed.name), &link, 0);
        let line = json!({"outcome": "ok", "client": seed.client, "error": null});
        let line = merged([line, (player.client.says)(player.address.port())]);
        let row = names(row.args(["--sources", "none"]), player, vec![line]);
        let asks = ["libtorrent", "qBittorrent"].contains(&seed.client);
        row.learns(json!({"status": "no_peer_offers", "peers": [{"standing": "no_size", "asked_us": asks}]}))
    });
    Ok(rows.collect())
}

/// Names a client to us, which is to be found with one of these lines.
pub(super) fn names(row: Row, player: &Player, lines: Vec<Value>) -> Row {
    row.args(["--peer", &player.address.to_string()]).finds_one_of(player.address, lines)
}

/// Every client that has the torrent of version 1, and what they come to.
fn seeds_listed(swarms: &Swarms) -> Result<Row> {
    let number = swarms.players(Kind::V1, Met::Listed).count();
    let copies = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    Ok(listed(swarms, Kind::V1)?.says(json!({"status": "ok", "peers": number})).sums_up(json!({
        "roles": {"seed": number}, "copies_min": copies, "copies_max": copies, "missing_pieces": 0, "missing_files": [],
        "claimed_seeds": number, "verified_seeds": number, "unseen_seeds": null,
        "coverage": {"named": number, "reached": number, "with_piece_info": number, "list_complete": true}
    })))
}

/// Every client that has the torrent of version 2.
fn v2_listed(swarms: &Swarms) -> Result<Row> {
    let number = swarms.players(Kind::V2, Met::Listed).count();
    let says = json!({"status": "ok", "announced_hash": swarms.torrents.of(Kind::V2)?.info_hash, "peers": number});
    Ok(listed(swarms, Kind::V2)?.says(says).sums_up(json!({"peers": number, "ok": number, "verified_seeds": number})))
}

/// The same without listening after the handshake.
fn handshakes_alone(swarms: &Swarms) -> Result<Row> {
    let row =
        Row::new("handshakes alone", swarms.torrents.of(Kind::V1)?, 0).args(["--sources", "none", "--linger", "0"]);
    let nothing_said = json!({
        "matched_hash": "v1", "role": "unknown", "role_from": "nothing_said", "completeness": null, "extension": null
    });
    Ok(swarms.players(Kind::V1, Met::Listed).fold(row, |row, player| {
        let attempts = Policy::PreferPlain.with(player.client.takes);
        names(row, player, attempts.values("tcp").map(|values| merged([values, nothing_said.clone()])).collect())
    }))
}

/// A client that has stopped the torrent answers as if it did not have it.
fn paused(swarms: &Swarms) -> Result<Row> {
    let row = Row::new("paused", swarms.torrents.of(Kind::V1)?, 1).args(TCP_ALONE);
    let line = turned_away("has its torrents stopped");
    Ok(swarms.players(Kind::V1, Met::Paused).fold(row, |row, player| names(row, player, vec![line.clone()])))
}

/// A torrent that no client has.
fn unknown(swarms: &Swarms) -> Result<Row> {
    let row = Row::new("unknown", swarms.torrents.of(Kind::Unknown)?, 1).args(TCP_ALONE);
    Ok(swarms.players(Kind::V1, Met::Listed).fold(row, |row, player| {
        let mut lines =
            ["does not have it", "does not have this torrent", "does not have the torrent"].map(turned_away).to_vec();
        if player.client.seed.name == "ctorrent" {
            // It may have spoken before it reads that we ask for another torrent than its own, of which it knows one.
            lines.push(json!({"outcome": "wrong_info_hash", "attempts": [{"encryption": "none"}]}));
        }
        names(row, player, lines)
    }))
}

/// What is said of a client that closes, whatever is tried; the hint names the cause among others.
fn turned_away(cause: &str) -> Value {
    json!({
        "outcome": "closed_before_handshake", "encryption": "none", "bytes_received": 0, "hint": cause,
        "attempts": [
            {"encryption": "none", "outcome": "closed_before_handshake"}, {"encryption": "rc4", "stage": "handshake"}
        ]
    })
}

/// Both halves of a hybrid torrent are asked about; each client is met once, whichever half it knows.
fn hybrid_listed(swarms: &Swarms) -> Result<Row> {
    let torrent = swarms.torrents.of(Kind::Hybrid)?;
    let all = swarms.players(Kind::Hybrid, Met::Listed).count();
    let know_v2 = swarms.players(Kind::Hybrid, Met::Listed).filter(|player| player.client.knows_v2()).count();
    let row = listed(swarms, Kind::Hybrid)?
        .says(json!({"status": "ok", "announced_hash": torrent.info_hash, "peers": all}))
        .says(json!({"status": "ok", "announced_hash": torrent.other_hash, "peers": know_v2}));
    Ok(row.sums_up(json!({"peers": all, "ok": all, "verified_seeds": all})))
}

/// Leechers that have everything between them but the last piece, which is one of the last file.
fn leechers_listed(swarms: &Swarms) -> Result<Row> {
    let number = swarms.players(Kind::Partial, Met::Listed).count();
    // Two have the first four pieces, one the next five.
    Ok(listed(swarms, Kind::Partial)?.says(json!({"status": "ok", "seeders": 0})).sums_up(json!({
        "roles": {"leech": 3}, "copies_min": 0.9, "copies_max": 0.9,
        "missing_pieces": 1, "missing_piece_ranges": [[9, 9]], "missing_files": ["last.bin"],
        "claimed_seeds": 0, "verified_seeds": 0, "unseen_seeds": null,
        "coverage": {"named": number, "reached": number, "with_piece_info": 3, "empty": 1, "list_complete": true}
    })))
}

/// The same leechers, and a seed that no tracker knows.
fn leechers_and_a_seed(swarms: &Swarms) -> Result<Row> {
    let row = named(swarms, Kind::Partial, Met::Listed, Policy::PreferPlain)?;
    let seed = |row, player| names(row, player, lines(player, Kind::Partial, Policy::PreferPlain, "tcp", false));
    let row = swarms.players(Kind::Partial, Met::Secret).fold(row, seed);
    Ok(row.sums_up(json!({
        "roles": {"leech": 3, "seed": 1}, "copies_min": 1.9, "copies_max": 1.9,
        "missing_pieces": 0, "missing_piece_ranges": [], "missing_files": [],
        "claimed_seeds": null, "verified_seeds": 1
    })))
}

/// A seed that hides what it has: everything may be there, or nothing.
fn hidden_listed(swarms: &Swarms) -> Result<Row> {
    Ok(listed(swarms, Kind::Hidden)?.says(json!({"status": "ok", "seeders": 1})).sums_up(json!({
        "roles": {"super_seed": 1}, "copies_min": 0.0, "copies_max": 1.0, "missing_pieces": null, "missing_files": null,
        "claimed_seeds": 1, "verified_seeds": 0, "unseen_seeds": null, "coverage": {"with_piece_info": 0, "list_complete": true},
        "verdict": "seeds_unverified"
    })))
}

/// Another client at our address is connected already, and most clients accept one connection from an address.
fn known_already(swarms: &Swarms, prober: &Prober) -> Result<(Row, Vec<TcpStream>)> {
    let (ip, torrent) = (prober.fresh_source(), swarms.torrents.of(Kind::V1)?);
    let takes_many = |player: &Player| player.client.seed.name == "aria2";
    // Without it there is no answer.
    let code = if swarms.players(Kind::V1, Met::Listed).any(takes_many) { 0 } else { 1 };
    let row = Row::new("known already", torrent, code).args(TCP_ALONE).from(ip);
    let (mut row, mut acquaintances) = (row, vec![]);
    for player in swarms.players(Kind::V1, Met::Listed) {
        if player.client.takes == Takes::Encryption {
            // Acquaintances speak plaintext.
            continue;
        }
        acquaintances.push(acquaintance::stay(ip, player.address, &torrent.info_hash)?);
        let turned_away = || ["another connection from our address", "knows us already"].map(turned_away).to_vec();
        let lines =
            if takes_many(player) { lines(player, Kind::V1, Policy::PreferPlain, "tcp", false) } else { turned_away() };
        row = names(row, player, lines);
    }
    Ok((row, acquaintances))
}

/// What the line on a client that was reached over this transport must have, one of these; `listed` when a tracker names it.
pub(super) fn lines(player: &Player, kind: Kind, policy: Policy, transport: &'static str, listed: bool) -> Vec<Value> {
    let client = &player.client;
    let attempts = policy.with(client.takes);
    let (encryption, outcome) = attempts.reported();
    if outcome != "ok" {
        let nothing = json!({
            "matched_hash": null, "client": null, "role": "unknown", "role_from": "nothing_said", "completeness": null,
            "extension": null
        });
        return attempts.values(transport).map(|values| merged([values, nothing.clone()])).collect();
    }
    let line = |values: Value, matched: &&str| {
        let general = json!({
            "stage": "done", "matched_hash": matched, "client": client.seed.client,
            "completeness": {"have": client.pieces, "pieces": PIECES}, "error": null
        });
        merged([values, general, (client.says)(player.address.port())])
    };
    let matched = matched(client, kind, encryption == "rc4", listed);
    attempts.values(transport).flat_map(|values| matched.iter().map(move |half| line(values.clone(), half))).collect()
}

/// Which half of a torrent a client answers with.
fn matched(client: &Client, kind: Kind, encrypted: bool, listed: bool) -> &'static [&'static str] {
    match (kind, encrypted, listed) {
        (Kind::V2, ..) => &["v2"],
        (Kind::Hybrid, false, _) if client.knows_v2() => &["v2"],
        // Encryption names the torrent before the handshake does, and libtorrent does not go over to the other half
        // after that. So it is the half we came for: that of the tracker's list which came first.
        (Kind::Hybrid, true, true) if client.knows_v2() => &["v1", "v2"],
        _ => &["v1"],
    }
}

/// One object with all values; of two for one key, the last.
pub(super) fn merged<const N: usize>(objects: [Value; N]) -> Value {
    let maps = objects.into_iter().filter_map(|object| match object {
        Value::Object(map) => Some(map),
        _ => None,
    });
    Value::Object(maps.flatten().collect::<Map<String, Value>>())
}
