//! Peers over uTP (BEP 29) at their worst: those of TCP, and what no stream lets through.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::{
    Encryption, Ending, FakeUtpPeer, Fault, HANDSHAKE_LENGTH, Peer, RESERVED, Responder, Tcp, TrackerScript, UtpPacket,
    UtpQuestion, UtpReply, UtpScript, handshake, hostile, message, peer_ip,
};
use serde_json::{Value, json};
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, PIECES};
use super::peers::{alike, at_most, endless, one, saying};
use super::scenario::{Scenario, need, scenario};

/// Every scenario with peers over uTP in it.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("silence over uTP", |fixture| silence(fixture, Peer::silent())),
    scenario("bytes one by one over uTP", |fixture| silence(fixture, Peer::slow(Duration::from_millis(100)))),
    // Without its limit it is judged over TCP: over uTP it would keep a core busy for seconds, and others waiting.
    scenario("keep-alives without end over uTP", |fixture| {
        endless(fixture, over_utp(Peer::default()), message::keep_alive())
    }),
    scenario("a message of 4 GiB over uTP", |fixture| {
        let peer = saying([message::framed(u32::MAX, 20, &[])]).repeating(vec![0; 1000], Duration::ZERO);
        at_most(fixture, over_utp(peer), 64 << 10)
    }),
    scenario("odd pieces and extension handshakes over uTP", |fixture| {
        let odd = hostile::pieces(PIECES).into_iter().map(|(_, messages)| saying(messages));
        let dictionaries = hostile::dictionaries().into_iter();
        let odd = odd.chain(dictionaries.map(|(_, odd)| saying([message::extension_handshake(&odd)])));
        let case = alike(fixture, odd.map(over_utp), &json!({"outcome": "ok", "transport": "utp"}))?;
        Ok(case.args("--linger 200ms"))
    }),
    scenario("encryption that fails over uTP", |fixture| {
        let peers = [Fault::EndlessPad, Fault::NoSync, Fault::WrongConstant].map(|fault| {
            let responder = Responder { fault: Some(fault), ..Responder::default() };
            over_utp(Peer { encryption: Encryption::required_by(responder), ..Peer::default() })
        });
        let case = alike(fixture, peers, &json!({"outcome": "encryption_failed", "transport": "utp"}))?;
        Ok(case.args("--encryption require --handshake-timeout 1s"))
    }),
    scenario("closed and reset over uTP", |fixture| {
        let end = |ending| [0, 1, 67].map(|bytes| over_utp(Peer { at_most: Some(bytes), ending, ..Peer::default() }));
        let peers = end(Ending::Closes).into_iter().chain(end(Ending::Resets));
        Ok(alike(fixture, peers, &json!({"transport": "utp", "stage": "handshake"}))?.args("--encryption off"))
    }),
    scenario("faulty packets over uTP beside the right ones", |fixture| {
        let scripts = hostile::utp(&good(fixture)).into_iter().map(|(_, script)| script);
        let case = by_hand(fixture, scripts, &json!({"outcome": "ok", "bytes_received": HANDSHAKE_LENGTH}))?;
        Ok(case.args("--linger 200ms"))
    }),
    scenario("strangers in the place of a peer over uTP", |fixture| {
        let stranger = UdpSocket::bind("127.9.9.9:0").map_err(|error| format!("no socket: {error}"))?;
        let script = good(fixture).edited(move |question, _| strangers(&stranger, question));
        let case = by_hand(fixture, [script], &json!({"outcome": "ok", "bytes_received": HANDSHAKE_LENGTH}))?;
        Ok(case.args("--linger 200ms"))
    }),
    scenario("resets and ends over uTP at every state", ends),
    scenario("peers over uTP that never say anything", |fixture| {
        let state = || good(fixture).from_then_on(1, UtpPacket::STATE);
        let scripts = [
            state(),
            state().each(|packet| packet.window = 0),
            state().again(Duration::from_millis(1)),
            good(fixture).edited(|question, reply| reply.packets.truncate(usize::from(question.before == 0))),
            good(fixture).edited(ahead).each(|it| it.seq = it.seq.wrapping_add(u16::from(it.kind == UtpPacket::DATA))),
        ];
        let case = by_hand(fixture, scripts, &json!({"outcome": "handshake_timeout", "transport": "utp"}))?;
        Ok(case.args("--handshake-timeout 1s").within(Duration::from_secs(10)))
    }),
    scenario("10,000 half-open uTP connections", half_open),
    scenario("200 peers over uTP with a packet missing", missing)
        .needs(&[need("--limit buffer-bytes=1000000000000", "it takes more than")]),
];

/// A peer that refuses connections over TCP.
fn over_utp(peer: Peer) -> Peer {
    peer.only_utp(Tcp::Refuses)
}

/// No handshake in a second.
fn silence(fixture: &Fixture, peer: Peer) -> Result<Case> {
    let wanted = json!({"outcome": "handshake_timeout", "stage": "handshake", "transport": "utp"});
    Ok(one(fixture, over_utp(peer), wanted)?.args("--handshake-timeout 1s").within(Duration::from_secs(10)))
}

/// A peer made by hand that shakes hands.
fn good(fixture: &Fixture) -> UtpScript {
    UtpScript::saying(handshake(RESERVED, &fixture.info_hash(), b"-UT3550-abcdefghijkl"))
}

/// A run with a peer for each of these scripts.
fn dialling(
    fixture: &Fixture,
    scripts: impl IntoIterator<Item = UtpScript>,
    code: i32,
) -> Result<(Case, Vec<Arc<FakeUtpPeer>>)> {
    let peers = scripts.into_iter().zip(0..).map(|(script, number)| fixture.utp_peer(peer_ip(number), script));
    let peers = peers.collect::<Result<Vec<_>>>()?;
    let row = Row::new("uTP", &fixture.torrent()?, code).args(["--sources", "none"]);
    let row = peers.iter().fold(row, |row, peer| row.args([format!("--peer={}", peer.addr())]));
    Ok((peers.iter().fold(Case::new(row), |case, peer| case.dials_peer(peer.addr())), peers))
}

/// The same; on all of them the line must have these values, and all are told that we leave.
fn by_hand(fixture: &Fixture, scripts: impl IntoIterator<Item = UtpScript>, wanted: &Value) -> Result<Case> {
    const SOON: Duration = Duration::from_secs(2);
    let code = i32::from(wanted["outcome"] != "ok");
    let (case, peers) = dialling(fixture, scripts, code)?;
    let case =
        peers.iter().fold(case, |case, peer| case.row(|row| row.finds_one_of(peer.addr(), vec![wanted.clone()])));
    let runtime = fixture.runtime();
    Ok(case.afterwards(move |_, _| {
        let is_reset = |question: &UtpQuestion| question.packet.as_ref().is_some_and(|it| it.kind == UtpPacket::RESET);
        let kept = peers.iter().filter(|peer| !runtime.block_on(peer.wait_for(is_reset, SOON)));
        kept.map(|peer| format!("{} still has a connection: {:?}", peer.addr(), peer.kinds())).collect()
    }))
}

/// To the SYN, and to the handshake.
fn ends(fixture: &Fixture) -> Result<Case> {
    let end = |kind| [0, 1].map(|before| good(fixture).from_then_on(before, kind));
    let (case, peers) = dialling(fixture, end(UtpPacket::RESET).into_iter().chain(end(UtpPacket::FIN)), 1)?;
    let closed = "closed_before_handshake";
    let case = peers.iter().zip(["connect_reset", closed, closed, closed]).fold(case, |case, (peer, outcome)| {
        let attempts = json!([{"outcome": "connect_refused"}, {"transport": "utp", "outcome": outcome}]);
        case.row(|row| row.finds_one_of(peer.addr(), vec![json!({"attempts": attempts})]))
    });
    Ok(case.args("--encryption off").keeps(peers))
}

/// Packets for our connection and SYNs from elsewhere, 250 for each that we send.
fn strangers(stranger: &UdpSocket, question: &UtpQuestion) {
    let kinds = [UtpPacket::RESET, UtpPacket::FIN, UtpPacket::DATA, UtpPacket::STATE, UtpPacket::SYN];
    for number in 0..50 {
        for mut packet in kinds.into_iter().filter_map(|kind| question.answer(kind)) {
            packet.id = packet.id.wrapping_add(if packet.kind == UtpPacket::SYN { number } else { 0 });
            // One that is lost is not missed.
            let _ = stranger.send_to(&packet.to_bytes(), question.remote);
        }
    }
}

/// For each acknowledgement a packet that is ahead of a missing one, as long as such packets are taken.
fn ahead(question: &UtpQuestion, reply: &mut UtpReply) {
    const FIRST: usize = 2;
    const PACKETS: usize = 100;
    if let Some(data) = question.answer(UtpPacket::DATA).filter(|_| (FIRST..FIRST + PACKETS).contains(&question.before))
    {
        let seq = data.seq.wrapping_add(u16::try_from(question.before).unwrap_or(0));
        reply.packets.push(UtpPacket { seq, payload: vec![0; 1_300], ..data });
    }
}

/// Addresses that refuse TCP and are silent over UDP: each has a SYN, and is left in time.
fn half_open(fixture: &Fixture) -> Result<Case> {
    const COUNT: u32 = 10_000;
    let refusing = fixture.swarm(&[(peer_ip(0), Peer::refusing())])?;
    let port = refusing.addr(peer_ip(0)).port();
    let silent = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).map_err(|error| format!("no socket: {error}"))?;
    let peers = (0..COUNT).map(|number| SocketAddr::from((peer_ip(number), port)));
    let tracker = fixture.tracker(TrackerScript::peers(peers))?;
    let row = Row::new("half-open", &fixture.torrent()?, 1).says(json!({"status": "ok"}));
    let row = row.sums_up(json!({"peers": COUNT, "outcomes": {"connect_refused": COUNT}}));
    let case = Case::new(row)
        .args("--max-peers 10000 --concurrency 10000 --connect-timeout 1s --encryption off --deadline 5m");
    Ok(case.asks(&tracker).dials_port(port).keeps((refusing, silent)).within(Duration::from_secs(60)))
}

/// What comes before its turn is kept as far as there is room; handshakes, which are next, come through all the same.
fn missing(fixture: &Fixture) -> Result<Case> {
    const COUNT: u32 = 200;
    let (case, peers) = dialling(fixture, (0..COUNT).map(|_| good(fixture).edited(ahead)), 0)?;
    let case = case.row(|row| row.sums_up(json!({"peers": COUNT, "ok": COUNT}))).keeps(peers);
    Ok(case.args("--linger 4s --limit buffer-bytes=1000000").mebibytes(20))
}
