//! How long a peer is listened to after its handshake.

use crate::deadlines::{PIECES, assert_took, millis, requiring, timed};
use crate::lab::config;
use client::{Config, EncryptionPolicy, ListenEnd, Outcome};
use fake_swarm::{Delivery, Mse, Peer, Responder, message};
use std::time::Duration;

const LINGER: Duration = Duration::from_secs(3);
/// The time without a message after which a peer that has said everything is left: at least, and at most.
const QUIET: Duration = millis(50);
const LONGEST_QUIET: Duration = millis(500);

fn listening() -> Config {
    config().with_linger(LINGER)
}

/// A peer that sends an extension handshake and these messages.
fn saying(messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer::default().sending([message::extension_handshake(b"de")]).sending(messages)
}

fn everything() -> Peer {
    saying([message::have_all()])
}

/// A peer with a bitfield of half the pieces: it has said everything, and is no seed.
fn half() -> Peer {
    saying([message::bitfield(&message::bits(PIECES, |piece| piece < PIECES / 2))])
}

fn all_but(holes: &[u32]) -> Vec<u8> {
    message::bitfield(&message::bits(PIECES, |piece| !holes.contains(&piece)))
}

/// Runs each peer on its own, and compares when and why listening ended.
async fn assert_left<const N: usize>(peers: [(&str, Peer); N], config: Config, end: ListenEnd, after: Duration) {
    for (what, peer) in peers {
        let (_, told, took) = timed([peer], config.clone()).await;
        let report = &told.peers[0];
        assert_eq!((report.outcome, report.listen_end.as_ref()), (Outcome::Ok, Some(&end)), "{what}");
        assert_took(took, after, what);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leech_that_has_said_everything_is_left_after_the_quiet_time() {
    let peers = [
        ("a bitfield of a leecher", half()),
        ("keep-alives that are far between", half().repeating(message::keep_alive(), millis(60))),
    ];
    // The first keep-alive comes with the bitfield, the second after the quiet time.
    assert_left(peers, listening(), ListenEnd::Quiet, QUIET).await;
}

#[tokio::test(start_paused = true)]
async fn a_seed_is_left_as_soon_as_it_has_said_so() {
    let peers = [
        ("have_all", everything()),
        ("a whole bitfield", saying([all_but(&[])])),
        ("keep-alives", everything().repeating(message::keep_alive(), millis(400))),
    ];
    assert_left(peers, listening(), ListenEnd::Quiet, Duration::ZERO).await;
    let late = saying([]).pausing(millis(900)).sending([message::have_all()]);
    let filled = saying([all_but(&[3])]).pausing(millis(900)).sending([message::have(3)]);
    assert_left([("late", late), ("a hole is filled", filled)], listening(), ListenEnd::Quiet, millis(900)).await;
}

#[tokio::test(start_paused = true)]
async fn the_quiet_time_begins_with_the_last_message() {
    let late = saying([]).pausing(millis(900)).sending([all_but(&(0..PIECES / 2).collect::<Vec<_>>())]);
    let twice = half().pausing(millis(40)).sending([message::unchoke()]);
    assert_left([("the last message is late", late)], listening(), ListenEnd::Quiet, millis(900) + QUIET).await;
    assert_left([("one more message", twice)], listening(), ListenEnd::Quiet, millis(40) + QUIET).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_on_or_has_not_said_everything_is_left_when_linger_ends() {
    let trickle = Delivery::Trickle { from: fake_swarm::HANDSHAKE_LENGTH, pause: millis(700) };
    let peers = [
        ("keep-alives", half().repeating(message::keep_alive(), millis(40))),
        ("choke", half().repeating(message::choke(), millis(13))),
        ("a few pieces are missing", saying([all_but(&[7, 30, 77])])),
        ("a few pieces are missing, and keep-alives", {
            saying([all_but(&[7, 30, 77])]).repeating(message::keep_alive(), millis(700))
        }),
        ("nothing at all", Peer::default()),
        ("keep-alives alone", Peer::default().repeating(message::keep_alive(), millis(700))),
        ("no message on its pieces", saying([])),
        ("byte by byte", Peer { delivery: trickle, ..half() }),
    ];
    assert_left(peers, listening(), ListenEnd::TimeUp, LINGER).await;
}

#[tokio::test(start_paused = true)]
async fn listening_begins_with_the_handshake_and_not_with_the_connection() {
    let delay = millis(1600);
    assert_left([("nothing", Peer { delay, ..Peer::default() })], listening(), ListenEnd::TimeUp, delay + LINGER).await;
    assert_left([("all", Peer { delay, ..half() })], listening(), ListenEnd::Quiet, delay + LONGEST_QUIET).await;
}

#[tokio::test(start_paused = true)]
async fn the_quiet_time_does_not_extend_a_short_linger() {
    let config = config().with_linger(millis(40));
    assert_left([("all", half())], config, ListenEnd::TimeUp, millis(40)).await;
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_peer_is_listened_to_as_long_as_a_plain_one() {
    let required = || requiring(Mse::Spoken(Responder::default()));
    let all = Peer { after: half().after, ..required() };
    let on_and_on = Peer { after: half().repeating(message::keep_alive(), millis(40)).after, ..required() };
    let config = listening().with_encryption(EncryptionPolicy::Require);
    assert_left([("all", all)], config.clone(), ListenEnd::Quiet, QUIET).await;
    assert_left([("keep-alives", on_and_on)], config, ListenEnd::TimeUp, LINGER).await;
}

#[tokio::test(start_paused = true)]
async fn a_flooding_peer_is_left_at_the_byte_limit_at_once() {
    let flood = half().repeating(message::message(200, &[0; 1000]), Duration::ZERO);
    let (_, told, took) = timed([flood], listening()).await;
    assert!(matches!(told.peers[0].listen_end, Some(ListenEnd::TooMuch)), "{:?}", told.peers[0].listen_end);
    assert_took(took, Duration::ZERO, "a flood");
}
