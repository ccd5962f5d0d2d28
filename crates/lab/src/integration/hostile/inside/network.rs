//! A network that is not what it should be: without source ports, without IPv6, without routes. One scenario at a time,
//! because each changes it for all.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::{FakeSwarm, NodeScript, Peer, TrackerScript, UdpScript, peer_ip};
use serde_json::{Value, json};
use xtask::scratch::write;
use xtask::shell::Result;

use super::super::super::fakes::{self, Dialled, everywhere};
use super::super::super::namespace;
use super::super::super::row::Row;
use super::super::super::watch::Seen;
use super::super::case::Case;
use super::super::fixture::{Fixture, local};
use super::super::scenario::{Scenario, scenario};
use crate::report::Report;

/// Every scenario that changes the network.
pub(in super::super) const SCENARIOS: &[Scenario] = &[
    scenario("no source port, not even one to announce", no_source_port),
    scenario("a source port to announce, and no other", one_source_port),
    scenario("200 peers, 5 source ports", few_source_ports),
    scenario("40 torrents that meet at one peer, 7 source ports", a_peer_of_many_torrents),
    scenario("IPv6 switched off", without_ipv6),
    scenario("no route to the wide world", no_route),
    scenario("no route to any address", no_route_at_all),
    scenario("loopback switched off", loopback_switched_off),
    scenario("loopback without its address", loopback_without_address),
    scenario("no source port for a DHT", no_port_for_dht),
    scenario("a DHT of IPv6 only", dht_of_ipv6),
    scenario("a source address that is not ours", |fixture| not_ours(fixture, Ipv4Addr::new(11, 99, 0, 9).into())),
    scenario("a source address of IPv6 that is not ours", |fixture| not_ours(fixture, FAR6.into())),
];

/// Addresses that no interface has and no route leads to.
const FAR: Ipv4Addr = Ipv4Addr::new(11, 99, 0, 1);
const FAR6: Ipv6Addr = Ipv6Addr::new(0x2600, 0x99, 0, 0, 0, 0, 0, 1);

/// A closed port that need not be open.
const PORT: u16 = 6881;

/// The first source port that there is, and how many there are: below those that the kernel usually gives out, and others
/// each time, because some stay taken for a minute.
const FIRST_PORT: usize = 20_000;
const PORTS: usize = 8;

/// Those who answer have nothing more to say.
const BRIEFLY: [&str; 2] = ["--linger", "100ms"];

/// A setting of the namespace's kernel, until it is dropped.
struct Setting {
    file: &'static Path,
    before: String,
}

impl Setting {
    fn new(file: &'static str, value: &str) -> Result<Self> {
        let file = Path::new(file);
        let before = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        write(file, value)?;
        Ok(Self { file, before })
    }

    /// So many source ports; all others are in use.
    fn ports(fixture: &Fixture, free: usize) -> Result<(Self, Vec<TcpListener>)> {
        let first = FIRST_PORT + fixture.number() % 1000 * PORTS;
        let range = format!("{first} {}", first + PORTS - 1);
        let setting = Self::new("/proc/sys/net/ipv4/ip_local_port_range", &range)?;
        let held = (first..first + PORTS).skip(free).map(|port| {
            let port = port.try_into().map_err(|_| "there are 65,535 ports")?;
            TcpListener::bind(everywhere(port)).map_err(|error| format!("port {port} cannot be held: {error}"))
        });
        Ok((setting, held.collect::<Result<_>>()?))
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        if let Err(reason) = write(self.file, &self.before) {
            eprintln!("{reason}");
        }
    }
}

/// The loopback interface switched off, until it is dropped.
struct LoopbackOff;

impl LoopbackOff {
    fn new() -> Result<Self> {
        namespace::ip(["link", "set", "lo", "down"]).map(|()| Self)
    }
}

impl Drop for LoopbackOff {
    fn drop(&mut self) {
        if let Err(reason) = namespace::ip(["link", "set", "lo", "up"]) {
            eprintln!("{reason}");
        }
    }
}

/// The loopback interface without its usual address, until it is dropped.
struct LoopbackLost;

const LOOPBACK: &str = "127.0.0.1/8";

impl LoopbackLost {
    fn new() -> Result<Self> {
        namespace::ip(["address", "delete", LOOPBACK, "dev", "lo"]).map(|()| Self)
    }
}

impl Drop for LoopbackLost {
    fn drop(&mut self) {
        if let Err(reason) = namespace::add_network(LOOPBACK) {
            eprintln!("{reason}");
        }
    }
}

/// Of a tracker or a peer for which this machine has no source port left, and to which it has no route.
const NO_PORT: &str = "local_limit";
const NO_ROUTE: &str = "no_route";

/// The peers are not blamed: all of them end with this code, and a hint on our own machine.
fn none_is_blamed(row: Row, code: &str, peers: impl IntoIterator<Item = SocketAddr>) -> Row {
    let hint = if code == NO_ROUTE { "this machine has no route there" } else { "our own machine" };
    let expected = json!({"outcome": code, "stage": "connect", "hint": hint});
    peers.into_iter().fold(row, |row, peer| row.finds_one_of(peer, vec![expected.clone()]))
}

/// A few good peers.
fn few(fixture: &Fixture) -> Result<Arc<FakeSwarm>> {
    fixture.swarm(&[0, 1, 2].map(|number| (peer_ip(number), Peer::default())))
}

fn no_source_port(fixture: &Fixture) -> Result<Case> {
    let peer = local(PORT);
    let row =
        Row::new("no port", &fixture.torrent()?, 2).anywhere().args(["--sources", "none", "--peer", &peer.to_string()]);
    Ok(Case::new(row.complains("cannot bind :: port 0")).afterwards(one_line).keeps(Setting::ports(fixture, 0)?))
}

/// The announced port is bound for TCP, and all ports of UDP are in use; peers are met all the same.
fn no_port_for_dht(fixture: &Fixture) -> Result<Case> {
    let swarm = few(fixture)?;
    let row = found(Row::new("no port for a DHT", &fixture.torrent()?, 0).args(BRIEFLY).anywhere(), &swarm);
    let row = row.looks_up(json!({"status": "local_limit", "queries": 0})).args(["--dht-node", "127.64.0.7:6881"]);
    let row = swarm.endpoints().iter().fold(row, |row, peer| row.args(["--peer", &peer.to_string()]));
    let (setting, tcp) = Setting::ports(fixture, PORTS)?;
    let failed = |error: std::io::Error| format!("ports cannot be held: {error}");
    let udp = (0..PORTS).map(|_| UdpSocket::bind(everywhere(0)).map_err(failed)).collect::<Result<Vec<_>>>()?;
    Ok(Case::new(row).meets(&swarm).keeps((setting, tcp, udp)))
}

/// Loopback has no address of IPv4: a node of each family, of which one is reached, and a peer that it names.
fn dht_of_ipv6(fixture: &Fixture) -> Result<Case> {
    let peer = SocketAddr::from((Ipv6Addr::LOCALHOST, fakes::peer(everywhere(0), &Dialled::default())?));
    let script = NodeScript::default().storing(fixture.info_hash(), [peer]);
    let node = fixture.node(Ipv6Addr::LOCALHOST, [1; 20], script)?;
    let other = local(PORT);
    let nodes = [node.addr(), other];
    let row = Row::new("a DHT of IPv6", &fixture.torrent()?, 0).args(BRIEFLY).anywhere().finds([(peer, "ok")]);
    let row = row.looks_up(json!({"family": "ipv4", "status": "no_route"}));
    let row = row.looks_up(json!({"family": "ipv6", "status": "few_nodes", "peers": {"named": 1, "ok": 1}}));
    let row = nodes.iter().fold(row, |row, node| row.args(["--dht-node", &node.to_string()]));
    let case = nodes.into_iter().fold(Case::new(row), Case::dials_tracker);
    Ok(case.dials_peer(peer).keeps((node, LoopbackLost::new()?)))
}

/// All peers are accounted for. Over UDP there are ports, and so there is one tracker that answers.
fn one_source_port(fixture: &Fixture) -> Result<Case> {
    let swarm = few(fixture)?;
    let peers: Vec<SocketAddr> = swarm.endpoints().into_iter().map(SocketAddr::from).collect();
    let (http, udp) =
        (fixture.tracker(TrackerScript::Silence)?, fixture.udp_tracker(UdpScript::peers(peers.iter().copied()))?);
    let row = Row::new("one port", &fixture.torrent()?, 1).anywhere();
    let row = row.says(json!({"status": NO_PORT})).says(json!({"status": "ok"}));
    // The routes are looked at once for each refusal, which looks like a connection.
    let case =
        Case::new(none_is_blamed(row, NO_PORT, peers.iter().copied())).asks(&http).asks_over_udp(&udp).meets(&swarm);
    Ok(peers.into_iter().fold(case, Case::dials_tracker).keeps(Setting::ports(fixture, 1)?))
}

/// A source port serves any number of connections to different peers, also from an address that was chosen: no dial
/// waits for one.
fn few_source_ports(fixture: &Fixture) -> Result<Case> {
    const COUNT: u32 = 200;
    let peers: Vec<_> = (0..COUNT).map(|number| (peer_ip(number), Peer::default())).collect();
    let swarm = fixture.swarm(&peers)?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row = Row::new("few ports", &fixture.torrent()?, 0)
        .args(BRIEFLY)
        .says(json!({"status": "ok"}))
        .finds(swarm.endpoints().into_iter().map(|peer| (peer, "ok")));
    let case = Case::new(row).asks(&tracker).meets(&swarm).keeps(Setting::ports(fixture, 6)?);
    let port = swarm.port();
    Ok(case.afterwards(move |_, seen| {
        let dials = seen.dials.iter().filter(|to| to.port() == port).count();
        Vec::from_iter((dials != COUNT as usize).then(|| format!("it dials {dials} times, expected {COUNT}")))
    }))
}

/// More connections at once than there are ports to one address: an attempt that finds none is made again.
fn a_peer_of_many_torrents(fixture: &Fixture) -> Result<Case> {
    const COUNT: usize = 40;
    let dialled = Dialled::default();
    let peer = local(fakes::late_peer(everywhere(0), Duration::from_millis(300), &dialled)?);
    let hashes = (1..COUNT).map(|number| format!("{number:040x}"));
    // As text, because a report is on one torrent; it is JSON nevertheless.
    let row = Row::new("many torrents", &fixture.torrent()?, 0).anywhere().in_text().args(hashes);
    let row = row.args(["--json", "--sources", "none", "--peer", &peer.to_string()]);
    // It is dialled more often than a peer may be, for most of these fail before anything has left the machine.
    let case = Case::new(row).dials_tracker(peer).keeps(Setting::ports(fixture, 8)?);
    Ok(case.afterwards(move |report, seen| {
        let (tries, connections) = (seen.dials.len(), dialled.all().values().sum::<u64>());
        let mut faults = Vec::new();
        let outcomes = outcomes(report);
        if outcomes != BTreeMap::from([("ok".to_owned(), COUNT)]) {
            faults.push(format!("the peer is {outcomes:?}, expected {COUNT} times ok"));
        }
        if connections != COUNT as u64 {
            faults.push(format!("{connections} connections, expected {COUNT}"));
        }
        faults.extend((tries <= COUNT).then(|| "there are ports enough, which proves nothing".to_owned()));
        faults
    }))
}

/// How often each outcome is told.
fn outcomes(report: &Report) -> BTreeMap<String, usize> {
    let lines = report.said.lines().filter_map(|line| serde_json::from_str(line).ok());
    let lines: Vec<Value> = lines.collect();
    let mut outcomes = BTreeMap::new();
    for line in lines.iter().filter(|line| line["type"] == "peer") {
        *outcomes.entry(line["outcome"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    outcomes
}

fn without_ipv6(fixture: &Fixture) -> Result<Case> {
    let swarm = few(fixture)?;
    let unreachable = [SocketAddr::from((FAR6, PORT)), (Ipv6Addr::LOCALHOST, PORT).into()];
    let tracker = fixture.tracker(TrackerScript::peers(peers_of(&swarm, &unreachable)))?;
    let row =
        Row::new("no IPv6", &fixture.torrent()?, 0).args(BRIEFLY).anywhere().says(json!({"status": "ok", "peers": 5}));
    let row = found(none_is_blamed(row, NO_ROUTE, unreachable), &swarm);
    let setting = Setting::new("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")?;
    let case = Case::new(row).asks(&tracker).meets(&swarm).keeps(setting);
    Ok(in_vain(case, &[FAR6.into(), Ipv6Addr::LOCALHOST.into()], &unreachable))
}

fn no_route(fixture: &Fixture) -> Result<Case> {
    let swarm = few(fixture)?;
    let unreachable = [SocketAddr::from((FAR, PORT)), (FAR6, PORT).into()];
    let tracker = fixture.tracker(TrackerScript::peers(peers_of(&swarm, &unreachable)))?;
    let row =
        Row::new("no route", &fixture.torrent()?, 0).args(BRIEFLY).anywhere().says(json!({"status": "ok", "peers": 5}));
    let case = Case::new(found(none_is_blamed(row, NO_ROUTE, unreachable), &swarm)).asks(&tracker).meets(&swarm);
    Ok(in_vain(case, &[FAR.into(), FAR6.into()], &unreachable))
}

fn no_route_at_all(fixture: &Fixture) -> Result<Case> {
    let row = Row::new("no route at all", &fixture.torrent()?, 3).anywhere().finds::<SocketAddr>([]);
    Ok(in_vain(Case::new(row), &[FAR.into(), FAR6.into()], &[]))
}

/// The peers of a swarm, and others.
fn peers_of(swarm: &FakeSwarm, others: &[SocketAddr]) -> Vec<SocketAddr> {
    swarm.endpoints().into_iter().map(SocketAddr::from).chain(others.iter().copied()).collect()
}

/// All of the swarm shake hands.
fn found(row: Row, swarm: &FakeSwarm) -> Row {
    swarm.endpoints().into_iter().fold(row, |row, peer| row.finds_one_of(peer, vec![json!({"outcome": "ok"})]))
}

/// Asks trackers of both kinds at these addresses, which is in vain and our own machine's fault; and so it is with these
/// peers.
fn in_vain(case: Case, trackers: &[IpAddr], peers: &[SocketAddr]) -> Case {
    let case = trackers.iter().fold(case, |case, ip| {
        let address = SocketAddr::new(*ip, 8080);
        let urls = ["http", "udp"].map(|scheme| format!("{scheme}://{address}/announce"));
        let case = case.dials_tracker(address);
        urls.into_iter().fold(case, |case, url| case.row(|row| row.tracker(url).says(json!({"status": NO_ROUTE}))))
    });
    peers.iter().fold(case, |case, peer| case.dials_peer(*peer))
}

/// Nothing tells this machine from one that is far away and silent: packets vanish.
fn loopback_switched_off(fixture: &Fixture) -> Result<Case> {
    let timeout = json!({"outcome": "connect_timeout"});
    let case = at_loopback(fixture, json!({"status": "connect_timeout"}), json!({"status": "interrupted"}), timeout)?;
    Ok(case.args("--connect-timeout 1s --deadline 3s").keeps(LoopbackOff::new()?))
}

fn loopback_without_address(fixture: &Fixture) -> Result<Case> {
    let case =
        at_loopback(fixture, json!({"status": NO_ROUTE}), json!({"status": NO_ROUTE}), json!({"outcome": NO_ROUTE}))?;
    Ok(case.keeps(LoopbackLost::new()?))
}

/// A tracker of each kind and a peer at 127.0.0.1, which would answer.
fn at_loopback(fixture: &Fixture, http: Value, udp: Value, peer: Value) -> Result<Case> {
    let at = local(fakes::peer(everywhere(0), &Dialled::default())?);
    let trackers = (fixture.tracker(TrackerScript::peers([at]))?, fixture.udp_tracker(UdpScript::peers([at]))?);
    let row = Row::new("loopback", &fixture.torrent()?, 1).anywhere().says(http).says(udp).finds_one_of(at, vec![peer]);
    let row = row.args(["--peer", &at.to_string()]);
    Ok(Case::new(row).asks(&trackers.0).asks_over_udp(&trackers.1).dials_peer(at))
}

fn not_ours(fixture: &Fixture, ip: IpAddr) -> Result<Case> {
    let peer = SocketAddr::new(ip, PORT).to_string();
    let row = Row::new("not ours", &fixture.torrent()?, 2).from(ip).args(["--sources", "none", "--peer", &peer]);
    Ok(Case::new(row.complains(format!("cannot bind {ip} port 0"))).afterwards(one_line))
}

/// The complaint is one line.
fn one_line(report: &Report, _: &Seen) -> Vec<String> {
    let lines = report.complaint.lines().count();
    Vec::from_iter((lines != 1).then(|| format!("stderr has {lines} lines")))
}
