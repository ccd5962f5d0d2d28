//! The swarm engine: who to ask, who to dial, when to stop, and what happened.
//!
//! * [`BitTorrentClient`] is the promise in one call: parse a torrent, ask its trackers, shake hands with every peer,
//!   close. It logs each step through `tracing`.
//! * [`Swarm`] is the same job with everything visible: an [`Event`] for each tracker and each peer as it happens, then
//!   the summary.
//! * [`Topic`] is what a run is about: a torrent, a magnet link, or an info-hash alone.
//! * [`handshake`] is one conversation over any stream.
//!
//! This crate decides and measures. It parses nothing itself, prints nothing, and keeps nothing on disk. Start from
//! [`BitTorrentClient`] to have it done, from [`Swarm`] to see what is done; [`Config`] bounds both.
//!
//! ```
//! use client::{Config, Event, Swarm};
//! use metainfo::Torrent;
//! # use fake_swarm::{Peer, FakeSwarm, FakeTracker, TrackerScript, peer_ip, torrent::SingleFile};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let content = SingleFile::new("debian.iso", 600_000_000);
//! # let peers = [
//! #     (peer_ip(0), Peer::good(b"-qB4520-abcdefghijkl")),
//! #     (peer_ip(1), Peer::closing()),
//! #     (peer_ip(2), Peer::refusing()),
//! # ];
//! # let fake = FakeSwarm::start(content.info_hash(), &peers)?;
//! # let tracker = FakeTracker::start(TrackerScript::peers(fake.endpoints()))?;
//! # let bytes = SingleFile { announce: Some(&tracker.announce_url()), ..content }.to_bytes();
//! // A torrent whose tracker names three peers: one answers, one closes, one refuses.
//! let torrent = Torrent::parse(&bytes)?;
//! let config = Config { linger: Duration::ZERO, ..Config::default() };
//! let mut swarm = Swarm::new(&torrent, config)?;
//! while let Some(event) = swarm.next().await {
//!     match event {
//!         Event::Tracker(report) => println!("{}: {}", report.url, report.status),
//!         Event::Peer(report) => println!("{}: {} {:?}", report.address, report.outcome, report.client()),
//!         Event::Summary(summary) => assert_eq!((summary.ok, summary.peers), (1, 3)),
//!         _ => {}
//!     }
//! }
//! swarm.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod addresses;
mod alarm;
mod attempt;
mod availability;
mod bounds;
mod budget;
mod census;
mod client_name;
mod clients;
mod config;
mod connect;
mod conversation;
mod dialler;
mod early;
mod engine;
mod entropy;
mod error;
mod explain;
mod facade;
mod habits;
mod handshake;
mod hint;
mod identity;
mod interim;
mod limits;
mod linger;
mod not_bittorrent;
mod oddity;
mod outcome;
mod overlay;
mod pacer;
mod parked;
mod peer_ids;
mod peer_report;
mod peers;
mod read;
mod report;
mod resolve;
mod retries;
mod role;
mod said;
mod secure;
mod seen_as;
mod sources;
mod stop;
mod swarm_view;
mod terms;
mod topic;
mod torrent_file;
mod tracking;
mod verdict;
mod wire;

pub use availability::Copies;
pub use bounds::Bounds;
pub use config::{Bind, Config, Encryption, Trackers};
pub use engine::Swarm;
pub use error::Error;
pub use explain::{CodeKind, Explanation};
pub use facade::BitTorrentClient;
pub use handshake::{HandshakeFailure, Shaken, handshake};
pub use interim::{Interim, SoFar};
pub use limits::Limits;
pub use linger::LingerEnd;
pub use not_bittorrent::{Looks, NotBitTorrent};
pub use oddity::{Oddities, Oddity};
pub use outcome::{Outcome, Stage, Transport};
pub use overlay::Overlay;
pub use peer_report::{Completeness, EncryptedEnd, Matched, PeerError, PeerReport, Tried};
pub use report::{CutShort, Event, Source, Summary};
pub use role::{Role, RoleFrom};
pub use said::{Pieces, Said, Violation};
pub use secure::SecureFailure;
pub use seen_as::{SeenAs, SeenBy};
pub use swarm_view::{Coverage, SwarmView};
pub use topic::Topic;
pub use torrent_file::{ReadError, read_torrent, read_torrent_from};
pub use tracking::{Action, Named, Silence, Standing, Times, TrackerReport, TrackerStatus, Unasked};
pub use verdict::Verdict;
pub use wire::WIRE;
