//! Scripted trackers and scripted BitTorrent peers on loopback: what tests, the demo and the benches talk to.
//!
//! Start from [`FakeSwarm`], which plays any number of peers behind one listening socket, each by its own
//! script, a [`Peer`]: made by a constructor such as [`Peer::slow`], or put together from its parts, with any
//! [`Encryption`] and any [`message`]s after the handshake. [`Client`] imitates real clients, [`LazyBitfield`] seeds that
//! hide pieces, and [`hostile`] has what no honest peer says. A [`Connection`] is the record of what a peer received.
//!
//! Start also from [`FakeTracker`], which answers announces by a [`TrackerScript`] and remembers what it was asked;
//! [`FakeUdpTracker`] does the same over UDP by a [`UdpScript`]. [`torrent::SingleFile`] writes the `.torrent` that leads
//! to them.
//!
//! It refuses to know this project's own codecs. Every handshake, message, cipher and bencoded reply here is written by
//! hand, because a test whose two sides share a codec shares its bugs and passes anyway.
//!
//! Nothing here is reachable from outside the machine, and dropping a handle stops all that it started. The scripts
//! run on the caller's tokio runtime (with its I/O and time drivers) and in real time: under paused time the clock
//! would leap over every script's pauses and limits while bytes are still on their way.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use fake_swarm::{Peer, FakeSwarm, FakeTracker, TrackerScript, peer_ip, torrent::SingleFile};
//!
//! let torrent = SingleFile::new("debian.iso", 600_000_000);
//! let swarm = FakeSwarm::start(
//!     torrent.info_hash(),
//!     &[(peer_ip(0), Peer::good(b"-qB4520-abcdefghijkl")), (peer_ip(1), Peer::refusing())],
//! )?;
//! let tracker = FakeTracker::start(TrackerScript::peers(swarm.endpoints()))?;
//! let announce = tracker.announce_url();
//! let file = SingleFile { announce: Some(&announce), ..torrent }.to_bytes();
//! # assert!(file.starts_with(b"d8:announce"));
//! # Ok(())
//! # }
//! ```

mod address;
mod client;
mod conversation;
mod datagram;
mod delivery;
mod encryption;
mod ending;
mod error;
mod extension;
mod frames;
mod handshake;
mod http;
mod lazy;
mod ledger;
mod mse;
mod peer;
mod request;
mod script;
mod server;
mod state;
mod swarm;
mod tracker;
mod udp_script;
mod udp_tracker;

pub mod bencoding;
pub mod gzip;
pub mod hostile;
pub mod message;
pub mod recording;
pub mod torrent;

pub use address::peer_ip;
pub use client::{Client, Holding};
pub use datagram::{Datagram, UdpAnnounce};
pub use delivery::Delivery;
pub use encryption::{Encryption, Fault, Mse, PLAINTEXT, Plaintext, RC4, Responder, Select};
pub use ending::Ending;
pub use error::Error;
pub use extension::ExtensionHandshake;
pub use frames::Message;
pub use handshake::{HANDSHAKE_LENGTH, RESERVED, handshake, peer_id_of};
pub use lazy::LazyBitfield;
pub use ledger::{Connection, Counts, End, Initiated};
pub use mse::{DEGENERATE_KEYS, KEY_LENGTH};
pub use peer::{Id, Knows, Peer, Speaks, Step};
pub use request::Request;
pub use script::{DictionaryPeer, TrackerScript};
pub use swarm::FakeSwarm;
pub use tracker::FakeTracker;
pub use udp_script::{Transactions, UdpCounts, UdpScript};
pub use udp_tracker::FakeUdpTracker;
