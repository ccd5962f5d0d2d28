//! Trackers and peers at one address: for every `started` there is a `stopped`, or a word on what is owed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use fake_swarm::{Datagram, ExtensionHandshake, FakeTracker, FakeUdpTracker, TrackerScript, UdpScript, message};

use super::super::actors::{self, Dialled};
use super::Scenario;
use super::set::{Ran, Set, Torrent};
use super::tracker::{Manner, Tracker};
use crate::shell::Result;

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("goodbyes, 3 good seeds, HTTP", |set| leaves(set, Peers::Good, Manner::Closes)),
    ("goodbyes, 3 good seeds, UDP", |set| leaves(set, Peers::Good, Manner::Udp)),
    ("goodbyes, 3 quiet seeds, HTTP", |set| leaves(set, Peers::Quiet, Manner::Closes)),
    ("goodbyes, 3 quiet seeds, UDP", |set| leaves(set, Peers::Quiet, Manner::Udp)),
    ("goodbyes, a hung peer, HTTP", |set| leaves(set, Peers::Hung, Manner::Closes)),
    ("goodbyes, a hung peer, UDP", |set| leaves(set, Peers::Hung, Manner::Udp)),
    ("goodbyes owed to a dead tracker, HTTP", |set| owes(set, false)),
    ("goodbyes owed to a dead tracker, UDP", |set| owes(set, true)),
];

/// Torrents of one small publisher.
const TORRENTS: usize = 40;

/// So few that all of them have come before the first leaves.
const FEW: usize = 8;

/// So briefly that 16 torrents, 4 connections at a time, are at these peers for somewhat longer than goodbyes may take.
const BRIEFLY: &str = "--linger 500ms --handshake-timeout 1500ms";

/// What the peers at the tracker's address are like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Good,
    /// They shake hands, and do not tell what they have.
    Quiet,
    Hung,
}

/// All that a seed says at once.
pub(super) fn all_of_it() -> Vec<u8> {
    [ExtensionHandshake { v: Some("Transmission 4.0.5"), ..Default::default() }.message(), message::have_all()].concat()
}

fn leaves(set: &Set, peers: Peers, manner: Manner) -> Result<String> {
    let (ip, dialled) = (set.local(), Dialled::default());
    let at = SocketAddr::new(ip, 0);
    let port = |_| match peers {
        Peers::Good => actors::talking_peer(at, all_of_it(), &dialled),
        Peers::Quiet => actors::peer(at, &dialled),
        Peers::Hung => actors::hung_peer(at, &dialled),
    };
    let ports: Vec<u16> = (0..if peers == Peers::Hung { 1 } else { 3 }).map(port).collect::<Result<_>>()?;
    let peers: Vec<SocketAddr> = ports.iter().map(|port| SocketAddr::new(ip, *port)).collect();
    let tracker = Tracker::start(ip, manner, &peers)?;
    let torrents = set.files(TORRENTS, |_| Some((&tracker.url, format!("http://{ip}:1/"))))?;
    let mut ran = set.run(BRIEFLY, &torrents, Duration::from_secs(20))?;
    let came = tracker.of("started").len();
    ran.must(came == TORRENTS, || format!("{came} torrents came"));
    ran.must_tell_of(&torrents);
    ran.must_leave(&[tracker]);
    ran.verdict(format!("{came} came"))
}

/// The tracker dies once it knows of all torrents: for each of them there is a line.
fn owes(set: &Set, udp: bool) -> Result<String> {
    let failed = |error: fake_swarm::Error| format!("the scripted tracker: {error}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let _inside = runtime.enter();
    let ip = set.local();
    let peer = SocketAddr::new(ip, actors::hung_peer((ip, 0).into(), &Dialled::default())?);
    let http = FakeTracker::start(TrackerScript::peers([peer])).map_err(failed)?;
    let over_udp = FakeUdpTracker::start(UdpScript::peers([peer])).map_err(failed)?;
    let url = if udp { over_udp.announce_url() } else { http.announce_url() };
    let magnets = set.magnets(FEW, |_| vec![&url]);
    let (within, handle) = (Duration::from_secs(10), runtime.handle().clone());
    let ran = set.run_while("--handshake-timeout 2s", &magnets, within, move || {
        let mut hashes = BTreeSet::new();
        let mut all = move |hash: Option<Vec<u8>>| {
            hashes.extend(hash);
            hashes.len() == FEW
        };
        let came = if udp {
            let hash = |datagram: &Datagram| datagram.announce().map(|announce| announce.info_hash.to_vec());
            handle.block_on(over_udp.wait_for(|datagram| all(hash(datagram)), within))
        } else {
            handle.block_on(http.wait_for(|request| all(request.query("info_hash").map(Into::into)), within))
        };
        // Both die here.
        if came { Ok(()) } else { Err("not all torrents come".to_owned()) }
    })?;
    told_what_is_owed(ran, &magnets, &url)
}

fn told_what_is_owed(mut ran: Ran, torrents: &[Torrent], url: &str) -> Result<String> {
    ran.must_tell_of(torrents);
    let owed = ran.owed(url).len();
    ran.must(owed == torrents.len(), || format!("{owed} goodbyes are said to be owed, of {}", torrents.len()));
    let said = ran.report.complaint.to_lowercase();
    ran.must(said.contains("goodbye"), || "stderr has no word on goodbyes".to_owned());
    ran.verdict(format!("{owed} are owed"))
}
