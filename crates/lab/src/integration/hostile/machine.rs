//! The machine at its worst: no descriptors, no reader, a clock that jumps.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::{FakeSwarm, Peer, TrackerScript, peer_ip};
use serde_json::json;
use xtask::optional;
use xtask::shell::Result;

use super::super::row::Row;
use super::super::section::Part;
use super::super::watch::Stdout;
use super::case::Case;
use super::fixture::Fixture;
use super::scenario::{Scenario, scenario};

/// The scenarios in which a process has a time of its own.
pub(in super::super) const CLOCKS: Part = ("clocks that jump", &[&optional::FAKETIME]);

/// Every scenario in which the machine does not do what it usually does.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("few descriptors", |fixture| descriptors(fixture, 40, 60)),
    scenario("hardly any descriptors", |fixture| descriptors(fixture, 16, 4)),
    scenario("no descriptors", |fixture| no_descriptors(fixture, 7)),
    scenario("little memory for the address space", little_memory),
    scenario("a reader that has gone", |fixture| unread(fixture, Stdout::Closed, 0)),
    scenario("a device that is full", |fixture| unread(fixture, Stdout::Full, 2)),
    scenario("a clock that jumps ten years ahead", |fixture| clock(fixture, "+10y")).in_part(CLOCKS),
    scenario("a clock that jumps ten years back", |fixture| clock(fixture, "-10y")).in_part(CLOCKS),
    scenario("a clock that says 1970", |fixture| clock(fixture, "1970-01-01 00:00:01")).in_part(CLOCKS),
];

/// A tracker with so many silent peers.
fn silent_peers(fixture: &Fixture, count: u32) -> Result<(Case, Arc<FakeSwarm>)> {
    let peers: Vec<_> = (0..count).map(|number| (peer_ip(number), Peer::silent())).collect();
    let swarm = fixture.swarm(&peers)?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row = Row::new("silent peers", &fixture.torrent()?, 1).says(json!({"status": "ok"}));
    let row = row.sums_up(json!({"peers": count, "outcomes": {"handshake_timeout": count}}));
    let case = Case::new(row).asks(&tracker).meets(&swarm).args("--handshake-timeout 2s --encryption off");
    Ok((case, swarm))
}

/// Fewer than connections are wanted: all peers are tried, in turn.
fn descriptors(fixture: &Fixture, most: u32, peers: u32) -> Result<Case> {
    Ok(silent_peers(fixture, peers)?
        .0
        .args("--concurrency 1000")
        .under(["prlimit".to_owned(), format!("--nofile={most}:{most}")]))
}

/// Not even a run.
fn no_descriptors(fixture: &Fixture, most: u32) -> Result<Case> {
    let row = Row::new("no descriptors", &fixture.torrent()?, 2).complains("bt-handshake: ");
    Ok(Case::new(row)
        .args("--sources none --peer 127.0.0.1:1")
        .under(["prlimit".to_owned(), format!("--nofile={most}:{most}")]))
}

/// Less than an allocator takes in one piece without thinking.
fn little_memory(fixture: &Fixture) -> Result<Case> {
    Ok(silent_peers(fixture, 100)?.0.under(["prlimit", "--as=500000000"]))
}

/// Without a reader every tracker still gets its `stopped`.
fn unread(fixture: &Fixture, stdout: Stdout, code: i32) -> Result<Case> {
    let swarm = fixture.swarm(&[(peer_ip(0), Peer::default()), (peer_ip(1), Peer::silent())])?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row = Row::new("no reader", &fixture.torrent()?, code);
    Ok(Case::new(row).asks(&tracker).meets(&swarm).writing(stdout))
}

/// Jumps in the middle of a run, for this process alone. What passes meanwhile is measured by another clock.
fn clock(fixture: &Fixture, to: &'static str) -> Result<Case> {
    let file = fixture.file("clock");
    xtask::scratch::write(&file, "+0")?;
    let (case, swarm) = silent_peers(fixture, 3)?;
    let named = |name: &str, value: &Path| format!("{name}={}", value.display());
    let preload = named("LD_PRELOAD", &optional::faketime().ok_or("libfaketime is not installed")?);
    let clock = named("FAKETIME_TIMESTAMP_FILE", &file);
    let case = case.under(["env", &preload, &clock, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]);
    let (runtime, next) = (fixture.runtime(), fixture.file("next"));
    let case = case.meanwhile(move |_| {
        if !runtime.block_on(swarm.wait_for(|counts| counts.accepted == 3, Duration::from_secs(20))) {
            return Err("the peers are not dialled".to_owned());
        }
        // In one go: half a file is no time.
        xtask::scratch::write(&next, to)?;
        std::fs::rename(&next, &file).map_err(|error| format!("the clock does not jump: {error}"))
    });
    Ok(case.afterwards(|report, seen| {
        let told = report.lines_of("summary").filter_map(|line| line["elapsed_ms"].as_f64()).sum::<f64>();
        let took = seen.took.as_secs_f64() * 1000.0;
        Vec::from_iter((told < 2000.0 || told > took).then(|| format!("it says it took {told} ms, and it took {took}")))
    }))
}
