//! The swarm engine: who to ask, who to dial, when to stop, and what happened.
//!
//! * [`BitTorrentClient`] is the promise in one call: parse a torrent, ask its trackers, shake hands with every peer,
//!   close. It logs each step through `tracing`.
//! * [`Swarm`] is the same job with everything visible: an [`Event`] for each tracker and each peer as it happens, then
//!   the summary.
//! * [`handshake`] is one conversation over any stream.
//!
//! This crate decides and measures. It parses nothing itself, prints nothing, and keeps nothing on disk.

mod alarm;
mod attempt;
mod availability;
mod bounds;
mod budget;
mod census;
mod config;
mod connect;
mod conversation;
mod dialler;
mod engine;
mod entropy;
mod error;
mod facade;
mod handshake;
mod hint;
mod identity;
mod linger;
mod outcome;
mod pacer;
mod peer_report;
mod peers;
mod read;
mod report;
mod resolve;
mod retries;
mod role;
mod said;
mod secure;
mod sources;
mod stop;
mod swarm_view;
mod torrent_file;
mod tracking;

pub use availability::Copies;
pub use bounds::Bounds;
pub use config::{Bind, Config, Encryption, Trackers};
pub use engine::Swarm;
pub use error::Error;
pub use facade::BitTorrentClient;
pub use handshake::{HandshakeFailure, Looks, NotBitTorrent, Shaken, handshake};
pub use linger::LingerEnd;
pub use outcome::{Outcome, Stage, Transport};
pub use peer_report::{Completeness, Matched, PeerError, PeerReport, Tried};
pub use report::{CutShort, Event, Source, Summary};
pub use role::{Role, RoleFrom};
pub use said::{Pieces, Said, Violation};
pub use secure::SecureFailure;
pub use swarm_view::{Coverage, SwarmView};
pub use torrent_file::{ReadError, read_torrent};
pub use tracking::{Action, Named, Times, TrackerReport, TrackerStatus, Unasked};
