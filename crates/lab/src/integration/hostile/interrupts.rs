//! Signals at every stage of a run: it ends at once, with what it knows, and takes its leave.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_swarm::{
    Counts, Encryption, Ending, FakeSwarm, FakeTracker, HANDSHAKE_LENGTH, Peer, Responder, Tcp, TrackerScript,
    UdpScript, WebSeedScript, peer_ip,
};
use serde_json::json;
use xtask::shell::{self, Result};

use super::super::row::Row;
use super::case::Case;
use super::fixture::Fixture;
use super::scenario::{Scenario, scenario};

/// How long a run may take to end once it is told to: goodbyes have 4 s.
const ENDS_WITHIN: Duration = Duration::from_secs(6);

/// How long the actors may take to be reached.
const REACHED_WITHIN: Duration = Duration::from_secs(20);

/// Each stage with each signal, and what a second one does.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("SIGINT while a file is read", |fixture| reading(fixture, INT)),
    scenario("SIGTERM while a file is read", |fixture| reading(fixture, TERM)),
    scenario("SIGINT while a tracker is dialled", |fixture| dialling_tracker(fixture, INT)),
    scenario("SIGTERM while a tracker is dialled", |fixture| dialling_tracker(fixture, TERM)),
    scenario("SIGINT amid a TLS handshake", |fixture| amid_tls(fixture, INT)),
    scenario("SIGTERM amid a TLS handshake", |fixture| amid_tls(fixture, TERM)),
    scenario("SIGINT before a tracker answers", |fixture| asking(fixture, INT)),
    scenario("SIGTERM before a tracker answers", |fixture| asking(fixture, TERM)),
    scenario("SIGINT before a web seed answers", |fixture| asking_web_seed(fixture, INT)),
    scenario("SIGTERM before a web seed answers", |fixture| asking_web_seed(fixture, TERM)),
    scenario("SIGINT before a tracker answers over UDP", |fixture| asking_over_udp(fixture, INT)),
    scenario("SIGTERM before a tracker answers over UDP", |fixture| asking_over_udp(fixture, TERM)),
    scenario("SIGINT while a peer is dialled", |fixture| dialling_peer(fixture, INT)),
    scenario("SIGTERM while a peer is dialled", |fixture| dialling_peer(fixture, TERM)),
    scenario("SIGINT before a handshake", |fixture| met(fixture, INT, Peer::silent(), "interrupted")),
    scenario("SIGTERM before a handshake", |fixture| met(fixture, TERM, Peer::silent(), "interrupted")),
    scenario("SIGINT before a handshake over uTP", |fixture| {
        met(fixture, INT, over_utp(Peer::silent()), "interrupted")
    }),
    scenario("SIGTERM after a handshake over uTP", |fixture| met(fixture, TERM, over_utp(Peer::default()), "ok")),
    scenario("SIGINT amid encryption", |fixture| encrypting(fixture, INT)),
    scenario("SIGTERM amid encryption", |fixture| encrypting(fixture, TERM)),
    scenario("SIGINT after a handshake", |fixture| met(fixture, INT, Peer::default(), "ok")),
    scenario("SIGTERM after a handshake", |fixture| met(fixture, TERM, Peer::default(), "ok")),
    scenario("SIGALRM after a handshake", |fixture| met(fixture, "ALRM", Peer::default(), "ok")),
    scenario("SIGXCPU before a handshake", |fixture| met(fixture, "XCPU", Peer::silent(), "interrupted")),
    scenario("SIGINT amid the goodbye", |fixture| leaving(fixture, INT)),
    scenario("SIGTERM amid the goodbye", |fixture| leaving(fixture, TERM)),
    scenario("a second SIGINT", |fixture| twice(fixture, INT)),
    scenario("a second SIGTERM", |fixture| twice(fixture, TERM)),
];

/// What Ctrl-C sends.
const INT: &str = "INT";
/// What a service manager sends.
const TERM: &str = "TERM";

/// Sends the signal to the run.
fn signal(id: u32, signal: &str) -> Result {
    shell::signal(signal, &id.to_string())
}

/// A run of a torrent that is told to end while it goes on.
fn case(fixture: &Fixture, code: i32) -> Result<Case> {
    Ok(Case::new(Row::new("interrupted", &fixture.torrent()?, code))
        .args("--linger 25s --handshake-timeout 25s --connect-timeout 25s"))
}

/// Sends the signal once `reached` says so; then the run must end soon.
fn interrupted(case: Case, name: &'static str, reached: impl FnOnce() -> bool + Send + 'static) -> Case {
    let (told, tell) = std::sync::mpsc::channel();
    let case = case.meanwhile(move |id| {
        if !reached() {
            return Err("the stage is not reached".to_owned());
        }
        // It is not waited for when the run has failed before.
        let _ = told.send(Instant::now());
        signal(id, name)
    });
    case.afterwards(move |_, seen| {
        let since = tell.recv().map_or(seen.took, |sent| seen.ended.saturating_duration_since(sent));
        Vec::from_iter((since > ENDS_WITHIN).then(|| format!("it ends {since:?} after the signal")))
    })
}

/// Nothing tells from outside that a file is being read, but that its pipe has been opened.
fn reading(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let pipe = fixture.file("pipe");
    shell::run_quiet(Command::new("mkfifo").arg(&pipe))?;
    let row = Row::new("interrupted", &fixture.at(&pipe), 130).complains("");
    Ok(interrupted(Case::new(row), name, move || {
        // Opens when there is a reader, and stays open to the end of the process: a closed pipe would end the file.
        std::fs::OpenOptions::new().write(true).open(pipe).map(std::mem::forget).is_ok()
    }))
}

/// It accepts no connection, and so it gets no announce.
fn dialling_tracker(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let full = fixture.full_listener()?;
    let address = full.addr();
    let case = case(fixture, 130)?.dials_tracker(address).keeps(full);
    let case = case.row(|row| row.tracker(format!("http://{address}/announce")).says(json!({"status": "interrupted"})));
    Ok(interrupted(case, name, move || syn_sent_to(address)))
}

/// Whether a connection to this address is being made, as the kernel's table tells.
fn syn_sent_to(address: std::net::SocketAddr) -> bool {
    let port = format!(":{:04X} 02 ", address.port());
    let begun = || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        Ok(table.lines().any(|line| line.contains(&port)).then_some(()).ok_or_else(String::new))
    };
    super::super::process::poll(Instant::now() + REACHED_WITHIN, begun).is_ok()
}

/// The tracker takes the connection and says nothing.
fn amid_tls(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let failed = |error: std::io::Error| format!("no listener: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let case = case(fixture, 130)?.dials_tracker(address);
    let case =
        case.row(|row| row.tracker(format!("https://{address}/announce")).says(json!({"status": "interrupted"})));
    // Our side's first words have come when there is something to read; open to the end of the process.
    let heard = move || {
        let (mut stream, _) = listener.accept()?;
        stream.read_exact(&mut [0])?;
        std::mem::forget(stream);
        std::io::Result::Ok(())
    };
    Ok(interrupted(case, name, move || heard().is_ok()))
}

/// Waits until the tracker has been asked.
fn asked(fixture: &Fixture, tracker: &Arc<FakeTracker>) -> impl FnOnce() -> bool + Send + 'static {
    let (runtime, tracker) = (fixture.runtime(), Arc::clone(tracker));
    move || runtime.block_on(tracker.wait_for(|_| true, REACHED_WITHIN))
}

/// Waits until a peer has our handshake, and what follows it once we have the peer's if that has been `shaken`.
fn spoken(fixture: &Fixture, swarm: &Arc<FakeSwarm>, shaken: bool) -> impl FnOnce() -> bool + Send + 'static {
    let (runtime, swarm) = (fixture.runtime(), Arc::clone(swarm));
    let said = move |counts: &Counts| counts.received >= HANDSHAKE_LENGTH && counts.messages >= usize::from(shaken);
    move || runtime.block_on(swarm.wait_for(said, REACHED_WITHIN))
}

fn asking(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let tracker = fixture.tracker(TrackerScript::Silence)?;
    let case = case(fixture, 130)?.asks(&tracker).row(|row| row.says(json!({"status": "interrupted"})));
    Ok(interrupted(case, name, asked(fixture, &tracker)))
}

fn asking_web_seed(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let seed = fixture.web_seed(WebSeedScript::Silence)?;
    let row = |row: Row| row.web_seed(seed.url("/hostile")).checks(json!({"status": "interrupted", "complete": false}));
    let case = case(fixture, 130)?.row(row).dials_tracker(seed.addr()).keeps(Arc::clone(&seed));
    let runtime = fixture.runtime();
    Ok(interrupted(case, name, move || runtime.block_on(seed.wait_for(|_| true, REACHED_WITHIN))))
}

fn asking_over_udp(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let tracker = fixture.udp_tracker(UdpScript::silence())?;
    let case = case(fixture, 130)?.asks_over_udp(&tracker).row(|row| row.says(json!({"status": "interrupted"})));
    let runtime = fixture.runtime();
    Ok(interrupted(case, name, move || runtime.block_on(tracker.wait_for(|_| true, REACHED_WITHIN))))
}

/// Asks a tracker that names this one peer.
fn named(fixture: &Fixture, peer: std::net::SocketAddr, outcome: &'static str) -> Result<Case> {
    let tracker = fixture.tracker(TrackerScript::peers([peer]))?;
    Ok(case(fixture, 130)?.asks(&tracker).row(|row| row.says(json!({"status": "ok"})).finds([(peer, outcome)])))
}

fn dialling_peer(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let full = fixture.full_listener()?;
    let address = full.addr();
    let case = named(fixture, address, "interrupted")?.dials_peer(address).keeps(full);
    Ok(interrupted(case, name, move || syn_sent_to(address)))
}

/// A peer that refuses connections over TCP.
fn over_utp(peer: Peer) -> Peer {
    peer.only_utp(Tcp::Refuses)
}

/// Once this peer has heard from us. We take our leave of it, too.
fn met(fixture: &Fixture, name: &'static str, peer: Peer, outcome: &'static str) -> Result<Case> {
    let swarm = fixture.swarm(&[(peer_ip(0), peer)])?;
    let case = named(fixture, swarm.addr(peer_ip(0)).into(), outcome)?.meets(&swarm);
    let case = interrupted(case, name, spoken(fixture, &swarm, outcome == "ok"));
    let runtime = fixture.runtime();
    Ok(case.afterwards(move |_, _| {
        let is_left = runtime.block_on(swarm.wait_for(|counts| counts.open == 0, REACHED_WITHIN));
        Vec::from_iter((!is_left).then(|| "a peer still has a connection".to_owned()))
    }))
}

/// Once this peer has our public key and has told half of its own.
fn encrypting(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let encryption = Encryption::required_by(Responder::default());
    let peer = Peer { encryption, at_most: Some(48), ending: Ending::Stays, ..Peer::default() };
    Ok(met(fixture, name, peer, "interrupted")?.args("--encryption require"))
}

/// A run that is over, but for the goodbye to a tracker that does not answer it.
fn saying_goodbye(fixture: &Fixture, code: i32) -> Result<(Case, impl FnOnce() -> bool + Send + 'static)> {
    let tracker = fixture.tracker(TrackerScript::peers(Vec::<std::net::SocketAddr>::new()))?;
    let swarm = fixture.swarm(&[(peer_ip(0), Peer::silent())])?;
    let peer = swarm.addr(peer_ip(0));
    let case = Case::new(Row::new("goodbye", &fixture.torrent()?, code)).asks(&tracker).meets(&swarm);
    let case = case.args(&format!("--peer {peer} --handshake-timeout 1s"));
    let case = case.row(|row| row.says(json!({"status": "ok"})).finds([(peer, "handshake_timeout")]));
    let runtime = fixture.runtime();
    Ok((case, move || {
        let met = runtime.block_on(swarm.wait_for(|counts| counts.accepted > 0, REACHED_WITHIN));
        let asked = runtime.block_on(tracker.wait_for(|_| true, REACHED_WITHIN));
        tracker.set_script(TrackerScript::Silence);
        let stopped = |request: &fake_swarm::Request| request.event().as_deref() == Some("stopped");
        met && asked && runtime.block_on(tracker.wait_for(stopped, REACHED_WITHIN))
    }))
}

fn leaving(fixture: &Fixture, name: &'static str) -> Result<Case> {
    let (case, reached) = saying_goodbye(fixture, 130)?;
    Ok(interrupted(case, name, reached))
}

/// The second one does not wait for goodbyes.
fn twice(fixture: &Fixture, name: &'static str) -> Result<Case> {
    const AT_ONCE: Duration = Duration::from_secs(2);
    let tracker = fixture.tracker(TrackerScript::Silence)?;
    let case = case(fixture, 130)?.asks(&tracker).row(|row| row.says(json!({"status": "interrupted"})));
    let (runtime, asked) = (fixture.runtime(), Arc::clone(&tracker));
    let (told, tell) = std::sync::mpsc::channel();
    let case = case.meanwhile(move |id| {
        let event =
            |wanted: &'static str| move |request: &fake_swarm::Request| request.event().as_deref() == Some(wanted);
        for wanted in ["started", "stopped"] {
            if !runtime.block_on(asked.wait_for(event(wanted), REACHED_WITHIN)) {
                return Err(format!("the tracker is not told `{wanted}`"));
            }
            let _ = told.send(Instant::now());
            signal(id, name)?;
        }
        Ok(())
    });
    Ok(case.leaves_rudely().afterwards(move |_, seen| {
        let since = tell.iter().last().map_or(seen.took, |sent| seen.ended.saturating_duration_since(sent));
        Vec::from_iter((since > AT_ONCE).then(|| format!("it ends {since:?} after the second signal")))
    }))
}
