//! Torrents of `fixtures/torrents`, and magnet links.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod fixtures;
mod magnet;
