//! Peers at their worst.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::torrent::SingleFile;
use fake_swarm::{
    DEGENERATE_KEYS, Delivery, Encryption, Ending, FakeSwarm, Fault, HANDSHAKE_LENGTH, Peer, Responder, Speaks, Step,
    TrackerScript, bencoding, hostile, message, peer_ip,
};
use serde_json::{Value, json};
use xtask::shell::Result;

use super::super::row::Row;
use super::case::Case;
use super::fixture::{Fixture, LENGTH, PIECES};
use super::scenario::{Scenario, need, scenario};
use crate::report::Report;

/// More than a peer may say: the most that is read of one after its handshake, and a buffer.
const MOST_READ: u64 = (1 << 20) + (128 << 10);

/// Every scenario with peers in it.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("silence", |fixture| {
        one(fixture, Peer::silent(), json!({"outcome": "handshake_timeout", "bytes_received": 0}))
    })
    .needs(&[
        need("--handshake-timeout 60s --deadline 12s", "is not as expected"),
        need("--handshake-timeout 60s --deadline 60s", "it takes longer than"),
    ]),
    scenario("a listener that accepts no connection", accepts_none)
        .needs(&[need("--connect-timeout 60s --deadline 8s", "is not as expected")]),
    scenario("silence after each byte of the handshake", silence_after_each_byte),
    scenario("silence at each stage of encryption", silence_at_each_stage),
    scenario("silence after the handshake", |fixture| one(fixture, Peer::default(), ok(68)))
        .needs(&[need("--linger 50s --deadline 60s", "it takes longer than")]),
    scenario("a byte a second", |fixture| {
        one(fixture, Peer::slow(SECOND), json!({"outcome": "handshake_timeout", "stage": "handshake"}))
    }),
    scenario("a byte a second after the handshake", |fixture| {
        let delivery = Delivery::Trickle { from: HANDSHAKE_LENGTH, pause: SECOND };
        let peer = Peer { delivery, ..Peer::default() }.sending([message::bitfield(&[0xf0]), vec![0; 100]]);
        one(fixture, peer, json!({"outcome": "ok", "role": "unknown"}))
    }),
    scenario("keep-alives without end", |fixture| endless(fixture, Peer::default(), message::keep_alive()))
        .needs(&[need("--limit peer-bytes=1000000000000", "bytes were read")]),
    scenario("messages without end", |fixture| endless(fixture, Peer::default(), message::have(0))),
    scenario("unknown messages without end", |fixture| {
        endless(fixture, Peer::default(), message::message(99, &[0; 1000]))
    }),
    scenario("requests without end", |fixture| endless(fixture, Peer::default(), message::message(6, &[0; 12]))),
    scenario("garbage without end", |fixture| {
        let mut peer = Peer { instead: Some(vec![0xa5; 68]), ..Peer::default() };
        peer.after.push(Step::Repeat(vec![0xa5; 4096], Duration::ZERO));
        one(fixture, peer, json!({"outcome": "not_bittorrent"}))
    }),
    scenario("a message of 4 GiB", |fixture| {
        let peer =
            Peer::default().sending([message::framed(u32::MAX, 20, &[])]).repeating(vec![0; 1000], Duration::ZERO);
        at_most(fixture, peer, 64 << 10)
    })
    .needs(&[need("--limit message-bytes=4294967295", "bytes were read")]),
    scenario("a bitfield of 4 GiB", |fixture| {
        let peer =
            Peer::default().sending([message::framed(u32::MAX, 5, &[])]).repeating(vec![0; 1000], Duration::ZERO);
        at_most(fixture, peer, 64 << 10)
    }),
    scenario("odd extension handshakes", odd_extension_handshakes),
    scenario("an extension handshake that is too long", |fixture| {
        one(fixture, saying([message::extension_handshake(&hostile::oversize_dictionary(70_000))]), ok_untold())
    }),
    scenario("odd and contradictory pieces", odd_pieces),
    scenario("the bitfield of another torrent", |fixture| {
        let bits = message::bits(1000, |_| true);
        one(
            fixture,
            saying([message::bitfield(&bits)]),
            json!({"outcome": "ok", "role": "unknown", "completeness": null}),
        )
    }),
    scenario("public keys that betray the secret", degenerate_keys),
    scenario("a pad without end", |fixture| encrypted(fixture, Fault::EndlessPad)),
    scenario("sync never found", |fixture| encrypted(fixture, Fault::NoSync)),
    scenario("a wrong constant", |fixture| encrypted(fixture, Fault::WrongConstant)),
    scenario("reset after the handshake", |fixture| one(fixture, ending(Ending::Resets), json!({"outcome": "ok"}))),
    scenario("half-closed after the handshake", |fixture| one(fixture, ending(Ending::Closes), ok(68))),
    scenario("urgent data", urgent),
    scenario("the handshake of the dialling side", |fixture| {
        one(fixture, Peer::own_peer_id(), json!({"outcome": "own_peer_id"}))
    }),
    scenario("another torrent's handshake", |fixture| {
        one(fixture, Peer::wrong_hash(), json!({"outcome": "wrong_info_hash"}))
    }),
    scenario("said before it was asked", said_before_asked),
    scenario("2,000 long messages that never end", unfinished_messages)
        .needs(&[need("--limit buffer-bytes=1000000000000", "it takes more than 57 MiB")]),
    scenario("5,000 leeches that say much", talkative_leeches),
    scenario("5,000 leeches that say much, 500 at once", |fixture| {
        Ok(talkative_leeches(fixture)?.args("--concurrency 500 --linger 500ms").mebibytes(31))
    })
    .needs(&[need("--limit waiting-bytes=1000000000000", "it takes more than 31 MiB")]),
];

const SECOND: Duration = Duration::from_secs(1);

/// A good handshake, and this many bytes in all.
fn ok(bytes: u64) -> Value {
    json!({"outcome": "ok", "bytes_received": bytes})
}

/// A good handshake, and nothing that could be believed after it.
fn ok_untold() -> Value {
    json!({"outcome": "ok", "role": "unknown", "completeness": null, "extension": null})
}

/// A good peer that says these messages.
pub(super) fn saying(messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer::default().sending(messages)
}

/// A good peer that ends so after its handshake.
fn ending(ending: Ending) -> Peer {
    Peer { ending, ..Peer::default() }
}

/// A run with these peers and no tracker.
fn many(fixture: &Fixture, peers: &[(Ipv4Addr, Peer)], code: i32) -> Result<(Case, Arc<FakeSwarm>)> {
    let swarm = fixture.swarm(peers)?;
    let mut row = Row::new("peers", &fixture.torrent()?, code).args(["--sources", "none"]);
    for peer in swarm.endpoints() {
        row = row.args(["--peer".to_owned(), peer.to_string()]);
    }
    Ok((Case::new(row).meets(&swarm), swarm))
}

/// A run with one peer, on which the line must have these values.
pub(super) fn one(fixture: &Fixture, peer: Peer, wanted: Value) -> Result<Case> {
    let code = i32::from(wanted.get("outcome").is_none_or(|outcome| outcome != "ok"));
    let (case, swarm) = many(fixture, &[(peer_ip(0), peer)], code)?;
    Ok(case.row(|row| row.finds_one_of(swarm.addr(peer_ip(0)), vec![wanted])))
}

/// A run with one peer for each of these, on all of which the line must have the same values.
pub(super) fn alike(fixture: &Fixture, peers: impl IntoIterator<Item = Peer>, wanted: &Value) -> Result<Case> {
    let peers: Vec<_> = (0..).map(peer_ip).zip(peers).collect();
    let code = i32::from(wanted.get("outcome").is_none_or(|outcome| outcome != "ok"));
    let (mut case, swarm) = many(fixture, &peers, code)?;
    for peer in swarm.endpoints() {
        case = case.row(|row| row.finds_one_of(peer, vec![wanted.clone()]));
    }
    Ok(case)
}

/// A peer that shakes hands, and of which no more than this many bytes may be read.
pub(super) fn at_most(fixture: &Fixture, peer: Peer, most: u64) -> Result<Case> {
    let case = one(fixture, peer, json!({"outcome": "ok"}))?;
    Ok(case.afterwards(move |report, _| {
        let read =
            |report: &Report| report.lines_of("peer").filter_map(|line| line["bytes_received"].as_u64()).sum::<u64>();
        let read = read(report);
        Vec::from_iter((read > most).then(|| format!("{read} bytes were read, expected {most} at most")))
    }))
}

/// A peer that says the same again and again after its handshake.
pub(super) fn endless(fixture: &Fixture, peer: Peer, message: Vec<u8>) -> Result<Case> {
    at_most(fixture, peer.repeating(message, Duration::ZERO), MOST_READ)
}

/// The kernel drops what asks for a connection.
fn accepts_none(fixture: &Fixture) -> Result<Case> {
    let full = fixture.full_listener()?;
    let row = Row::new("no peer", &fixture.torrent()?, 1)
        .args(["--sources=none".to_owned(), format!("--peer={}", full.addr())]);
    let row = row.finds([(full.addr(), "connect_timeout")]);
    Ok(Case::new(row).dials_peer(full.addr()).keeps(full))
}

fn silence_after_each_byte(fixture: &Fixture) -> Result<Case> {
    let peer = |bytes| Peer { at_most: Some(bytes), ending: Ending::Stays, ..Peer::default() };
    alike(fixture, (0..HANDSHAKE_LENGTH).map(peer), &json!({"outcome": "handshake_timeout"}))
}

/// Nothing, a byte, all but one byte of the public key, the key, the pad, and so on through to the handshake.
fn silence_at_each_stage(fixture: &Fixture) -> Result<Case> {
    let responder = Responder { pad_b: 100, pad_d: 50, ..Responder::default() };
    let length = responder.length();
    let peer = |bytes| {
        let encryption = Encryption::required_by(responder.clone());
        Peer { at_most: Some(bytes), ending: Ending::Stays, encryption, ..Peer::default() }
    };
    let stages = [0, 1, 95, 96, 97, 196, 204, 208, 210, length - 1, length, length + 1, length + 67];
    let case = alike(fixture, stages.map(peer), &json!({"outcome": "encryption_failed"}))?;
    Ok(case.args("--encryption require"))
}

fn odd_extension_handshakes(fixture: &Fixture) -> Result<Case> {
    let peers = hostile::dictionaries().into_iter();
    let case = alike(
        fixture,
        peers.map(|(_, dictionary)| saying([message::extension_handshake(&dictionary), message::have_all()])),
        &json!({"outcome": "ok", "role": "seed"}),
    )?;
    Ok(case.row(Row::in_text).row(|row| row.args(["--all"])).afterwards(|report, _| {
        let odd = report.said.chars().find(|c| c.is_control() && *c != '\n');
        odd.map(|c| format!("{c:?} reaches the terminal")).into_iter().collect()
    }))
}

/// All of them shake hands, and none has more pieces than there are.
fn odd_pieces(fixture: &Fixture) -> Result<Case> {
    let peers = hostile::pieces(PIECES).into_iter().map(|(_, messages)| saying(messages));
    let case = alike(fixture, peers, &json!({"outcome": "ok"}))?;
    Ok(case.afterwards(|report, _| {
        let have = report.lines_of("peer").filter_map(|line| line.pointer("/completeness/have")?.as_u64());
        Vec::from_iter(have.filter(|have| *have > u64::from(PIECES)).map(|have| format!("a peer has {have} pieces")))
    }))
}

/// A responder that does this wrong, met by a run that insists on encryption.
fn encrypted(fixture: &Fixture, fault: Fault) -> Result<Case> {
    let responder = Responder { fault: Some(fault), ..Responder::default() };
    let peer = Peer { encryption: Encryption::required_by(responder), ..Peer::default() };
    Ok(one(fixture, peer, json!({"outcome": "encryption_failed"}))?.args("--encryption require"))
}

fn degenerate_keys(fixture: &Fixture) -> Result<Case> {
    let peers = DEGENERATE_KEYS.into_iter().map(|key| {
        let responder = Responder { fault: Some(Fault::Key(key)), ..Responder::default() };
        Peer { encryption: Encryption::required_by(responder), ..Peer::default() }
    });
    Ok(alike(fixture, peers, &json!({"outcome": "encryption_failed"}))?.args("--encryption require"))
}

/// A byte beside the stream before the handshake, and one after all that is said.
fn urgent(fixture: &Fixture) -> Result<Case> {
    let mut after = Peer::default().sending([message::have_all()]);
    after.after.push(Step::Urgent(b'!'));
    let mut before = Peer { instead: Some(Vec::new()), ..Peer::default() };
    let handshake = fake_swarm::handshake(fake_swarm::RESERVED, &fixture.info_hash(), b"-qB4520-abcdefghijkl");
    before.after = vec![Step::Urgent(b'!'), Step::Send([handshake.to_vec(), message::have_all()].concat())];
    alike(fixture, [after, before], &json!({"outcome": "ok", "role": "seed"}))
}

/// A whole conversation before our first byte has come.
fn said_before_asked(fixture: &Fixture) -> Result<Case> {
    let peer = Peer { speaks: Speaks::OnAccept, ..Peer::default() };
    let peer =
        peer.sending([message::bitfield(&message::bits(PIECES, |_| true))]).sending(vec![message::have(1); 1000]);
    one(fixture, peer, json!({"outcome": "ok", "role": "seed"}))
}

/// Each is held back to the last byte, while memory for all of them is asked for.
fn unfinished_messages(fixture: &Fixture) -> Result<Case> {
    const COUNT: u32 = 2000;
    let unfinished: Peer = saying([message::framed(64_000, 20, &[b'd'; 63_000])]);
    let peers: Vec<_> = (0..COUNT).map(|number| (peer_ip(number), unfinished.clone())).collect();
    // Without the bound it is 62 MiB and more.
    Ok(crowd(fixture, &SingleFile::new("hostile", LENGTH), &peers, json!({"peers": COUNT, "ok": COUNT}))?.mebibytes(57))
}

/// All of them lack a piece that no peer has, and a few others that some have: only the end of the run can tell what they
/// are. And all say as much as is kept of one peer.
fn talkative_leeches(fixture: &Fixture) -> Result<Case> {
    const COUNT: u32 = 5000;
    const MANY_PIECES: u32 = 1000;
    let torrent = SingleFile::new("hostile", u64::from(MANY_PIECES) << 18);
    let introduction = message::extension_handshake(&talkative());
    let peer = |number: u32| {
        let bits = message::bits(MANY_PIECES, |piece| piece != 0 && piece % 97 != number % 97);
        (peer_ip(number), saying([introduction.clone(), message::bitfield(&bits)]))
    };
    let peers: Vec<_> = (0..COUNT).map(peer).collect();
    crowd(fixture, &torrent, &peers, json!({"peers": COUNT, "ok": COUNT, "roles": {"leech": COUNT}}))
}

/// An extension handshake with as many names in it as are kept.
fn talkative() -> Vec<u8> {
    let names = (1..200).map(|number| (format!("{number:03}{}", "x".repeat(60)), bencoding::integer(number)));
    bencoding::dictionary([("m", bencoding::dictionary(names)), ("v", bencoding::string("x".repeat(1000)))])
}

/// More peers than a command line names, from a tracker.
fn crowd(fixture: &Fixture, torrent: &SingleFile<'_>, peers: &[(Ipv4Addr, Peer)], sum: Value) -> Result<Case> {
    let swarm = fixture.swarm_of(torrent.info_hash(), peers)?;
    let tracker = fixture.tracker(TrackerScript::peers(swarm.endpoints()))?;
    let row = Row::new("many peers", &fixture.torrent_of(torrent)?, 0).says(json!({"status": "ok"})).sums_up(sum);
    // Thousands of peers are played by the machine that is being watched, which may be busy.
    let case = Case::new(row).args("--connect-timeout 40s --handshake-timeout 40s --deadline 80s");
    Ok(case.asks(&tracker).meets(&swarm).within(Duration::from_secs(90)))
}
