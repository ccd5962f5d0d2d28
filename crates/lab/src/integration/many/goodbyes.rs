//! Trackers and peers at one address: for every `started` there is a `stopped`, or a report that it is owed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fake_swarm::{Datagram, ExtensionHandshake, FakeTracker, FakeUdpTracker, TrackerScript, UdpScript, message};
use xtask::shell::Result;

use super::super::fakes::{self, Dialled};
use super::super::process;
use super::Scenario;
use super::fixture::{Fixture, Ran, Torrent};
use super::tracker::{Manner, Tracker};

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("goodbyes, 3 good seeds, HTTP", |fixture| leaves(fixture, Peers::Good, Manner::Closes)),
    ("goodbyes, 3 good seeds, UDP", |fixture| leaves(fixture, Peers::Good, Manner::Udp)),
    ("goodbyes, 3 seeds that do not tell, HTTP", |fixture| leaves(fixture, Peers::Untold, Manner::Closes)),
    ("goodbyes, 3 seeds that do not tell, UDP", |fixture| leaves(fixture, Peers::Untold, Manner::Udp)),
    ("goodbyes, a silent peer, HTTP", |fixture| leaves(fixture, Peers::Silent, Manner::Closes)),
    ("goodbyes, a silent peer, UDP", |fixture| leaves(fixture, Peers::Silent, Manner::Udp)),
    ("goodbyes owed to a tracker that has stopped, HTTP", |fixture| owes(fixture, false)),
    ("goodbyes owed to a tracker that has stopped, UDP", |fixture| owes(fixture, true)),
];

/// Torrents of one small publisher.
const TORRENTS: usize = 40;

/// So few that all of them have sent `started` before the first one ends.
const FEW: usize = 8;

/// Peers that are dialled at one address at the same time.
const AT_ONCE: u64 = 4;

/// 16 torrents at a time with 4 connections to one address: long enough that a goodbye which waits for a connection is late.
const TIMES: &str = "--linger 500ms --handshake-timeout 1500ms";

/// The peers at the tracker's address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Good,
    /// They shake hands, and do not send what they have.
    Untold,
    Silent,
}

/// All that a seed sends after its handshake.
pub(super) fn seed_messages() -> Vec<u8> {
    [ExtensionHandshake { v: Some("Transmission 4.0.5"), ..Default::default() }.message(), message::have_all()].concat()
}

fn leaves(fixture: &Fixture, peers: Peers, manner: Manner) -> Result<String> {
    let (ip, dialled) = (fixture.local(), Dialled::default());
    let at = SocketAddr::new(ip, 0);
    let port = |_| match peers {
        Peers::Good => fakes::talking_peer(at, seed_messages(), &dialled),
        Peers::Untold => fakes::peer(at, &dialled),
        Peers::Silent => fakes::silent_peer(at, &dialled),
    };
    let ports: Vec<u16> = (0..if peers == Peers::Silent { 1 } else { 3 }).map(port).collect::<Result<_>>()?;
    let peers: Vec<SocketAddr> = ports.iter().map(|port| SocketAddr::new(ip, *port)).collect();
    let tracker = Tracker::start(ip, manner, &peers)?;
    let torrents = fixture.files(TORRENTS, |_| Some((&tracker.url, format!("http://{ip}:1/"))))?;
    let mut ran = fixture.run(TIMES, &torrents, Duration::from_secs(20))?;
    let started = tracker.of("started").len();
    ran.must(started == TORRENTS, || format!("{started} torrents have announced"));
    ran.must_report(&torrents);
    ran.must_say_goodbye(&[tracker]);
    ran.verdict(format!("{started} announced"))
}

/// The tracker stops once every torrent has announced: for each of them there is a line.
fn owes(fixture: &Fixture, udp: bool) -> Result<String> {
    let failed = |error: fake_swarm::Error| format!("the scripted tracker: {error}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let _inside = runtime.enter();
    let ip = fixture.local();
    let dialled = Dialled::default();
    let peer = SocketAddr::new(ip, fakes::silent_peer((ip, 0).into(), &dialled)?);
    let http = FakeTracker::start(TrackerScript::peers([peer])).map_err(failed)?;
    let over_udp = FakeUdpTracker::start(UdpScript::peers([peer])).map_err(failed)?;
    let url = if udp { over_udp.announce_url() } else { http.announce_url() };
    let magnets = fixture.magnets(FEW, |_| vec![&url]);
    let (within, handle) = (Duration::from_secs(10), runtime.handle().clone());
    let ran = fixture.run_while("--handshake-timeout 2s", &magnets, within, move || {
        let mut hashes = BTreeSet::new();
        let mut all = move |hash: Option<Vec<u8>>| {
            hashes.extend(hash);
            hashes.len() == FEW
        };
        let announced = if udp {
            let hash = |datagram: &Datagram| datagram.announce().map(|announce| announce.info_hash.to_vec());
            handle.block_on(over_udp.wait_for(|datagram| all(hash(datagram)), within))
        } else {
            handle.block_on(http.wait_for(|request| all(request.query("info_hash").map(Into::into)), within))
        };
        if !announced {
            return Err("not all torrents announce".to_owned());
        }
        // A peer is dialled when the answer that names it has come.
        let dials = || dialled.all().values().sum::<u64>();
        let has_come = || Ok(if dials() >= AT_ONCE { Ok(()) } else { Err(format!("{} peers are dialled", dials())) });
        // Both trackers stop here.
        process::poll(Instant::now() + within, has_come)
    })?;
    must_report_owed(ran, &magnets, &url)
}

fn must_report_owed(mut ran: Ran, torrents: &[Torrent], url: &str) -> Result<String> {
    ran.must_report(torrents);
    // Some answers may be cut off by the end of the tracker.
    let (answered, owed) = (ran.answered(url), ran.owed(url));
    let (untold, owed) = (answered.iter().filter(|hash| !owed.contains(hash)).count(), owed.len());
    ran.must(answered.len() as u64 >= AT_ONCE, || format!("{} torrents have an answer", answered.len()));
    ran.must(untold == 0, || format!("{untold} goodbyes that are owed are not reported, {owed} are"));
    let said = ran.report.complaint.to_lowercase();
    ran.must(said.contains("goodbye"), || "stderr does not mention goodbyes".to_owned());
    ran.verdict(format!("{owed} are owed"))
}
