//! Peers that serve metadata (BEP 9) at their worst.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, FakeTracker, MetadataScript, Peer, Serving, TrackerScript, bencoding, hostile, peer_ip};
use serde_json::{Value, json};
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, info_hash_of};
use super::scenario::{Scenario, need, scenario};
use crate::report::Report;

/// Every scenario of metadata.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("metadata of three pieces", |fixture| {
        let info = info(3);
        let size = info.len();
        one(fixture, &info, MetadataScript::of(&info), json!({"status": "ok", "size_bytes": size, "pieces": 3}))
    }),
    scenario("every way to spoil metadata, each in a swarm with an honest peer", spoilt_with_an_honest_peer),
    scenario("every way to spoil metadata, each in a swarm of its own", spoilt_alone),
    scenario("metadata by three that each spoil a piece, and one honest peer", three_spoilers),
    scenario("metadata beyond 16 MiB", too_large)
        .needs(&[need("--limit metadata-size=4294967295", "no line on a metadata")]),
    scenario("metadata of 16 MiB for each of 12 links", twelve_links)
        .needs(&[need("--limit metadata-bytes=1000000000000", "it takes more than 110 MiB")]),
    scenario("metadata of 30 peers that are slow", thirty_slow_peers)
        .needs(&[need("--limit metadata-peers=1000", "peers are asked at once")]),
    scenario("metadata of a silent peer and a good one", silent_and_good)
        .needs(&[need("--limit metadata-hedge=60000", "is there after")]),
    scenario("metadata of a silent peer", silent)
        .needs(&[need("--limit metadata-time=60000 --deadline 60s", "it takes longer than")]),
    scenario("metadata, a byte a second", |fixture| {
        let info = info(1);
        let script = MetadataScript::of(&info).trickling(1, SECOND);
        Ok(one(fixture, &info, script, json!({"status": "timed_out", "pieces": 0}))?.within(SECOND * 15))
    }),
    scenario("metadata of which each piece comes just in time", |fixture| {
        let info = info(2);
        let script = MetadataScript::of(&info).delayed(Duration::from_millis(2500));
        one(fixture, &info, script, json!({"status": "ok", "pieces": 2}))
    }),
    scenario("metadata whose hash is right, and which is no torrent", |fixture| not_a_torrent(fixture, b"le".to_vec())),
    scenario("metadata that is a byte", |fixture| not_a_torrent(fixture, b"x".to_vec())),
    scenario("metadata of lists within lists", |fixture| not_a_torrent(fixture, deep())),
    scenario("metadata that is one pad of 15 MiB", |fixture| {
        not_a_torrent(fixture, bencoding::dictionary([("pad", bencoding::string(vec![b'p'; 15 << 20]))]))
    }),
    scenario("a torrent whose metadata has a pad of 15 MiB", |fixture| {
        let mut info = SingleFile::new("padded", 1_000_000).info();
        info.pop();
        info.extend([b"3:zzz".as_slice(), &bencoding::string(vec![b'p'; 15 << 20]), b"e"].concat());
        let wanted = json!({"status": "ok", "size_bytes": info.len()});
        Ok(one(fixture, &info, MetadataScript::of(&info), wanted)?.mebibytes(128))
    }),
    scenario("a private torrent's metadata", |fixture| {
        let info = SingleFile { private: true, ..SingleFile::new("private", 1_000_000) }.info();
        Ok(one(fixture, &info, MetadataScript::of(&info), json!({"status": "private"}))?.args("--allow-private"))
    }),
    scenario("a client that has no metadata and asks us", |fixture| {
        let script = MetadataScript::lacking().asking([0, 1, -1, i64::MAX]);
        one(fixture, &info(1), script, json!({"status": "no_peer_offers", "peers": [{"asked_us": true}]}))
    }),
];

const SECOND: Duration = Duration::from_secs(1);

/// Bytes of a piece of metadata.
const PIECE: usize = 16_384;

/// An info dictionary of so many pieces of metadata.
fn info(pieces: u64) -> Vec<u8> {
    // 20 bytes of a hash for each piece of the torrent.
    SingleFile { piece_length: 16_384, ..SingleFile::new("metadata", pieces * 16_384 * 800) }.info()
}

/// A good peer but for its metadata.
fn serving(script: MetadataScript) -> Peer {
    Peer::default().serving(Serving::metadata(script))
}

/// A swarm of these peers at addresses from the `first`, and a tracker that names them.
fn swarm(
    fixture: &Fixture,
    info: &[u8],
    first: u32,
    scripts: impl IntoIterator<Item = MetadataScript>,
) -> Result<(Arc<FakeSwarm>, Arc<FakeTracker>)> {
    let peers: Vec<(Ipv4Addr, Peer)> = (first..).map(peer_ip).zip(scripts.into_iter().map(serving)).collect();
    let swarm = fixture.swarm_of(info_hash_of(info), &peers)?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    Ok((swarm, tracker))
}

/// A run of a link to this info dictionary, and these peers; the line on metadata must have these values.
fn many(
    fixture: &Fixture,
    info: &[u8],
    scripts: impl IntoIterator<Item = MetadataScript>,
    wanted: Value,
) -> Result<(Case, Arc<FakeSwarm>)> {
    let (swarm, tracker) = swarm(fixture, info, 0, scripts)?;
    let row = Row::new("metadata", &fixture.link(info), 0).says(json!({"status": "ok"})).learns(wanted);
    Ok((Case::new(row).asks(&tracker).meets(&swarm), swarm))
}

/// The same with one peer.
fn one(fixture: &Fixture, info: &[u8], script: MetadataScript, wanted: Value) -> Result<Case> {
    Ok(many(fixture, info, [script], wanted)?.0)
}

/// A peer gives what it says, and the hash is right.
fn not_a_torrent(fixture: &Fixture, info: Vec<u8>) -> Result<Case> {
    let size = info.len();
    let case = one(
        fixture,
        &info,
        MetadataScript::of(&info),
        json!({"status": "not_a_torrent", "size_bytes": size, "peers": [{"standing": "asked"}]}),
    )?;
    // What is 15 MiB long is there twice while it is parsed.
    Ok(case.mebibytes(64 + 4 * u64::try_from(size >> 20).unwrap_or(0)))
}

/// Deeper than anything may be.
fn deep() -> Vec<u8> {
    [[b'l'; 100_000], [b'e'; 100_000]].concat()
}

/// The metadata lines of a run of several torrents, of which only the exit code is judged.
fn metadata_lines(report: &Report) -> Vec<Value> {
    let lines = report.said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["type"] == "metadata").collect()
}

/// A run of several links, each with a swarm of its own.
fn links<'i>(
    fixture: &Fixture,
    code: i32,
    swarms: impl IntoIterator<Item = (&'i [u8], Vec<MetadataScript>)>,
) -> Result<Case> {
    let mut case: Option<Case> = None;
    for ((info, scripts), number) in swarms.into_iter().zip(0..) {
        // An address of their own: there are few connections at once to one.
        let (swarm, tracker) = swarm(fixture, info, number * 10, scripts)?;
        let torrent = fixture.link_at(info, &tracker.announce_url());
        let file = torrent.file.display().to_string();
        let so_far = match case {
            None => Case::new(Row::new("many links", &torrent, code).in_text().args(["--json"])),
            Some(case) => case.row(|row| row.args([file])),
        };
        case = Some(so_far.knows(&tracker).meets(&swarm));
    }
    case.ok_or("no links".to_owned())
}

/// A torrent for each way to spoil metadata, by its name.
fn spoilt() -> Vec<(&'static str, Vec<u8>, MetadataScript)> {
    let of = |name| SingleFile { piece_length: 16_384, ..SingleFile::new(name, 16_384 * 1000) }.info();
    // The names are the same for each length of the info dictionary.
    let names = hostile::metadata(&info(1)).into_iter().map(|(name, _)| name);
    let spoilt = names.enumerate().filter_map(|(at, name)| {
        let info = of(name);
        let (_, script) = hostile::metadata(&info).into_iter().nth(at)?;
        Some((name, info, script))
    });
    spoilt.collect()
}

/// Each is learned all the same.
fn spoilt_with_an_honest_peer(fixture: &Fixture) -> Result<Case> {
    let spoilt = spoilt();
    let count = spoilt.len();
    let swarms =
        spoilt.iter().map(|(_, info, script)| (info.as_slice(), vec![script.clone(), MetadataScript::of(info)]));
    let case = links(fixture, 0, swarms)?.within(SECOND * 40);
    Ok(case.of_torrents(count).afterwards(move |report, _| {
        let lines = metadata_lines(report);
        let learned = |info: &[u8]| lines.iter().any(|line| line["info_hash"] == hex(info) && line["status"] == "ok");
        let missed = spoilt.iter().filter(|(_, info, _)| !learned(info));
        missed.map(|(name, ..)| format!("no metadata where an honest peer has it, and another: {name}")).collect()
    }))
}

/// None is learned, and each run ends.
fn spoilt_alone(fixture: &Fixture) -> Result<Case> {
    let spoilt = spoilt();
    let count = spoilt.len();
    let swarms = spoilt.iter().map(|(_, info, script)| (info.as_slice(), vec![script.clone()]));
    let case = links(fixture, 0, swarms)?.within(SECOND * 40);
    Ok(case.of_torrents(count).afterwards(move |report, _| {
        let lines = metadata_lines(report);
        let is_learned = |line: &Value| line["status"] == "ok" || line["status"] == "private";
        let of = |info: &[u8]| lines.iter().filter(|line| line["info_hash"] == hex(info)).collect::<Vec<_>>();
        let faults = spoilt.iter().filter_map(|(name, info, _)| match of(info).as_slice() {
            [line] if !is_learned(line) => None,
            others => Some(format!("{} lines on metadata of a peer with {name}: {others:?}", others.len())),
        });
        faults.collect()
    }))
}

/// The info-hash as reports have it.
fn hex(info: &[u8]) -> String {
    info_hash_of(info).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each gives right bytes but for one piece.
fn three_spoilers(fixture: &Fixture) -> Result<Case> {
    let info = info(6);
    let spoiler = |piece: i64| {
        MetadataScript::of(&info).edited(move |request, reply| {
            if request.piece == piece {
                reply.bytes.reverse();
            }
        })
    };
    let slow = MetadataScript::of(&info).delayed(Duration::from_millis(200));
    let scripts = [spoiler(0), spoiler(2), spoiler(5), slow];
    Ok(many(fixture, &info, scripts, json!({"status": "ok"}))?.0)
}

/// A peer that has 20 MiB of zeros.
fn too_large(fixture: &Fixture) -> Result<Case> {
    let script = MetadataScript::of(vec![0; 20 << 20]);
    one(fixture, &info(1), script, json!({"status": "too_large", "size_bytes": null}))
}

/// Each peer gives all of 16 MiB but the last piece.
fn twelve_links(fixture: &Fixture) -> Result<Case> {
    const LINKS: u8 = 12;
    const BYTES: usize = 16 << 20;
    let script = MetadataScript::of(vec![b'm'; BYTES]).silent_after(BYTES / PIECE - 1);
    let infos: Vec<_> = (0..LINKS).map(|number| vec![number; 100]).collect();
    let swarms = infos.iter().map(|info| (info.as_slice(), vec![script.clone()]));
    let case = links(fixture, 0, swarms)?.args("--deadline 12s").within(SECOND * 40).mebibytes(110);
    Ok(case.of_torrents(LINKS.into()))
}

/// Each takes 0.8 s a piece, so that none is overdue.
fn thirty_slow_peers(fixture: &Fixture) -> Result<Case> {
    const MOST: usize = 8;
    let info = info(40);
    let scripts = vec![MetadataScript::of(&info).delayed(Duration::from_millis(800)); 30];
    let (case, _) = many(fixture, &info, scripts, json!({"status": "ok"}))?;
    Ok(case.afterwards(move |report, _| {
        let peers = report.lines_of("metadata").filter_map(|line| line["peers"].as_array()).flatten();
        let asked: Vec<f64> = peers.filter_map(|peer| peer["asked_ms"].as_f64()).collect();
        let first = asked.iter().copied().fold(f64::INFINITY, f64::min);
        let early = asked.iter().filter(|at| **at < first + 600.0).count();
        Vec::from_iter((early > MOST).then(|| format!("{early} peers are asked at once, expected {MOST} at most")))
    }))
}

/// The silent one is asked first.
fn silent_and_good(fixture: &Fixture) -> Result<Case> {
    const MOST: f64 = 3000.0;
    let info = info(1);
    let good = Peer { delay: Duration::from_millis(300), ..serving(MetadataScript::of(&info)) };
    let peers = [(peer_ip(0), serving(MetadataScript::of(&info).silent())), (peer_ip(1), good)];
    let swarm = fixture.swarm_of(info_hash_of(&info), &peers)?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row =
        Row::new("a hedge", &fixture.link(&info), 0).says(json!({"status": "ok"})).learns(json!({"status": "ok"}));
    Ok(Case::new(row).asks(&tracker).meets(&swarm).afterwards(|report, _| {
        let took = report.lines_of("metadata").filter_map(|line| line["elapsed_ms"].as_f64());
        took.filter(|took| *took > MOST).map(|took| format!("the metadata is there after {took} ms")).collect()
    }))
}

fn silent(fixture: &Fixture) -> Result<Case> {
    let info = info(1);
    let wanted = json!({"status": "timed_out", "peers": [{"standing": "timed_out"}]});
    Ok(one(fixture, &info, MetadataScript::of(&info).silent(), wanted)?.within(SECOND * 15))
}
