//! The identifiers of BitTorrent: [`InfoHash`] and [`InfoHashV2`] name a torrent, [`PeerId`] names a peer, and
//! [`PeerId::client`] says what a peer id tells about the software that made it.
//!
//! This crate knows nothing of where they come from: it hashes nothing, draws no random numbers (entropy is an
//! argument) and does no I/O.

mod client;
mod hex;
mod info_hash;
mod peer_id;

pub use client::ClientName;
pub use hex::{Hex, ParseHexError};
pub use info_hash::{InfoHash, InfoHashV2};
pub use peer_id::PeerId;
