//! The engine against scripted trackers and peers on loopback.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod bounds;
mod census;
mod conversation;
mod deadlines;
mod dht;
mod encryption;
mod endpoints;
mod lab;
mod learned;
mod magnet;
mod measured;
mod membership;
mod metadata;
mod newest;
mod pex;
mod swarm;
mod tracker_endings;
mod trackers;
mod utp;
mod web_seeds;
