//! Peers that name others (PEX, BEP 11) at their worst.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{
    ExtensionHandshake, FakeSwarm, Peer, PexList, PexScript, Serving, TrackerScript, hostile, message, peer_ip,
};
use serde_json::json;
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, LENGTH};
use super::scenario::{Scenario, need, scenario};

/// Every scenario of peer exchange.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("30 peers of which trackers name three", bridge),
    scenario("odd lists of peers, which name one victim", odd_lists),
    scenario("lists of peers without end", |fixture| {
        let list = PexScript::naming([(peer_ip(1), 999)]).repeating(Duration::ZERO);
        alone(fixture, list, 1, (1 << 20) + (128 << 10))
    })
    .needs(&[need("--limit peer-bytes=100000000", "bytes were read")]),
    scenario("a list of 10,000 peers", |fixture| {
        // In two messages, and in one that is too long.
        let list = |numbers: std::ops::Range<u32>| PexList::naming(numbers.map(|number| (peer_ip(number), 999)));
        let lists = [list(1000..6000), list(6000..11_000), list(1000..11_000)];
        alone(fixture, PexScript::of(lists), 200, 192 << 10)
    }),
    scenario("40 lists of 10 peers each", |fixture| {
        let list = |number: u32| PexList::naming((0..10).map(|at| (peer_ip(1000 + number * 10 + at), 999)));
        alone(fixture, PexScript::of((0..40).map(list)), 80, 8 << 10)
    }),
    scenario("a list of peers at privileged ports", |fixture| {
        alone(fixture, PexScript::naming([1, 22, 80, 443, 1023].map(|port| (VICTIM, port))), 5, 4096)
    })
    .needs(&[need("--limit lowest-port=1", "it dials")]),
    scenario("6,000 peers that other peers name", six_thousand)
        .needs(&[need("--limit pex-peers=1000000", "no summary that has")]),
    scenario("peers that name each other and those before them", circle),
    scenario("lists of peers of a private torrent", |fixture| Ok(unasked(fixture, true)?.args("--allow-private"))),
    scenario("lists of peers in a run without them", |fixture| Ok(unasked(fixture, false)?.args("--sources -pex"))),
];

/// What must not be dialled, unless a scenario allows it.
const VICTIM: Ipv4Addr = Ipv4Addr::new(127, 66, 6, 6);

/// The port of whatever is there.
const PORT: u16 = 6666;

/// A good peer that sends these lists.
fn telling(script: PexScript) -> Peer {
    Peer::default().serving(Serving::pex(script))
}

/// A run about this swarm, of which a tracker names the first ones. Others in it may be dialled.
fn named(fixture: &Fixture, swarm: &Arc<FakeSwarm>, first: usize) -> Result<Case> {
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints().into_iter().take(first)))?;
    let row = Row::new("peer exchange", &fixture.torrent()?, 0).says(json!({"status": "ok", "peers": first}));
    Ok(Case::new(row).asks(&tracker).meets(swarm))
}

/// One peer, whose lists lead nowhere. So many peers are taken of them, and no more than this many bytes may be read.
fn alone(fixture: &Fixture, script: PexScript, wanted: u64, most: u64) -> Result<Case> {
    let swarm = fixture.swarm(&[(peer_ip(0), telling(script))])?;
    let case = named(fixture, &swarm, 1)?.row(|row| row.sums_up(json!({"ok": 1})));
    Ok(case.afterwards(move |report, _| {
        let sum = |key: &str| report.lines_of("pex").filter_map(|line| line[key].as_u64()).sum::<u64>();
        let (read, taken) = (sum("bytes_received"), sum("named"));
        let much = (read > most).then(|| format!("{read} bytes were read, expected {most} at most"));
        let other = (taken != wanted).then(|| format!("{taken} peers are taken, expected {wanted}"));
        much.into_iter().chain(other).collect()
    }))
}

/// Each of the first three knows some of the others, and two of those the rest: two hops. Lists come half a second after the
/// handshake, as those of libtorrent do, and handshakes after two round trips of 20 to 100 ms.
fn bridge(fixture: &Fixture) -> Result<Case> {
    const PEERS: u32 = 30;
    const NAMED: usize = 3;
    const MOST_MS: f64 = 3_000.0;
    let known = |number: u32| -> Vec<u32> {
        match number {
            0 => (3..12).collect(),
            1 => (10..20).collect(),
            2 => (0..3).chain(18..24).collect(),
            11 => (24..28).collect(),
            23 => (26..PEERS).collect(),
            other => vec![other / 2, other],
        }
    };
    let swarm = fixture.swarm_naming(|port| {
        let seed = |number| {
            let list = PexList::naming(known(number).into_iter().map(|other| (peer_ip(other), port)));
            let delay = Duration::from_millis(40 + u64::from(number) * 37 % 160);
            let has_all = Peer { delay, ..Peer::default() }.sending([message::have_all()]);
            has_all.serving(Serving::pex(PexScript::of([list]).every(Duration::from_millis(500))))
        };
        (0..PEERS).map(|number| (peer_ip(number), seed(number))).collect()
    })?;
    let by_pex = swarm.endpoints().len() - NAMED;
    let case = named(fixture, &swarm, NAMED)?.row(|row| {
        row.finds(swarm.endpoints().into_iter().map(|peer| (peer, "ok"))).sums_up(json!({
            "peers": PEERS, "ok": PEERS, "only_pex": by_pex, "only_pex_ok": by_pex
        }))
    });
    Ok(case.afterwards(move |report, _| {
        let mut met: Vec<_> = (0..PEERS).filter_map(|number| swarm.first_connection(peer_ip(number))).collect();
        met.sort_unstable();
        let Some(took) = met.first().zip(met.last()).map(|(first, last)| *last - *first) else { return Vec::new() };
        // All is reported when the run is over, which begins before the first is met. How long the process takes to start is not its time.
        let run: f64 = report.lines_of("summary").filter_map(|line| line["elapsed_ms"].as_f64()).sum();
        let took = took.as_millis();
        let figure = format!("the last of {} peers is met {took} ms after the first, in a run of {run} ms", met.len());
        println!("{:19}{figure}", "");
        Vec::from_iter((run > MOST_MS).then_some(figure))
    }))
}

/// A peer for each list. The victim, which many name, sees what a peer may see.
fn odd_lists(fixture: &Fixture) -> Result<Case> {
    let swarm = fixture.swarm_naming(|port| {
        let lists = hostile::pex((VICTIM, port).into());
        let peers = lists.into_iter().map(|(_, list)| telling(PexScript::raw([list])));
        (0..).map(peer_ip).zip(peers).chain([(VICTIM, Peer::closing())]).collect()
    })?;
    let peers = swarm.endpoints().len();
    let case = named(fixture, &swarm, peers - 1)?;
    let case = case.row(|row| row.sums_up(json!({"ok": peers - 1, "only_pex_ok": 0})));
    Ok(case.afterwards(move |_, _| {
        let times = swarm.connections_to(VICTIM);
        Vec::from_iter((!(1..=2).contains(&times)).then(|| format!("the victim is dialled {times} times")))
    }))
}

/// As many of each peer as are taken of one, and nothing listens at any of the addresses.
fn six_thousand(fixture: &Fixture) -> Result<Case> {
    const PEERS: u32 = 30;
    const LISTS: u32 = 4;
    const IN_A_LIST: u32 = 50;
    const MOST: u32 = 5000;
    let refusing = fixture.swarm(&[(VICTIM, Peer::refusing())])?;
    let port = refusing.addr(VICTIM).port();
    let peer = |number: u32| {
        let list = |list: u32| {
            let first = 1000 + (number * LISTS + list) * IN_A_LIST;
            PexList::naming((first..first + IN_A_LIST).map(|number| (peer_ip(number), port)))
        };
        (peer_ip(number), telling(PexScript::of((0..LISTS).map(list))))
    };
    let peers: Vec<_> = (0..PEERS).map(peer).collect();
    let swarm = fixture.swarm(&peers)?;
    let case = named(fixture, &swarm, peers.len())?;
    let case = case.row(|row| row.sums_up(json!({"ok": PEERS, "peers": PEERS + MOST, "only_pex": MOST})));
    Ok(case.dials_port(port).keeps(refusing).args("--deadline 5m"))
}

/// All name all, in each of several lists, and drop them again.
fn circle(fixture: &Fixture) -> Result<Case> {
    const PEERS: u32 = 20;
    let swarm = fixture.swarm_naming(|port| {
        let all = || (0..PEERS).map(move |number| (peer_ip(number), port));
        let list = || PexList::naming(all()).dropping(all()).flagged(PexList::SEED);
        (0..PEERS).map(|number| (peer_ip(number), telling(PexScript::of([list(), list(), list()])))).collect()
    })?;
    let case = named(fixture, &swarm, 1)?;
    Ok(case.row(|row| row.finds(swarm.endpoints().into_iter().map(|peer| (peer, "ok")))))
}

/// A peer sends lists under every id that may be meant; nothing in them is used.
fn unasked(fixture: &Fixture, private: bool) -> Result<Case> {
    let torrent = SingleFile { private, ..SingleFile::new("hostile", LENGTH) };
    let list = PexList::naming((0..50).map(|number| (VICTIM, PORT + number))).payload();
    let introduction = ExtensionHandshake { m: vec![("ut_pex", 1), ("ut_metadata", 2)], ..Default::default() };
    let lists = (1..=10).map(|id| message::extended(id, &list));
    let peer = Peer::default().sending([introduction.message()]).sending(lists);
    let swarm = fixture.swarm_of(torrent.info_hash(), &[(peer_ip(0), peer)])?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let announce = tracker.announce_url();
    let torrent = SingleFile { announce: Some(&announce), ..torrent };
    let row = Row::new("unasked", &fixture.torrent_of(&torrent)?, 0)
        .says(json!({"status": "ok", "peers": 1}))
        .finds([(swarm.addr(peer_ip(0)), "ok")]);
    Ok(Case::new(row).knows(&tracker).meets(&swarm))
}
