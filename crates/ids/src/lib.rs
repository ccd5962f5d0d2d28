#![doc = include_str!("../README.md")]

mod client;
mod hex;
mod info_hash;
mod peer_id;

pub use client::ClientName;
pub use hex::{Hex, ParseHexError};
pub use info_hash::{InfoHash, InfoHashV2};
pub use peer_id::PeerId;
