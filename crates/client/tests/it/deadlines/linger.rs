//! How long a peer is listened to after its handshake.

use crate::deadlines::{PIECES, assert_took, millis, requiring, timed};
use crate::lab::config;
use client::{Config, EncryptionPolicy, ListenEnd, Outcome};
use fake_swarm::{Delivery, Mse, Peer, Responder, message};
use std::time::Duration;

const LINGER: Duration = Duration::from_secs(3);
/// After so long without a word a peer that has said everything is left.
const QUIET: Duration = millis(500);

fn listening() -> Config {
    Config { linger: LINGER, ..config() }
}

/// A peer that says what it is, and these messages.
fn saying(messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
    Peer::default().sending([message::extension_handshake(b"de")]).sending(messages)
}

fn everything() -> Peer {
    saying([message::have_all()])
}

/// One that has said everything, and has not everything.
fn half() -> Peer {
    saying([message::bitfield(&message::bits(PIECES, |piece| piece < PIECES / 2))])
}

fn all_but(holes: &[u32]) -> Vec<u8> {
    message::bitfield(&message::bits(PIECES, |piece| !holes.contains(&piece)))
}

/// Each in a run of its own.
async fn assert_left<const N: usize>(peers: [(&str, Peer); N], config: Config, end: ListenEnd, after: Duration) {
    for (what, peer) in peers {
        let (_, told, took) = timed([peer], config.clone()).await;
        let report = &told.peers[0];
        assert_eq!((report.outcome, report.listen_end.as_ref()), (Outcome::Ok, Some(&end)), "{what}");
        assert_took(took, after, what);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_said_everything_is_left_after_half_a_second_of_quiet() {
    let peers = [
        ("a bitfield of a leecher", half()),
        ("keep-alives that are far between", half().repeating(message::keep_alive(), millis(600))),
    ];
    // The first keep-alive comes along with the rest, the second too late.
    assert_left(peers, listening(), ListenEnd::Quiet, QUIET).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_everything_is_left_when_it_has_said_so() {
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
async fn the_half_second_begins_with_the_last_word() {
    let late = saying([]).pausing(millis(900)).sending([all_but(&(0..PIECES / 2).collect::<Vec<_>>())]);
    let twice = half().pausing(millis(400)).sending([message::unchoke()]);
    assert_left([("the last word is late", late)], listening(), ListenEnd::Quiet, millis(900) + QUIET).await;
    assert_left([("one word more", twice)], listening(), ListenEnd::Quiet, millis(400) + QUIET).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_on_or_has_not_said_everything_is_left_when_time_is_up() {
    let trickle = Delivery::Trickle { from: fake_swarm::HANDSHAKE_LENGTH, pause: millis(700) };
    let peers = [
        ("keep-alives", half().repeating(message::keep_alive(), millis(400))),
        ("choke", half().repeating(message::choke(), millis(130))),
        ("a few pieces are missing", saying([all_but(&[7, 30, 77])])),
        ("a few pieces are missing, and keep-alives", {
            saying([all_but(&[7, 30, 77])]).repeating(message::keep_alive(), millis(700))
        }),
        ("nothing at all", Peer::default()),
        ("keep-alives alone", Peer::default().repeating(message::keep_alive(), millis(700))),
        ("no word of its pieces", saying([])),
        ("byte by byte", Peer { delivery: trickle, ..half() }),
    ];
    assert_left(peers, listening(), ListenEnd::TimeUp, LINGER).await;
}

#[tokio::test(start_paused = true)]
async fn listening_begins_with_the_handshake_and_not_with_the_connection() {
    let delay = millis(1600);
    assert_left([("nothing", Peer { delay, ..Peer::default() })], listening(), ListenEnd::TimeUp, delay + LINGER).await;
    assert_left([("all", Peer { delay, ..half() })], listening(), ListenEnd::Quiet, delay + QUIET).await;
}

#[tokio::test(start_paused = true)]
async fn no_quiet_is_longer_than_the_listening() {
    let config = Config { linger: millis(200), ..config() };
    assert_left([("all", half())], config, ListenEnd::TimeUp, millis(200)).await;
}

#[tokio::test(start_paused = true)]
async fn encryption_changes_nothing_of_it() {
    let required = || requiring(Mse::Spoken(Responder::default()));
    let all = Peer { after: half().after, ..required() };
    let on_and_on = Peer { after: half().repeating(message::keep_alive(), millis(400)).after, ..required() };
    let config = Config { encryption: EncryptionPolicy::Require, ..listening() };
    assert_left([("all", all)], config.clone(), ListenEnd::Quiet, QUIET).await;
    assert_left([("keep-alives", on_and_on)], config, ListenEnd::TimeUp, LINGER).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_floods_is_left_without_any_time_passing() {
    let flood = half().repeating(message::message(200, &[0; 1000]), Duration::ZERO);
    let (_, told, took) = timed([flood], listening()).await;
    assert!(matches!(told.peers[0].listen_end, Some(ListenEnd::TooMuch)), "{:?}", told.peers[0].listen_end);
    assert_took(took, Duration::ZERO, "a flood");
}
