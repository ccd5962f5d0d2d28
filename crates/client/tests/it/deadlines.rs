//! Every deadline in paused time: what ends there, and when exactly.
//!
//! Peers and trackers run on the test's own single-threaded runtime, and on loopback the kernel delivers what was sent before
//! the sender goes on. So the clock moves only when no task is ready, and each test states to the millisecond when its run
//! ends.

mod attempts;
mod linger;
mod run;
mod shared;
mod stages;
mod trackers;

use crate::lab::{Lab, Told, told_by};
use client::Config;
use fake_swarm::{Encryption, Ending, Peer, Plaintext};
use std::time::Duration;
use tokio::time::Instant;

const PIECES: u32 = 100;
/// Timers are rounded to a millisecond; a run has a few of them in a row.
const GRAIN: Duration = Duration::from_millis(15);

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One run against these peers: its reports in their order, and its length in paused time, goodbyes included.
async fn timed(peers: impl IntoIterator<Item = Peer>, config: Config) -> (Lab, Told, Duration) {
    let begun = Instant::now();
    let (lab, told) = told_by(PIECES, peers, config).await;
    let took = begun.elapsed();
    assert_took(told.summary.elapsed, took, "the length in the summary");
    (lab, told, took)
}

/// Not before `wanted`, and no later than timers are rounded.
#[track_caller]
fn assert_took(took: Duration, wanted: Duration, what: &str) {
    assert!((wanted..wanted + GRAIN).contains(&took), "{what}: {took:?} instead of {wanted:?}");
}

/// A peer that closes on plaintext and answers MSE so.
fn requiring(mse: fake_swarm::Mse) -> Peer {
    let encryption = Encryption { plaintext: Plaintext::Refused(Ending::Closes), mse };
    Peer { encryption, ..Peer::default() }
}
