//! What a `.torrent` file says: [`Torrent::parse`] reads v1 single- and multi-file torrents (BEP 3), their tiers of
//! trackers (BEP 12) and the private flag (BEP 27), and takes the info-hash over the raw bytes of the info dictionary.
//!
//! This crate knows bencode and nothing of files, networks or clocks: bytes in, values out. It writes nothing to disk,
//! so a hostile path is data like any other; whoever shows one escapes it.

mod error;
mod files;
mod torrent;
mod trackers;

pub use error::{Error, Problem};
pub use files::File;
pub use torrent::Torrent;
