//! Torrents of `fixtures/torrents` and their piece hashes, files of other kinds, and magnet links.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod file_kind;
mod fixtures;
mod magnet;
mod piece_hashes;
mod torrent_file;
