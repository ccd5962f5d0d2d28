//! Nodes of the DHT at their worst, in a namespace that no query leaves.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_swarm::torrent::SingleFile;
use fake_swarm::{DhtQuery, FakeNode, FakeSwarm, Gate, NodeReply, NodeScript, Peer, node_id, node_ip, peer_ip};
use serde_json::json;
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, local};
use super::inside::RESOLVER_PORT;
use super::scenario::{Scenario, need, scenario};

/// Every scenario with nodes in it that leaves the network as it is.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("a DHT in which a stranger answers first", |fixture| noisy(fixture, strangers)),
    scenario("a DHT in which answers with guessed ids come first", |fixture| noisy(fixture, guesses)),
    scenario("a DHT of datagrams of 64 KiB", |fixture| noisy(fixture, long)),
    scenario("a DHT of deep bencode", |fixture| noisy(fixture, deep)),
    scenario("a DHT in a flood of a stranger", |fixture| noisy(fixture, flood)),
    scenario("a DHT node that answers everything", liar),
    scenario("DHT nodes with other ids than they were named with", misnamed),
    scenario("an answer after the end of a DHT lookup", late),
    scenario("DHT nodes that lead to each other", circle),
    scenario("DHT nodes that all lead to one address", one_victim),
    scenario("650 made-up DHT nodes, each nearer than the one before", nearer_and_nearer),
    scenario("a DHT lookup at a pace of a datagram a second", too_long),
    scenario("a DHT node whose peers are all at one address", one_address)
        .needs(&[need("--max-per-address 0", "ports of one address")]),
    scenario("DHT lookups of 12 torrents that lead to one address", one_victim_of_many)
        .needs(&[need("--limit dht-rate-per-address=0", "datagrams to one address within 0.5 s")]),
    scenario("DHT lookups of 60 torrents", many_lookups)
        .needs(&[need("--limit dht-rate=0", "datagrams within a second")]),
    scenario("DHT lookups of 20 torrents from one node", from_one_node),
    scenario("12 DHT lookups that nothing answers", at_once)
        .needs(&[need("--limit dht-lookups=1000", "lookups at once")]),
    scenario("a DHT node that this machine has no route to", no_route),
    scenario("a well-known DHT node by a name that hangs", |fixture| {
        well_known(fixture, "hang", "not resolved when the lookup ended")
    }),
    scenario("a well-known DHT node by a name of this machine", |fixture| {
        well_known(fixture, "here", "loopback address, named by an untrusted source")
    }),
    scenario("no DHT node but one by a name that hangs", only_a_name_that_hangs),
];

/// The nodes of a network: enough for three hops.
const NODES: u16 = 100;

/// What must neither be asked nor dialled, unless a scenario allows some of it.
const VICTIM: ([u8; 4], u16) = ([127, 66, 6, 6], 6666);

/// An id that is closer to the torrent than any node of a network: it differs in the last four bytes.
fn near(info_hash: [u8; 20], number: u32) -> [u8; 20] {
    let mut id = info_hash;
    let own = u32::from_be_bytes(*info_hash.last_chunk().unwrap_or(&[0; 4]));
    if let Some(last) = id.last_chunk_mut() {
        *last = (own ^ number).to_be_bytes();
    }
    id
}

/// A run that starts at this node.
fn starting_at(case: Case, node: SocketAddr) -> Case {
    case.row(|row| row.args(["--dht-node", &node.to_string()])).dials_tracker(node)
}

/// A run that asks these nodes, and starts at the first.
fn asking<'n>(row: Row, nodes: impl IntoIterator<Item = &'n FakeNode>) -> Case {
    let mut addresses = nodes.into_iter().map(FakeNode::addr).peekable();
    let case = addresses.peek().copied().into_iter().fold(Case::new(row), starting_at);
    addresses.fold(case, Case::dials_tracker)
}

/// Two peers that shake hands.
fn two_peers(fixture: &Fixture) -> Result<Arc<FakeSwarm>> {
    fixture.swarm(&[0, 1].map(|number| (peer_ip(number), Peer::default())))
}

/// They are found.
fn finding(row: Row, swarm: &FakeSwarm) -> Row {
    row.args(["--linger", "100ms"]).finds(swarm.endpoints().into_iter().map(|peer| (peer, "ok")))
}

/// An honest network, before whose answers there is something else; all of its peers are found, and nothing of the rest is used.
fn noisy(fixture: &Fixture, noise: fn(&UdpSocket, &DhtQuery, &mut NodeReply)) -> Result<Case> {
    let (swarm, dht) = (two_peers(fixture)?, fixture.dht(NODES)?);
    dht.store(fixture.info_hash(), swarm.endpoints());
    let stranger = UdpSocket::bind("127.9.9.9:0").map_err(|error| format!("no socket: {error}"))?;
    let stranger = Arc::new(stranger);
    for node in dht.nodes() {
        let stranger = Arc::clone(&stranger);
        node.change(|script| script.edited(move |query, reply| noise(&stranger, query, reply)));
    }
    let sums = json!({"status": "ok", "nodes": {"misnamed": 0, "liars": 0}, "peers": {"named": 2, "ok": 2}});
    let row = finding(Row::new("noise", &fixture.torrent()?, 0), &swarm).looks_up(sums);
    let case = asking(row, dht.closest(fixture.info_hash()).into_iter().rev());
    Ok(case.meets(&swarm).keeps(dht).within(Duration::from_secs(10)))
}

/// The reply, with the victim as its only peer and node.
fn forged(reply: &NodeReply) -> NodeReply {
    let nodes = Some(vec![([0x55; 20], VICTIM.into())]);
    NodeReply { nodes, peers: Some(vec![VICTIM.into()]), ..reply.clone() }
}

fn strangers(stranger: &UdpSocket, query: &DhtQuery, reply: &mut NodeReply) {
    // One that is lost is not missed.
    let _ = stranger.send_to(&forged(reply).to_bytes(), query.remote);
}

fn guesses(_: &UdpSocket, _: &DhtQuery, reply: &mut NodeReply) {
    let guess = |number: u8| {
        let mut forged = forged(reply);
        forged.transaction.iter_mut().for_each(|byte| *byte ^= number);
        forged.to_bytes()
    };
    reply.before = (1..=20).map(guess).collect();
}

fn long(_: &UdpSocket, _: &DhtQuery, reply: &mut NodeReply) {
    let mut forged = forged(reply);
    forged.peers = Some(vec![VICTIM.into(); 8_000]);
    reply.before = vec![forged.to_bytes()];
}

fn deep(_: &UdpSocket, _: &DhtQuery, reply: &mut NodeReply) {
    let mut forged = forged(reply);
    forged.version = Some(Vec::new());
    let mut bytes = forged.to_bytes();
    if let Some(at) = bytes.windows(4).position(|key| key == b"1:v0") {
        bytes.splice(at + 3..at + 5, [[b'l'; 2000], [b'e'; 2000]].concat());
    }
    reply.before = vec![bytes];
}

/// Queries, packets of uTP and nonsense, 250 of them for each answer.
fn flood(stranger: &UdpSocket, query: &DhtQuery, _: &mut NodeReply) {
    for number in 0..250_u8 {
        let bytes: [&[u8]; 3] = [&query.bytes, b"\x41\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", &[number; 100]];
        let _ = bytes.get(usize::from(number % 3)).map(|bytes| stranger.send_to(bytes, query.remote));
    }
}

/// Its peers are dialled all the same, and counted apart.
fn liar(fixture: &Fixture) -> Result<Case> {
    let swarm = two_peers(fixture)?;
    let (honest, invented) =
        swarm.endpoints().split_first().map(|(one, rest)| (*one, rest.to_vec())).ok_or("no peers")?;
    let dht = fixture.dht(NODES)?;
    dht.store(fixture.info_hash(), [honest]);
    let closest = dht.closest(fixture.info_hash());
    let node = closest.get(3).ok_or("no nodes")?;
    node.change(|script| script.lying(invented));
    let sums = json!({"status": "ok", "nodes": {"liars": 1}, "peers": {"named": 2, "ok": 2, "doubtful": 1}});
    let row = finding(Row::new("a liar", &fixture.torrent()?, 0), &swarm).looks_up(sums);
    Ok(asking(row, closest.into_iter().rev()).meets(&swarm).keeps(dht))
}

/// Half of the storers; nothing of what they say is used.
fn misnamed(fixture: &Fixture) -> Result<Case> {
    let (swarm, dht) = (two_peers(fixture)?, fixture.dht(NODES)?);
    dht.store(fixture.info_hash(), swarm.endpoints());
    let closest = dht.closest(fixture.info_hash());
    for (node, number) in closest.iter().take(4).zip(0..) {
        let id = near(fixture.info_hash(), 1 + number);
        node.change(|script| script.id(id).lying([VICTIM]));
    }
    let sums = json!({"status": "ok", "nodes": {"misnamed": 4}, "peers": {"named": 2, "ok": 2}});
    let row = finding(Row::new("other ids", &fixture.torrent()?, 0), &swarm).looks_up(sums);
    Ok(asking(row, closest.into_iter().rev()).meets(&swarm).keeps(dht))
}

/// The run still lasts, because of a peer that is silent.
fn late(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm(&[(peer_ip(0), Peer::silent())])?;
    let (dht, gate) = (fixture.dht(40)?, Gate::default());
    dht.store(fixture.info_hash(), swarm.endpoints());
    let closest = dht.closest(fixture.info_hash());
    let node = closest.first().ok_or("no nodes")?;
    node.change(|script| script.lying([VICTIM]).held_by(&gate));
    let sums = json!({"status": "ok", "peers": {"named": 1}});
    let row = Row::new("late", &fixture.torrent()?, 1).looks_up(sums).args(["--handshake-timeout", "4s"]);
    let row = row.args(["--encryption", "off"]).finds([(swarm.addr(peer_ip(0)), "handshake_timeout")]);
    let case = asking(row, closest.into_iter().rev()).meets(&swarm).keeps(dht);
    let case = case.meanwhile(move |_| {
        std::thread::sleep(Duration::from_millis(2_500));
        gate.open();
        Ok(())
    });
    // Others may be silent too, where a busy machine plays them too slowly.
    Ok(case.afterwards(|report, _| {
        let none = report.lines_of("dht").all(|line| line.pointer("/nodes/silent").is_some_and(|silent| *silent == 0));
        Vec::from_iter(none.then(|| "no node is silent".to_owned()))
    }))
}

/// Each names the other by ids that change; both are asked, and the lookup ends.
fn circle(fixture: &Fixture) -> Result<Case> {
    let target = fixture.info_hash();
    let node = |number| fixture.node(node_ip(number), node_id(number.into()), NodeScript::default());
    let nodes = [node(0)?, node(1)?];
    for (node, number) in nodes.iter().zip(0_u32..) {
        let (one, other) = (nodes[0].known(), nodes[1].known());
        node.change(|script| {
            script.knowing([one, other]).edited(move |query, reply| {
                let before = u32::try_from(query.before).unwrap_or(u32::MAX);
                let made_up = (0..6).map(|id| near(target, id + 10 * (number + 2 * before)));
                reply.nodes.iter_mut().for_each(|nodes| nodes.extend(made_up.clone().map(|id| (id, other.1))));
            })
        });
    }
    let row = Row::new("a circle", &fixture.torrent()?, 1).looks_up(json!({"peers": {"named": 0}}));
    let case = asking(row, nodes.iter().map(Arc::as_ref)).within(Duration::from_secs(8));
    Ok(case.afterwards(move |_, _| {
        let asked = nodes.iter().map(|node| node.queries().len()).max().unwrap_or(0);
        Vec::from_iter((asked > 4).then(|| format!("a node is asked {asked} times, expected 4 at most")))
    }))
}

/// Of all nodes that are named at one address, with ids of their own, few are asked.
fn one_victim(fixture: &Fixture) -> Result<Case> {
    let target = fixture.info_hash();
    let victim = fixture.node(VICTIM.0, node_id(0), NodeScript::default().silent())?;
    let address = victim.addr();
    let dht = fixture.dht(20)?;
    for (node, number) in dht.nodes().iter().zip(0_u32..) {
        let made_up =
            move |id: u16| (near(target, 1 + 8 * number + u32::from(id)), SocketAddr::new(address.ip(), 2000 + id));
        node.change(|script| {
            script.edited(move |_, reply| {
                let victims = (0..7).map(made_up).chain([(near(target, 8 * number + 8), address)]);
                reply.nodes.iter_mut().for_each(|nodes| nodes.splice(..0, victims.clone()).for_each(drop));
            })
        });
    }
    let row = Row::new("one victim", &fixture.torrent()?, 1).looks_up(json!({"peers": {"named": 0}}));
    let case = asking(row, dht.closest(target).into_iter().rev());
    let case = (0..8)
        .map(|id| (VICTIM.0, 2000 + id))
        .fold(case.dials_tracker(address), |case, to| case.dials_tracker(to.into()));
    Ok(case.keeps((dht, victim)).afterwards(move |_, seen| {
        let asked = seen.dials.iter().filter(|to| to.ip() == address.ip()).count();
        Vec::from_iter((asked > 4).then(|| format!("{asked} datagrams to one address, expected 4 at most")))
    }))
}

/// Without a bound it would ask one after the other: half of those that are named answer, and the others are nearer.
fn nearer_and_nearer(fixture: &Fixture) -> Result<Case> {
    const ALL: u32 = 10_000;
    const ANSWER: u8 = 130;
    const PORT: u16 = 6881;
    const MOST: usize = 127;
    let target = fixture.info_hash();
    let id = move |number: u8, place: u8| near(target, ALL - 40 * u32::from(number) - u32::from(place));
    let node = |number: u8| fixture.node(node_ip(number.into()), id(number, 0), NodeScript::default());
    let nodes = (0..ANSWER).map(node).collect::<Result<Vec<_>>>()?;
    let known: Vec<_> = nodes.iter().map(|node| node.known()).collect();
    for (node, number) in nodes.iter().zip(0..) {
        let next = known.iter().skip(usize::from(number) + 1).take(4).copied();
        let silent = (1..=4).map(|place| (id(number, place), SocketAddr::from(([127, 90, number, place], PORT))));
        let named: Vec<_> = next.chain(silent).collect();
        node.change(|script| script.edited(move |_, reply| reply.nodes = Some(named.clone())));
    }
    let row = Row::new("nearer", &fixture.torrent()?, 1).looks_up(json!({"status": "query_limit"}));
    let case = asking(row, nodes.iter().map(Arc::as_ref)).dials_port(PORT).within(Duration::from_secs(12)).keeps(nodes);
    Ok(case.afterwards(move |_, seen| {
        let asked = seen.dials.len();
        Vec::from_iter((asked > MOST).then(|| format!("{asked} queries, expected {MOST} at most")))
    }))
}

/// It would take 17 seconds.
fn too_long(fixture: &Fixture) -> Result<Case> {
    let dht = fixture.dht(NODES)?;
    let row = Row::new("too long", &fixture.torrent()?, 1).looks_up(json!({"status": "too_long"}));
    let row = row.args(["--limit", "dht-rate=1"]);
    let case = asking(row, dht.closest(fixture.info_hash()).into_iter().rev());
    Ok(case.keeps(dht).within(Duration::from_secs(14)))
}

/// Of 40 peers that a node names at one address, 16 are dialled.
fn one_address(fixture: &Fixture) -> Result<Case> {
    const PORTS: usize = 40;
    let ip = Ipv4Addr::from(VICTIM.0);
    let (swarm, ports) = fixture.swarm_of_ports(&[(ip, Peer::refusing())], PORTS - 1)?;
    let peers: Vec<SocketAddr> = ports.into_iter().map(|port| (ip, port).into()).collect();
    let node =
        fixture.node(node_ip(0), node_id(0), NodeScript::default().storing(fixture.info_hash(), peers.clone()))?;
    let row = Row::new("one address", &fixture.torrent()?, 1).looks_up(json!({"peers": {"named": PORTS}}));
    let row = row.args(["--encryption", "off"]);
    let case = peers.into_iter().fold(asking(row, [node.as_ref()]), Case::dials_peer).keeps((swarm, node));
    Ok(case.afterwards(move |_, seen| {
        let dialled = seen.dials.iter().filter(|to| to.ip() == ip).count();
        Vec::from_iter((dialled != 16).then(|| format!("it dials {dialled} ports of one address, expected 16")))
    }))
}

/// A run of this number of torrents by their hashes, of which only the exit code is judged.
fn of_many(fixture: &Fixture, torrents: usize, code: i32) -> Result<Row> {
    let hash = |number: usize| SingleFile::new(&number.to_string(), 1).info_hash();
    let hashes = (1..torrents).map(|number| hash(number).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(Row::new("many", &fixture.torrent()?, code).in_text().args(hashes).args(["--json"]))
}

/// The most queries that came within a time.
fn most_within(time: Duration, mut came: Vec<Instant>) -> usize {
    came.sort_unstable();
    let since = |last: usize| {
        let first = came.partition_point(|at| came.get(last).is_some_and(|last| *at + time < *last));
        last + 1 - first
    };
    (0..came.len()).map(since).max().unwrap_or(0)
}

/// Four datagrams a second. The time is a little shorter, because the first ones may come late.
fn one_victim_of_many(fixture: &Fixture) -> Result<Case> {
    const MOST: usize = 4;
    let victim = fixture.node(VICTIM.0, node_id(0), NodeScript::default().silent())?;
    let case =
        asking(of_many(fixture, 12, 3)?.args(["--deadline", "8s", "--limit", "dht-lookups=12"]), [victim.as_ref()]);
    Ok(case.afterwards(move |_, _| {
        let most = most_within(Duration::from_millis(500), victim.queries().iter().map(|query| query.at).collect());
        let told = format!("{most} datagrams to one address within 0.5 s, expected {MOST} at most");
        Vec::from_iter((most > MOST).then_some(told))
    }))
}

/// 313 in the first second. A busy machine has many of them late, and then all at once.
fn many_lookups(fixture: &Fixture) -> Result<Case> {
    const MOST: usize = 700;
    let dht = fixture.dht(400)?;
    let row = of_many(fixture, 60, 1)?.args(["--limit", "dht-rate-per-address=0"]);
    let case = asking(row, dht.nodes());
    Ok(case.afterwards(move |_, _| {
        let most = most_within(Duration::from_secs(1), dht.queries().iter().map(|query| query.at).collect());
        Vec::from_iter((most > MOST).then(|| format!("{most} datagrams within a second, expected {MOST} at most")))
    }))
}

/// The node may be sent four datagrams a second: lookups wait for their turn, and none ends without an answer.
fn from_one_node(fixture: &Fixture) -> Result<Case> {
    const TORRENTS: usize = 20;
    let dht = fixture.dht(NODES)?;
    let case = asking(of_many(fixture, TORRENTS, 1)?, dht.nodes());
    Ok(case.afterwards(move |_, _| {
        let asked: BTreeSet<_> = dht.queries().into_iter().filter_map(|query| query.target).collect();
        // One more is the control's, if it is asked.
        Vec::from_iter(
            (asked.len() < TORRENTS).then(|| format!("{} torrents are looked up, not {TORRENTS}", asked.len())),
        )
    }))
}

/// A lookup that nothing answers lasts for two seconds.
fn at_once(fixture: &Fixture) -> Result<Case> {
    const MOST: usize = 4;
    let node = fixture.node(node_ip(0), node_id(0), NodeScript::default().silent())?;
    let row = of_many(fixture, 12, 3)?.args(["--limit", "dht-rate-per-address=0"]);
    let case = asking(row, [node.as_ref()]);
    Ok(case.afterwards(move |_, _| {
        let queries = node.queries();
        let first = queries.first().map(|query| query.at);
        let early = queries.iter().filter(|query| first.is_some_and(|first| query.at < first + Duration::from_secs(1)));
        let asked: BTreeSet<_> = early.filter_map(|query| query.target).collect();
        Vec::from_iter((asked.len() != MOST).then(|| format!("{} lookups at once, expected {MOST}", asked.len())))
    }))
}

fn no_route(fixture: &Fixture) -> Result<Case> {
    let row = Row::new("no route", &fixture.torrent()?, 3).anywhere().looks_up(json!({"status": "no_route"}));
    Ok(starting_at(Case::new(row), ([11, 99, 0, 1], 6881).into()))
}

/// It holds nothing up, and is not asked.
fn well_known(fixture: &Fixture, zone: &str, message: &str) -> Result<Case> {
    let (swarm, dht) = (two_peers(fixture)?, fixture.dht(20)?);
    dht.store(fixture.info_hash(), swarm.endpoints());
    let bootstrap = json!({"from": "bootstrap", "asked": 0, "message": message});
    let sums = json!({"status": "ok", "starts": [{"from": "user", "asked": 1}, bootstrap]});
    let row = finding(Row::new("well-known", &fixture.torrent()?, 0), &swarm).looks_up(sums);
    let row = row.bootstrap(format!("z{}.{zone}:6881", fixture.number()));
    let case = asking(row, dht.closest(fixture.info_hash()).into_iter().rev()).dials_tracker(local(RESOLVER_PORT));
    Ok(case.meets(&swarm).keeps(dht).within(Duration::from_secs(4)))
}

/// The run ends when the name is given up.
fn only_a_name_that_hangs(fixture: &Fixture) -> Result<Case> {
    let row = Row::new("a name", &fixture.torrent()?, 3).looks_up(json!({"status": "no_start", "queries": 0}));
    let row = row.bootstrap(format!("z{}.hang:6881", fixture.number()));
    Ok(Case::new(row).dials_tracker(local(RESOLVER_PORT)).within(Duration::from_secs(8)))
}
