//! What takes a network namespace of our own: names that do not resolve, addresses of the wide world, and a network that
//! is not what it should be.

mod network;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{DictionaryPeer, Peer, TrackerScript, bencoding, peer_ip};
use serde_json::json;
use xtask::shell::Result;

use super::super::dns::{Answer, Resolver, parsed};
use super::super::fakes::{self, Dialled, everywhere};
use super::super::namespace::{self, Namespace};
use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, LENGTH, local};
use super::scenario::{Scenario, need, scenario};

pub(super) use network::SCENARIOS as IN_TURN;

/// Every scenario that leaves the network as it is.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("200 peers by names that do not exist", names_that_do_not_exist),
    scenario("64 peers by names that the resolver does not answer", names_that_hang)
        .needs(&[need("--limit lookups-at-once=1000", "names are looked up at once")]),
    scenario("a look-up that hangs", a_look_up_that_hangs)
        .needs(&[need("--limit lookup-time=60000", "no line on a tracker")]),
    scenario("128 trackers by names that the resolver does not answer", trackers_by_names_that_hang),
    scenario("a tracker behind 64 look-ups that hang", a_tracker_behind_look_ups_that_hang),
    scenario("an answer that changes between check and use", an_answer_that_changes),
    scenario("600 peers of the wide world", paced).needs(&[need("--rate 0", "connections within a second")]),
];

/// The wide world, as far as it is on our loopback interface.
const WORLD: &str = "11.22.0.0/16";

/// An address in it.
const GOOD: &str = "11.22.33.55";

/// Where names are looked up.
pub(super) const RESOLVER_PORT: u16 = 53;

/// Most names of peers that may be looked up at once.
const LOOK_UPS: usize = 16;

/// More names than that.
const MANY_NAMES: usize = 64;

/// No look-up is given up.
const PATIENTLY: &str = "lookup-time=60000";

/// New connections a second to the wide world.
const RATE: usize = 200;

/// More of them than may pass in a second: where the machine is busy, the count may be half a second late.
const TOO_MANY_IN_A_SECOND: usize = RATE + RATE / 2;

/// The place: a resolver and a wide world. What is below `hang` is never answered, and below `changes` first with a good
/// address and then with our own.
pub(super) fn fixture(namespace: &Namespace) -> Result<Fixture<'_>> {
    namespace::add_network(WORLD)?;
    let resolver = Resolver::serve(|name| match name.rsplit('.').next()? {
        "hang" => Some(Answer::Silence),
        "changes" => Some(Answer::Changes(parsed(&[GOOD]), parsed(&["127.0.0.1"]))),
        "here" => Some(Answer::Addresses(parsed(&["127.0.0.1"]))),
        _ => None,
    })?;
    Ok(Fixture::new(&namespace.prober, namespace.folder.clone())?.resolving(resolver))
}

/// A run that looks names up.
fn looking_up(row: Row) -> Case {
    Case::new(row).dials_tracker(local(RESOLVER_PORT))
}

/// So many names below a zone.
fn names(count: usize, zone: &str) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("n{number}.{zone}"))
}

/// A tracker that names peers so.
fn naming(names: impl Iterator<Item = String>) -> TrackerScript {
    TrackerScript::dictionary(names.map(|name| DictionaryPeer::new(name, 6881)))
}

fn names_that_do_not_exist(fixture: &Fixture) -> Result<Case> {
    let zone = format!("z{}.nowhere", fixture.number());
    let names = || names(200, &zone);
    let tracker = fixture.tracker(naming(names()))?;
    let row = Row::new("no such names", &fixture.torrent()?, 1)
        .says(json!({"status": "ok", "peers": 200}))
        .finds(names().map(|name| (format!("{name}:6881"), "resolve_failed")));
    Ok(looking_up(row).asks(&tracker))
}

/// The deadline comes before any of them has failed: only those that were looked up at once have begun. The end waits for
/// none of them, which the library would hold up for a minute.
fn names_that_hang(fixture: &Fixture) -> Result<Case> {
    let (zone, resolver) = (format!("z{}.hang", fixture.number()), fixture.resolver()?);
    let tracker = fixture.tracker(naming(names(MANY_NAMES, &zone)))?;
    let row = Row::new("names that hang", &fixture.torrent()?, 1)
        .args(["--deadline", "3s", "--limit", PATIENTLY])
        .says(json!({"status": "ok", "peers": MANY_NAMES}))
        .sums_up(json!({"outcomes": {"interrupted": LOOK_UPS, "not_tried": MANY_NAMES - LOOK_UPS}}));
    Ok(looking_up(row).asks(&tracker).afterwards(move |_, _| {
        let asked = resolver.names_below(&zone);
        let told = format!("{asked} names are looked up at once, expected {LOOK_UPS}");
        Vec::from_iter((asked != LOOK_UPS).then_some(told))
    }))
}

/// A tracker's and a peer's: both are given up long before the library does so.
fn a_look_up_that_hangs(fixture: &Fixture) -> Result<Case> {
    let zone = format!("z{}.hang", fixture.number());
    let tracker = fixture.tracker(naming([format!("peer.{zone}")].into_iter()))?;
    let row = Row::new("a look-up that hangs", &fixture.torrent()?, 1)
        .tracker(format!("http://tracker.{zone}/announce"))
        .args(["--deadline", "12s"])
        .says(json!({"status": "ok"}))
        .says(json!({"status": "resolve_failed"}))
        .finds([(format!("peer.{zone}:6881"), "resolve_failed")]);
    Ok(looking_up(row).asks(&tracker))
}

/// Half of them are looked up and given up; for the others there is no thread, and they are not to blame.
fn trackers_by_names_that_hang(fixture: &Fixture) -> Result<Case> {
    let zone = format!("z{}.hang", fixture.number());
    let urls: Vec<String> = names(128, &zone).map(|name| format!("http://{name}/announce")).collect();
    let announce_list = urls.iter().map(|url| vec![url.as_str()]).collect();
    let torrent = fixture.torrent_of(&SingleFile { announce_list, ..SingleFile::new("hanging", LENGTH) })?;
    let row = Row::new("trackers that hang", &torrent, 3).tells(json!({"resolve_failed": 64, "local_limit": 64}));
    Ok(looking_up(row))
}

/// The tracker redirects when all threads that peers' names may have hang: its own name does not wait for them.
fn a_tracker_behind_look_ups_that_hang(fixture: &Fixture) -> Result<Case> {
    let number = fixture.number();
    let swarm = fixture.swarm(&[(peer_ip(0), Peer::default())])?;
    let last = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let to = format!("http://z{number}.here:{}/announce", last.addr().port());
    let redirects = fixture.tracker(TrackerScript::redirect(to).after(Duration::from_secs(1)))?;
    let names = fixture.tracker(naming(names(MANY_NAMES, &format!("z{number}.hang"))))?;
    let row = Row::new("a tracker behind look-ups", &fixture.torrent()?, 0)
        .args(["--deadline", "6s", "--limit", PATIENTLY])
        .says(json!({"status": "ok", "peers": MANY_NAMES}))
        .says(json!({"status": "ok", "peers": 1}))
        .sums_up(json!({"ok": 1, "outcomes": {"interrupted": LOOK_UPS}}));
    Ok(looking_up(row).asks(&names).asks(&redirects).knows(&last).meets(&swarm))
}

/// A tracker and a peer of the wide world have names that lead there once, and to this machine when asked again.
fn an_answer_that_changes(fixture: &Fixture) -> Result<Case> {
    let (zone, resolver) = (format!("z{}.changes", fixture.number()), fixture.resolver()?);
    let dialled = Dialled::default();
    let port = fakes::peer(everywhere(0), &dialled)?;
    let peer =
        bencoding::dictionary([("ip", bencoding::string(format!("peer.{zone}"))), ("port", bencoding::integer(port))]);
    let list = bencoding::dictionary([("interval", bencoding::integer(60)), ("peers", bencoding::list([peer]))]);
    let present = Arc::new(AtomicI64::new(0));
    let counts = Arc::clone(&present);
    let at = fakes::http(0, &dialled, move |request| {
        let change = i64::from(request.event().as_deref() == Some("started"))
            - i64::from(request.event().as_deref() == Some("stopped"));
        counts.fetch_add(change, Ordering::Relaxed);
        fakes::ok(list.clone())
    })?;
    let url = format!("http://tracker.{zone}:{at}/secrets");
    let torrent = fixture.torrent_of(&SingleFile { announce: Some(&url), ..SingleFile::new("changes", LENGTH) })?;
    let good: Ipv4Addr = GOOD.parse().map_err(|_| GOOD)?;
    let row = Row::new("an answer that changes", &torrent, 0)
        .anywhere()
        .says(json!({"status": "ok", "address": format!("{GOOD}:{at}")}))
        .finds([(format!("{GOOD}:{port}"), "ok")]);
    let case = looking_up(row).dials_tracker((good, at).into()).dials_peer((good, port));
    Ok(case.afterwards(move |_, _| {
        let local = dialled.all().into_keys().filter(|address| address.ip().is_loopback());
        let mut faults: Vec<String> = local.map(|address| format!("a stranger's name leads to {address}")).collect();
        for name in [format!("peer.{zone}"), format!("tracker.{zone}")] {
            let asked = resolver.asked(&name);
            faults.extend((asked != 1).then(|| format!("{name} was looked up {asked} times: whose address is used?")));
        }
        let present = present.load(Ordering::Relaxed);
        faults.extend((present != 0).then(|| format!("{present} more started than stopped")));
        faults
    }))
}

/// They see no more of us in a second than there may be.
fn paced(fixture: &Fixture) -> Result<Case> {
    let dialled = Dialled::default();
    let port = fakes::peer(everywhere(0), &dialled)?;
    let peers: Vec<SocketAddr> =
        (1..=3).flat_map(|net| (1..=200).map(move |host| SocketAddr::from(([11, 22, net, host], port)))).collect();
    let tracker = fixture.tracker(TrackerScript::peers(peers.iter().copied()))?;
    let row = Row::new("the pace", &fixture.torrent()?, 0)
        .anywhere()
        // Each peer is a thread of ours, and may be late: there are fewer at once when we leave soon.
        .args(["--linger", "100ms", "--handshake-timeout", "20s", "--rate", "200"])
        .says(json!({"status": "ok", "peers": peers.len()}))
        .finds(peers.iter().map(|peer| (peer, "ok")));
    let case = peers.iter().fold(Case::new(row).asks(&tracker), |case, peer| case.dials_peer(*peer));
    Ok(case.afterwards(move |_, _| {
        let most = dialled.most_within(Duration::from_secs(1));
        let told = format!("{most} connections within a second, expected {RATE}");
        Vec::from_iter((most >= TOO_MANY_IN_A_SECOND).then_some(told))
    }))
}
