//! The deadlines of one attempt: connecting, and both kinds of handshake.

use crate::deadlines::{assert_took, millis, requiring, timed};
use crate::lab::{PATIENCE, config, encrypted, lab, plaintext, report_of, run};
use client::{Config, Encryption, EncryptionPolicy, Outcome, Sources, Stage, Transport, TransportPolicy};
use fake_swarm::{Delivery, Ending, FullListener, Mse, Peer, Responder};
use std::time::Duration;
use tracker::PeerAddress;

/// Not a multiple of the pause between two bytes of a slow peer.
const TIMEOUT: Duration = millis(5500);
const SECOND: Duration = Duration::from_secs(1);

fn policy(encryption: EncryptionPolicy) -> Config {
    config().with_encryption(encryption).with_handshake_timeout(TIMEOUT)
}

fn trickling(from: usize, peer: Peer) -> Peer {
    Peer { delivery: Delivery::Trickle { from, pause: SECOND }, ..peer }
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_connection_ends_at_the_connect_timeout() {
    let unanswering = FullListener::start().unwrap();
    for timeout in [millis(5000), millis(750)] {
        let config = config()
            .with_connect_timeout(timeout)
            .with_peers(vec![PeerAddress::Socket(unanswering.addr())])
            .with_sources(Sources::NONE);
        let told = run(&lab([]).torrent, config).await;
        let report = report_of(&told, unanswering.addr());
        assert_eq!((report.outcome, report.stage, report.connect), (Outcome::ConnectTimeout, Stage::Connect, None));
        let error = format!("no connection within {} s", timeout.as_secs_f32());
        assert_eq!(report.error, Some(error));
        assert_took(told.summary.elapsed, timeout, "no connection");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_one_deadline_that_bytes_do_not_extend() {
    // One byte at 0 s, 1 s, … 5 s.
    for (peer, bytes) in [(Peer::silent(), 0), (Peer::slow(SECOND), 6), (Peer::slow(millis(100)), 55)] {
        let (_, told, took) = timed([peer.clone()], policy(EncryptionPolicy::Off)).await;
        let report = &told.peers[0];
        assert_eq!((report.outcome, report.stage), (Outcome::HandshakeTimeout, Stage::Handshake), "{peer:?}");
        assert!(report.connect.is_some() && report.handshake.is_none(), "{report:?}");
        let error = report.error.as_deref().unwrap();
        assert!(error.contains("5.5 s"), "{error}");
        assert_eq!(report.bytes_received, bytes, "{peer:?}");
        assert_took(took, TIMEOUT, "no handshake");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_handshake_within_the_deadline_is_ok() {
    let (_, told, took) = timed([Peer::slow(millis(80))], policy(EncryptionPolicy::Off)).await;
    assert_eq!(told.peers[0].outcome, Outcome::Ok);
    assert_took(told.peers[0].handshake.unwrap(), millis(67 * 80), "68 bytes");
    assert_took(took, millis(67 * 80), "the run");
}

/// One of a tracker is overdue after two seconds and what the network adds; the user's is asked for by name.
#[tokio::test(start_paused = true)]
async fn a_busy_peer_is_waited_for_by_the_users_word() {
    let lab = lab([Peer { delay: 4 * SECOND, ..Peer::default() }]);
    let peer = lab.swarm.endpoints()[0].into();
    for (by_user, outcome, took) in [(false, Outcome::HandshakeTimeout, millis(2500)), (true, Outcome::Ok, 4 * SECOND)]
    {
        let mut config = config();
        config.handshake_timeout = None;
        let named = config.clone().with_peers(vec![PeerAddress::Socket(peer)]).with_sources(Sources::NONE);
        let told = run(&lab.torrent, if by_user { named } else { config }).await;
        assert_eq!(told.peers[0].outcome, outcome);
        assert_took(told.summary.elapsed, took, "the run");
    }
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_handshake_has_one_deadline_twice_as_long() {
    let responder = Responder { pad_b: 20, pad_d: 7, ..Responder::default() };
    let negotiated = responder.length();
    let speaking = || requiring(Mse::Spoken(responder.clone()));
    // Each of the three parts within the plaintext timeout, all of them together too late.
    let in_three = Delivery::Cut { at: vec![96, negotiated], pause: TIMEOUT };
    let peers = [
        ("silence", Peer::silent()),
        ("a trickle", trickling(0, speaking())),
        ("a trickle behind the key", trickling(96, speaking())),
        ("a trickle behind the negotiation", trickling(negotiated, speaking())),
        ("three parts", Peer { delivery: in_three, delay: SECOND, ..speaking() }),
    ];
    for (what, peer) in peers {
        let (lab, told, took) = timed([peer], policy(EncryptionPolicy::Require)).await;
        let report = &told.peers[0];
        assert_eq!((report.outcome, report.stage), (Outcome::EncryptionFailed, Stage::Handshake), "{what}");
        assert_eq!(report.error.as_deref(), Some("no encrypted handshake within 11 s"), "{what}");
        assert_took(took, TIMEOUT * 2, what);
        assert_eq!(lab.swarm.accepted(), 1, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_encrypted_handshake_within_the_deadline_is_ok() {
    let responder = Responder::default();
    let at = vec![96, responder.length()];
    let delivery = Delivery::Cut { at, pause: millis(5000) };
    let peer = Peer { delivery, ..requiring(Mse::Spoken(responder)) };
    let (_, told, took) = timed([peer], policy(EncryptionPolicy::Require)).await;
    assert_eq!((told.peers[0].outcome, told.peers[0].encryption), (Outcome::Ok, Encryption::Rc4));
    assert_took(told.peers[0].handshake.unwrap(), millis(10_000), "two pauses");
    assert_took(took, millis(10_000), "the run");
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_that_stalls_ends_after_its_pause_and_its_own_deadline() {
    let peers = [
        ("never answers", requiring(Mse::Refused(Ending::Stays))),
        ("answers too late", Peer { delay: PATIENCE, ..requiring(Mse::Spoken(Responder::default())) }),
        ("trickles", trickling(0, requiring(Mse::Spoken(Responder::default())))),
    ];
    for (what, peer) in peers {
        let config = policy(EncryptionPolicy::PreferPlain).with_transport(TransportPolicy::Tcp);
        let (lab, told, took) = timed([peer], config).await;
        let report = &told.peers[0];
        // Neither attempt came further: the report is that of the first.
        assert_eq!((report.outcome, report.encryption), (Outcome::ClosedBeforeHandshake, Encryption::None), "{what}");
        assert_eq!((plaintext(report), encrypted(report)), (Some("refused"), Some("refused")), "{what}");
        let other: Vec<_> = report.other_errors().collect();
        assert_eq!(other, ["no encrypted handshake within 11 s"], "{what}");
        assert_took(took, millis(500) + TIMEOUT * 2, what);
        assert_eq!(lab.swarm.accepted(), 2, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_and_is_then_silent_to_encryption_is_tried_over_utp() {
    let peer = requiring(Mse::Refused(Ending::Stays));
    let (_, told, _) = timed([peer], policy(EncryptionPolicy::PreferPlain)).await;
    let tried: Vec<_> = told.peers[0].attempts.iter().map(|attempt| (attempt.transport, attempt.encryption)).collect();
    let tcp = Transport::Tcp;
    assert_eq!(tried, [(tcp, Encryption::None), (tcp, Encryption::Rc4), (Transport::Utp, Encryption::None)]);
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_in_the_clear_has_the_deadline_of_one() {
    let stays = fake_swarm::Encryption { mse: Mse::Refused(Ending::Closes), ..fake_swarm::Encryption::default() };
    let peer = Peer { delay: PATIENCE, encryption: stays, ..Peer::default() };
    let (lab, told, took) = timed([peer], policy(EncryptionPolicy::Prefer)).await;
    let report = &told.peers[0];
    assert_eq!((report.outcome, report.encryption), (Outcome::HandshakeTimeout, Encryption::None), "{report:?}");
    assert_eq!((plaintext(report), encrypted(report)), (Some("failed"), Some("refused")));
    assert_took(took, millis(500) + TIMEOUT, "closed on encryption, silent in the clear");
    assert_eq!(lab.swarm.accepted(), 2);
}

#[tokio::test(start_paused = true)]
async fn second_attempts_of_many_pause_at_the_same_time() {
    let peers = std::iter::repeat_n(requiring(Mse::Spoken(Responder::default())), 30);
    let (lab, told, took) = timed(peers, policy(EncryptionPolicy::PreferPlain)).await;
    assert_eq!((told.summary.ok, lab.swarm.accepted()), (30, 60));
    assert!(told.peers.iter().all(|report| report.encryption == Encryption::Rc4));
    assert_took(took, millis(500), "one pause");
}
