//! Every way to aim the command at a victim, and what arrives there: each limit as its victim counts it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, Peer, TrackerScript, peer_ip};
use serde_json::json;
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, LENGTH};
use super::scenario::{Scenario, need, scenario};

/// Ports of one address that may be dialled on a stranger's word.
const PORTS: usize = 16;

/// Connections to one address at once.
const AT_ONCE: usize = 4;

/// Every scenario in which the command is aimed at a victim.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("64 peers at one address", crowded_address)
        .needs(&[need("--limit connections-per-address=1000", "at once"), need("--max-per-address 0", "is dialled")]),
    scenario("64 peers at one address, by the user's word", crowded_by_user),
    scenario("5,000 peers at one address", many_ports),
    scenario("three torrents of one address", three_torrents)
        .needs(&[need("--limit connections-per-address=1000", "at once")]),
    scenario("one peer by many names", one_peer_many_names),
    scenario("a peer that never sends a byte", twice_at_most),
    scenario("services on privileged ports", privileged).needs(&[need("--limit lowest-port=1", "it dials")]),
    scenario("the ports of the web, by a tracker's word", web),
    scenario("a privileged port, by the user's word", privileged_by_user),
    scenario("10,000 peers of one tracker", ten_thousand_peers).needs(&[need("--max-peers 0", "no line on a tracker")]),
    scenario("200 trackers at one address", trackers_at_one_address)
        .needs(&[need("--limit connections-per-address=1000", "at once"), need("--max-per-address 0", "trackers are")]),
    scenario("no more at once than the user wants", at_once),
];

/// The address of the victim.
const VICTIM: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);

/// A swarm at this address, with so many ports in all.
fn household(fixture: &Fixture, peer: Peer, ports: usize) -> Result<(Arc<FakeSwarm>, Vec<SocketAddr>)> {
    let (swarm, ports) = fixture.swarm_of_ports(&[(VICTIM, peer)], ports - 1)?;
    let endpoints = ports.into_iter().map(|port| SocketAddr::from((VICTIM, port))).collect();
    Ok((swarm, endpoints))
}

/// The victim's complaints: more connections than it may see, more at once, or fewer, which would prove nothing.
fn counted(case: Case, swarm: Arc<FakeSwarm>, all: usize, at_once: usize) -> Case {
    case.afterwards(move |_, _| {
        let counts = swarm.counts();
        let all = (counts.accepted != all)
            .then(|| format!("the victim is dialled {} times, expected {all}", counts.accepted));
        let at_once = (counts.peak != at_once)
            .then(|| format!("the victim has {} connections at once, expected {at_once}", counts.peak));
        all.into_iter().chain(at_once).collect()
    })
}

/// Named by a tracker, all of them silent: a quarter is dialled, and in turn.
fn crowded_address(fixture: &Fixture) -> Result<Case> {
    let (swarm, endpoints) = household(fixture, Peer::silent(), 4 * PORTS)?;
    let tracker = fixture.tracker(TrackerScript::peers(endpoints.iter().copied()))?;
    let sum = json!({"peers": 64, "outcomes": {"handshake_timeout": 16, "address_quota": 48}});
    let row = Row::new("one address", &fixture.torrent()?, 1).says(json!({"status": "ok"})).sums_up(sum);
    let case = Case::new(row).asks(&tracker).args("--handshake-timeout 500ms --encryption off");
    Ok(counted(endpoints.into_iter().fold(case, Case::dials_peer), swarm, PORTS, AT_ONCE))
}

/// A peer that the user names is dialled, and at once.
fn crowded_by_user(fixture: &Fixture) -> Result<Case> {
    let (swarm, endpoints) = household(fixture, Peer::silent(), 4 * PORTS)?;
    let row = Row::new("one address", &fixture.torrent()?, 1).sums_up(json!({"outcomes": {"handshake_timeout": 64}}));
    let mut case = Case::new(row).args("--sources none --handshake-timeout 2s --encryption off");
    for endpoint in &endpoints {
        case = case.args(&format!("--peer {endpoint}")).dials_peer(*endpoint);
    }
    Ok(counted(case, swarm, 4 * PORTS, 4 * PORTS))
}

/// Only some of them are there, and it is unknown which: as many ports are dialled.
fn many_ports(fixture: &Fixture) -> Result<Case> {
    let ports = (2000..7000).map(|port| SocketAddr::from((VICTIM, port)));
    let tracker = fixture.tracker(TrackerScript::peers(ports.clone()))?;
    let sum = json!({"peers": 5000, "outcomes": {"connect_refused": 16, "address_quota": 4984}});
    let row = Row::new("one address", &fixture.torrent()?, 1).says(json!({"status": "ok", "peers": 5000})).sums_up(sum);
    let case = Case::new(row).asks(&tracker);
    Ok(ports.fold(case, Case::dials_peer).afterwards(|_, seen| {
        let dialled = seen.dials.iter().filter(|to| to.ip() == VICTIM).count();
        Vec::from_iter((dialled != PORTS).then(|| format!("the victim is dialled {dialled} times, expected {PORTS}")))
    }))
}

/// In one run; what all of them do together counts.
fn three_torrents(fixture: &Fixture) -> Result<Case> {
    let (swarm, endpoints) = household(fixture, Peer::silent(), PORTS)?;
    let tracker = fixture.tracker(TrackerScript::peers(endpoints.iter().copied()))?;
    let url = tracker.announce_url();
    let torrent = |name: &'static str| SingleFile { announce: Some(&url), ..SingleFile::new(name, LENGTH) };
    let others = [fixture.torrent_of(&torrent("second"))?, fixture.torrent_of(&torrent("third"))?];
    let row = Row::new("three torrents", &fixture.torrent_of(&torrent("first"))?, 1).in_text();
    let row = row.args(others.iter().map(|torrent| torrent.file.display().to_string()));
    let case = Case::new(row).knows(&tracker).args("--handshake-timeout 500ms --encryption off");
    let case = endpoints.into_iter().fold(case, Case::dials_peer).of_torrents(3);
    Ok(counted(case, swarm, 3 * PORTS, AT_ONCE))
}

/// By two trackers, twice by each, mapped into IPv6, and by the user.
fn one_peer_many_names(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm(&[(VICTIM, Peer::default())])?;
    let endpoint = swarm.addr(VICTIM);
    let mapped = SocketAddr::from((VICTIM.to_ipv6_mapped(), endpoint.port()));
    let names = [SocketAddr::from(endpoint), mapped, endpoint.into(), mapped];
    let row = Row::new("one peer", &fixture.torrent()?, 0).finds([(endpoint, "ok")]);
    let mut case = Case::new(row).meets(&swarm).args(&format!("--peer {endpoint} --peer localhost:1"));
    for _ in 0..2 {
        let tracker = fixture.tracker(TrackerScript::peers(names))?;
        case = case.asks(&tracker).row(|row| row.says(json!({"status": "ok"})));
    }
    let case = case.row(|row| row.finds([(endpoint.to_string(), "ok"), ("127.0.0.1:1".to_owned(), "connect_refused")]));
    Ok(counted(case.dials_peer(([127, 0, 0, 1], 1)), swarm, 1, 1))
}

/// Once in the clear and once encrypted, and never again.
fn twice_at_most(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm(&[(VICTIM, Peer::closing_on_accept())])?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row = Row::new("one peer", &fixture.torrent()?, 1).says(json!({"status": "ok"}));
    let row = row.finds([(swarm.addr(VICTIM), "closed_before_handshake")]);
    Ok(counted(Case::new(row).asks(&tracker).meets(&swarm), swarm, 2, 1))
}

/// Mail, shells, names: none of them is a peer.
fn privileged(fixture: &Fixture) -> Result<Case> {
    let services = [1, 22, 25, 53, 1023].map(|port| SocketAddr::from((VICTIM, port)));
    let tracker = fixture.tracker(TrackerScript::peers(services))?;
    let row = Row::new("services", &fixture.torrent()?, 1).says(json!({"status": "ok"}));
    let row = row.finds(services.map(|service| (service, "invalid_address")));
    Ok(Case::new(row).asks(&tracker))
}

/// Seeds listen there. Nothing does here.
fn web(fixture: &Fixture) -> Result<Case> {
    let seeds = [80, 443].map(|port| SocketAddr::from((VICTIM, port)));
    let tracker = fixture.tracker(TrackerScript::peers(seeds))?;
    let row = Row::new("web ports", &fixture.torrent()?, 1).says(json!({"status": "ok"}));
    let case = Case::new(row.finds(seeds.map(|seed| (seed, "connect_refused")))).asks(&tracker);
    Ok(seeds.into_iter().fold(case, Case::dials_peer))
}

fn privileged_by_user(fixture: &Fixture) -> Result<Case> {
    let row = Row::new("a service", &fixture.torrent()?, 1).finds([("127.9.9.9:1", "connect_refused")]);
    let case = Case::new(row).args("--sources none --peer 127.9.9.9:1");
    Ok(case.dials_peer((VICTIM, 1)))
}

fn ten_thousand_peers(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm(&[(VICTIM, Peer::refusing())])?;
    let port = swarm.addr(VICTIM).port();
    let peers = (0..10_000).map(|number| SocketAddr::from((peer_ip(number), port)));
    let tracker = fixture.tracker(TrackerScript::peers(peers))?;
    let row =
        Row::new("10,000 peers", &fixture.torrent()?, 1).says(json!({"status": "ok", "peers": 5000, "left_out": 5000}));
    Ok(Case::new(row).asks(&tracker).keeps(swarm).dials_port(port).args("--deadline 5m"))
}

/// Their ports are silent, and asked in turn.
fn trackers_at_one_address(fixture: &Fixture) -> Result<Case> {
    let (swarm, endpoints) = household(fixture, Peer::closing(), 200)?;
    let urls: Vec<String> = endpoints.iter().map(|endpoint| format!("http://{endpoint}/announce")).collect();
    let announce_list = urls.iter().map(|url| vec![url.as_str()]).collect();
    let torrent = fixture.torrent_of(&SingleFile { announce_list, ..SingleFile::new("trackers", LENGTH) })?;
    let row = Row::new("200 trackers", &torrent, 3).tells(json!({"closed": 16, "not_asked": 184}));
    let case = endpoints.into_iter().fold(Case::new(row), Case::dials_tracker);
    let counts = Arc::clone(&swarm);
    // A scrape owes no goodbyes, which have a bound of their own.
    Ok(case.args("--scrape").keeps(swarm).afterwards(move |_, _| {
        let peak = counts.counts().peak;
        Vec::from_iter(
            (peak > AT_ONCE).then(|| format!("the victim has {peak} connections at once, expected {AT_ONCE} at most")),
        )
    }))
}

fn at_once(fixture: &Fixture) -> Result<Case> {
    let peers: Vec<_> = (0..50).map(|number| (peer_ip(number), Peer::silent())).collect();
    let (swarm, _) = fixture.swarm_of_ports(&peers, 0)?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row = Row::new("50 peers", &fixture.torrent()?, 1).says(json!({"status": "ok"}));
    let row = row.sums_up(json!({"outcomes": {"handshake_timeout": 50}}));
    let case = Case::new(row).asks(&tracker).meets(&swarm);
    let case = case.args("--concurrency 10 --handshake-timeout 500ms --encryption off");
    Ok(counted(case, swarm, 50, 10))
}
