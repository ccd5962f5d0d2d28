//! The swarm engine: who to ask, who to dial, when to stop, and what happened.
//!
//! * [`BitTorrentClient`] is the promise in one call: parse a torrent, ask its trackers, shake hands with every peer,
//!   close. It logs each step through `tracing`.
//! * [`Swarm`] is the same job with everything visible: an [`Event`] for each tracker and each peer as it happens, then
//!   the summary.
//! * [`handshake`] is one conversation over any stream.
//!
//! This crate decides and measures. It parses nothing itself, prints nothing, and keeps nothing on disk.

mod attempt;
mod config;
mod connect;
mod engine;
mod entropy;
mod error;
mod facade;
mod handshake;
mod identity;
mod outcome;
mod pacer;
mod peers;
mod report;
mod resolve;
mod stop;
mod torrent_file;
mod tracking;

pub use config::{Bind, Config, Trackers};
pub use engine::Swarm;
pub use error::Error;
pub use facade::BitTorrentClient;
pub use handshake::{HandshakeFailure, NotBitTorrent, Shaken, handshake};
pub use outcome::{Outcome, Stage, Transport};
pub use report::{CutShort, Event, PeerError, PeerReport, Source, Summary};
pub use torrent_file::{ReadError, read_torrent};
pub use tracking::{Action, Named, Times, TrackerReport, TrackerStatus, Unasked};
