//! The identifiers of BitTorrent: [`InfoHash`] and [`InfoHashV2`] name a torrent, [`PeerId`] names a peer, and
//! [`PeerId::client`] says what a peer id tells about the software that made it (BEP 3, 20, 52).
//!
//! This crate knows nothing of where they come from: it hashes nothing, draws no random numbers (entropy is an
//! argument) and does no I/O. All three are plain bytes in a tuple: start from whichever you have.
//!
//! ```
//! use ids::{InfoHash, PeerId};
//!
//! let info_hash: InfoHash = "fb78c4a375ba588ccbeff642fd748304b522ef8d".parse()?;
//! assert_eq!(info_hash.0[..2], [0xfb, 0x78]);
//!
//! let theirs = PeerId(*b"-qB4520-abcdefghijkl");
//! assert_eq!(theirs.client().map(|client| client.to_string()).as_deref(), Some("qBittorrent 4.5.2"));
//! let ours = PeerId::new([0; 12]); // twelve random bytes, in earnest
//! assert_eq!(ours.to_string(), "-HS0100-AAAAAAAAAAAA");
//! # Ok::<(), ids::ParseHexError>(())
//! ```

mod client;
mod hex;
mod info_hash;
mod peer_id;

pub use client::ClientName;
pub use hex::{Hex, ParseHexError};
pub use info_hash::{InfoHash, InfoHashV2};
pub use peer_id::PeerId;
