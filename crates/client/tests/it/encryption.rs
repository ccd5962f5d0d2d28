//! Second attempts with the other encryption: scripted peers of every policy, and what the report says of each.

use crate::lab::{PATIENCE, config, encrypted, lab_of_pieces, plaintext, run, told_by};
use client::{Config, Encryption, EncryptionPolicy, Outcome, PeerReport, Role};
use fake_swarm::{DEGENERATE_KEYS, Ending, Fault, Mse, PLAINTEXT, Peer, Plaintext, RC4, Responder, Select, message};
use std::time::Duration;

const PIECES: u32 = 100;

fn policy(encryption: EncryptionPolicy) -> Config {
    config().with_encryption(encryption).with_handshake_timeout(Duration::from_secs(1))
}

/// A peer that accepts no plaintext and answers MSE so.
fn requiring(responder: Responder) -> Peer {
    Peer { encryption: fake_swarm::Encryption::required_by(responder), ..Peer::default() }
}

fn tried(report: &PeerReport) -> (Outcome, Encryption, Option<&'static str>, Option<&'static str>) {
    (report.outcome, report.encryption, plaintext(report), encrypted(report))
}

const TOOK_IT: (Outcome, Encryption, Option<&'static str>, Option<&'static str>) =
    (Outcome::Ok, Encryption::Rc4, Some("refused"), Some("ok"));

#[tokio::test]
async fn a_peer_that_requires_encryption_is_ok_in_the_second_attempt() {
    let pads = |pad_b, pad_d| Responder { pad_b, pad_d, ..Responder::default() };
    let refusing = |ending| Peer {
        encryption: fake_swarm::Encryption {
            plaintext: Plaintext::Refused(ending),
            ..fake_swarm::Encryption::required()
        },
        ..Peer::default()
    };
    let peers = [
        requiring(pads(0, 0)),
        requiring(pads(512, 0)),
        requiring(pads(0, 512)),
        requiring(pads(512, 512)),
        requiring(Responder::selecting(Select::Exactly(RC4))),
        refusing(Ending::Closes),
        refusing(Ending::Resets),
        // Closes a second connection that comes within 500 ms of the first.
        Peer { throttle: Duration::from_millis(500), ..requiring(pads(100, 100)) },
        Peer {
            delivery: fake_swarm::Delivery::Cut { at: vec![1, 95, 97, 300, 400], pause: Duration::from_millis(5) },
            ..requiring(pads(300, 10))
        },
    ];
    let said = |peer: Peer| peer.sending([message::extension_handshake(b"d1:v8:A cliente"), message::have_all()]);
    let peers = peers.map(said);
    let count = peers.len();
    let config = policy(EncryptionPolicy::PreferPlain).with_linger(Duration::from_secs(3));
    let (lab, told) = told_by(PIECES, peers, config).await;
    for (report, endpoint) in told.peers.iter().zip(lab.swarm.endpoints()) {
        assert_eq!(tried(report), TOOK_IT, "{report:?}");
        assert_eq!(report.role, Role::Seed, "{report:?}");
        let connections = lab.swarm.connections(*endpoint.ip());
        assert_eq!(connections.len(), 2);
        assert!(connections[1].since_first >= Duration::from_millis(500), "{:?}", connections[1].since_first);
        let ours = connections[1].mse.unwrap();
        assert_eq!((ours.provide, ours.initial_payload), (RC4, 68));
        assert!((1..=512).contains(&ours.pad_a), "{ours:?}");
        assert!(report.hint().unwrap().contains("likely requires it"));
    }
    assert_eq!(told.summary.ok, count);
}

/// libtorrent sends its key, then more, which Nagle's algorithm holds back until the key is acknowledged. Linux delays an
/// acknowledgement by 40 ms at least, unless quick ones are asked for.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_peer_with_nagle_does_not_wait_for_a_delayed_acknowledgement() {
    let delivery = fake_swarm::Delivery::Cut { at: vec![96, 150, 300], pause: Duration::ZERO };
    let responder = Responder { pad_b: 200, pad_d: 20, ..Responder::default() };
    let peer = Peer { nagle: true, delivery, ..requiring(responder) };
    // On a busy machine some are late for other reasons, but not all of them.
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let (_, told) = told_by(PIECES, std::iter::repeat_n(peer.clone(), 10), policy(EncryptionPolicy::Require)).await;
        assert_eq!(told.summary.ok, 10);
        quickest = told.peers.iter().filter_map(|report| report.handshake).fold(quickest, Duration::min);
        if quickest < Duration::from_millis(40) {
            return;
        }
    }
    panic!("{quickest:?}");
}

/// This peer makes a short secret of any key: a third attempt would fail as well, and there is none.
#[tokio::test]
async fn a_key_that_makes_a_short_secret_is_drawn_again_once() {
    let fault = Some(Fault::ShortSecret);
    let peer = requiring(Responder { fault, ..Responder::default() });
    for (encryption, before) in [(EncryptionPolicy::Require, 0), (EncryptionPolicy::PreferPlain, 1)] {
        let (lab, told) = told_by(PIECES, [peer.clone()], policy(encryption)).await;
        assert_eq!((told.peers[0].outcome, told.peers[0].encryption), (Outcome::Ok, Encryption::Rc4));
        let connections = lab.swarm.connections(*lab.swarm.endpoints()[0].ip());
        let tried: Vec<bool> = connections[before..].iter().map(|connection| connection.mse.is_some()).collect();
        assert_eq!(tried, [false, true], "{connections:?}");
        let pause = connections[before + 1].since_first - connections[before].since_first;
        assert!(pause >= Duration::from_millis(500), "{pause:?}");
    }
}

#[tokio::test]
async fn encrypted_bytes_are_counted_once_however_they_are_split() {
    let responder = Responder { pad_b: 20, pad_d: 7, ..Responder::default() };
    let length = responder.length() + fake_swarm::HANDSHAKE_LENGTH + message::have_all().len();
    let whole = Peer { reserved: [0, 0, 0, 0, 0, 0, 0, 4], ..requiring(responder) }.sending([message::have_all()]);
    let trickle = fake_swarm::Delivery::Trickle { from: 0, pause: Duration::from_millis(1) };
    let peers = [whole.clone(), Peer { delivery: trickle, ..whole }];
    // A busy machine makes each pause some ten times as long.
    let patient = policy(EncryptionPolicy::Require).with_handshake_timeout(PATIENCE);
    let (_, told) = told_by(PIECES, peers, patient.with_linger(Duration::from_secs(3))).await;
    assert_eq!([told.peers[0].bytes_received, told.peers[1].bytes_received], [length; 2]);
}

#[tokio::test]
async fn the_outcome_of_plaintext_stays_when_encryption_fails_too() {
    let faulty = |fault| requiring(Responder { fault: Some(fault), ..Responder::default() });
    let dying = |at| Peer { at_most: Some(at), ending: Ending::Closes, ..requiring(Responder::default()) };
    let mut peers: Vec<Peer> = DEGENERATE_KEYS.iter().map(|key| faulty(Fault::Key(*key))).collect();
    peers.extend([
        faulty(Fault::EndlessPad),
        faulty(Fault::NoSync),
        faulty(Fault::WrongConstant),
        requiring(Responder::selecting(Select::Exactly(PLAINTEXT))),
        requiring(Responder::selecting(Select::Always(PLAINTEXT))),
        requiring(Responder::selecting(Select::Always(3))),
        requiring(Responder::selecting(Select::Always(0))),
        dying(0),
        dying(50),
        dying(96),
        dying(100),
        // Longer than the handshake timeout.
        Peer { throttle: Duration::from_secs(60), ..requiring(Responder::default()) },
    ]);
    let peers = peers.into_iter().chain([Peer::closing(), Peer::resetting(), Peer::closing_on_accept()]);
    let (_, told) = told_by(PIECES, peers, policy(EncryptionPolicy::PreferPlain)).await;
    for report in &told.peers {
        assert_eq!(
            (report.outcome, report.encryption),
            (Outcome::ClosedBeforeHandshake, Encryption::None),
            "{report:?}"
        );
        assert_eq!(plaintext(report), Some("refused"), "{report:?}");
        assert!(matches!(encrypted(report), Some("refused" | "failed")), "{report:?}");
        assert_eq!(report.other_errors().count(), report.attempts.len() - 1, "{report:?}");
        assert!(report.encrypted_end().is_some(), "{report:?}");
        assert!(!report.hint().unwrap().contains("requires encryption"), "{report:?}");
    }
    assert_eq!(told.summary.peers, 20);
}

#[tokio::test]
async fn an_outcome_that_encryption_cannot_explain_has_no_second_attempt() {
    let peers = [
        Peer::default(),
        Peer::silent(),
        Peer::refusing(),
        Peer::wrong_hash(),
        Peer::own_peer_id(),
        Peer::garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    let count = peers.len();
    let (lab, told) = told_by(PIECES, peers, policy(EncryptionPolicy::PreferPlain)).await;
    // A closed port accepts no connection.
    assert_eq!((lab.swarm.accepted(), told.peers.len()), (count - 1, count));
    assert!(told.peers.iter().all(|report| encrypted(report).is_none()));
}

#[tokio::test]
async fn random_bytes_and_a_short_answer_cause_a_second_attempt() {
    // As a number larger than the prime, so that it is no valid key.
    let random = [0xff; 9].into_iter().chain((9..96_u8).map(|byte| byte.wrapping_mul(37).wrapping_add(128))).collect();
    let peers = [Peer::garbage(random), Peer::short(30)];
    let (lab, told) = told_by(PIECES, peers, policy(EncryptionPolicy::PreferPlain)).await;
    assert_eq!(lab.swarm.accepted(), 4);
    assert_eq!(told.peers[0].outcome, Outcome::NotBittorrent);
    assert_eq!(told.peers[1].outcome, Outcome::ShortHandshake);
}

#[tokio::test]
async fn each_policy_makes_its_attempts_and_announces_its_flag() {
    use EncryptionPolicy::{Off, Prefer, PreferPlain, Require};
    let plain = || Peer::default();
    let both = || Peer { encryption: fake_swarm::Encryption::enabled(), ..Peer::default() };
    let required = || requiring(Responder::default());
    let waits = || Peer {
        encryption: fake_swarm::Encryption { mse: Mse::Refused(Ending::Stays), ..fake_swarm::Encryption::default() },
        ..Peer::default()
    };
    let ok_tcp = (Outcome::Ok, Encryption::None, Some("ok"));
    let ok_mse = (Outcome::Ok, Encryption::Rc4);
    for (encryption, crypto) in
        [(PreferPlain, "supportcrypto"), (Prefer, "supportcrypto"), (Require, "requirecrypto"), (Off, "")]
    {
        let peers = [plain(), both(), required(), waits()];
        let (lab, told) = told_by(PIECES, peers, policy(encryption)).await;
        let found: Vec<_> = told.peers.iter().map(tried).collect();
        let expected = match encryption {
            PreferPlain => vec![
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, None),
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, None),
                TOOK_IT,
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, None),
            ],
            Prefer => vec![
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, Some("refused")),
                (ok_mse.0, ok_mse.1, None, Some("ok")),
                (ok_mse.0, ok_mse.1, None, Some("ok")),
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, Some("refused")),
            ],
            Require => vec![
                (Outcome::EncryptionFailed, Encryption::Rc4, None, Some("refused")),
                (ok_mse.0, ok_mse.1, None, Some("ok")),
                (ok_mse.0, ok_mse.1, None, Some("ok")),
                (Outcome::EncryptionFailed, Encryption::Rc4, None, Some("refused")),
            ],
            Off => vec![
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, None),
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, None),
                (Outcome::ClosedBeforeHandshake, Encryption::None, Some("refused"), None),
                (ok_tcp.0, ok_tcp.1, ok_tcp.2, None),
            ],
        };
        assert_eq!(found, expected, "{encryption:?}");
        let asked = &lab.tracker.requests()[0];
        for key in ["supportcrypto", "requirecrypto"] {
            assert_eq!(asked.query(key).is_some(), key == crypto, "{encryption:?} {key}");
        }
    }
}

#[tokio::test]
async fn crypto_flags_choose_the_first_attempt() {
    let lab = lab_of_pieces(PIECES, [requiring(Responder::default()), Peer::default()]);
    let flags = fake_swarm::bencoding::string([1_u8, 0]);
    lab.tracker.set_script(fake_swarm::TrackerScript::Peers {
        peers: lab.swarm.endpoints().into_iter().map(Into::into).collect(),
        interval: Some(60),
        honour_numwant: false,
        extra: vec![("crypto_flags".to_owned(), flags)],
    });
    let told = run(&lab.torrent, policy(EncryptionPolicy::PreferPlain)).await;
    assert_eq!((told.summary.ok, lab.swarm.accepted()), (2, 2));
    let transports: Vec<_> = told.peers.iter().map(|report| report.encryption).collect();
    assert!(transports.contains(&Encryption::Rc4) && transports.contains(&Encryption::None));
}

#[tokio::test]
async fn a_run_that_ends_before_the_second_attempt_reports_the_first() {
    let peers = std::iter::repeat_n(Peer::closing(), 5);
    let config = policy(EncryptionPolicy::PreferPlain).with_deadline(Duration::from_millis(300));
    let (_, told) = told_by(PIECES, peers, config).await;
    let found: Vec<_> = told.peers.iter().map(tried).collect();
    let first = (Outcome::ClosedBeforeHandshake, Encryption::None, Some("refused"), None);
    assert_eq!(found, vec![first; 5]);
}

#[tokio::test]
async fn an_interrupted_second_attempt_does_not_rule_encryption_out() {
    let slow = Peer { delay: PATIENCE, ..requiring(Responder::default()) };
    let config = policy(EncryptionPolicy::PreferPlain)
        .with_deadline(Duration::from_millis(900))
        .with_handshake_timeout(PATIENCE);
    let (lab, told) = told_by(PIECES, [slow], config).await;
    assert_eq!(lab.swarm.accepted(), 2);
    let first = (Outcome::ClosedBeforeHandshake, Encryption::None, Some("refused"), None);
    assert_eq!(tried(&told.peers[0]), first);
    assert!(told.peers[0].hint().unwrap().contains("requires encryption"), "{:?}", told.peers[0].hint());
}
