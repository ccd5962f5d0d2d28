//! The swarm engine: which sources to ask, which peers to dial, when to stop, and what happened.
//!
//! * [`BitTorrentClient`] is the promise in one call: parse a torrent, ask its trackers, shake hands with every peer,
//!   close. It logs each step through `tracing`.
//! * [`Swarm`] is the same job with everything visible: an [`Event`] for each tracker and each peer as it happens, then
//!   the summary.
//! * [`TorrentRef`] is what a run is about: a torrent, a magnet link, or an info-hash alone.
//! * [`peer_session`] is one conversation over any stream.
//!
//! This crate decides and measures. It parses nothing itself, prints nothing, and keeps nothing on disk. Start from
//! [`BitTorrentClient`] to have it done, from [`Swarm`] to see what is done; [`Config`] has the settings and limits of both.
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

mod census;
mod config;
mod deadline;
mod dial;
mod discovery;
mod download;
mod error;
mod interim;
mod limits;
mod net;
mod shared;
mod swarm;
mod torrent_file;
mod torrent_ref;

pub use config::{Bind, Config, EncryptionPolicy, Trackers};
pub use download::BitTorrentClient;
pub use error::{Error, ReadError};
pub use interim::{Interim, SoFar};
pub use limits::Limits;
pub use report::{
    AttemptReport, CodeKind, Completeness, Copies, Coverage, CutShort, Detail, Encryption, Event, Explanation,
    ListenEnd, MatchedHash, Oddity, Outcome, PeerCounts, PeerReport, Role, RoleFrom, SeenAs, SeenBy, Source, Stage,
    Standing, Summary, SwarmView, Times, TrackerReport, TrackerStatus, Transport, UnknownCode, Verdict,
};
pub use shared::Shared;
pub use swarm::Swarm;
pub use torrent_file::{read_torrent, read_torrent_from};
pub use torrent_ref::TorrentRef;
pub use {ids, metainfo, peer_session, peer_wire, report, tracker};
