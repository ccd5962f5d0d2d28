#![doc = include_str!("../README.md")]

mod census;
mod config;
mod deadline;
mod dial;
mod discovery;
mod download;
mod error;
mod interim;
mod layers;
mod limits;
mod membership;
mod metadata;
mod net;
mod setters;
mod shared;
mod standing;
mod swarm;
mod torrent_file;
mod torrent_ref;

pub use config::{Bind, Config, EncryptionPolicy, Sources, Trackers, TransportPolicy, WebSeedChecks};
pub use discovery::dht::ping::ping_node;
pub use download::BitTorrentClient;
pub use error::{Error, ReadError};
pub use interim::{Interim, SoFar};
pub use limits::Limits;
pub use membership::Membership;
pub use metadata::Known;
pub use net::interface::{Interface, InterfaceError};
pub use report::{
    AttemptReport, CodeKind, Completeness, Copies, Coverage, CutShort, Detail, DhtEstimate, DhtFamily, DhtNode,
    DhtNodeCounts, DhtNodeStatus, DhtPeerCounts, DhtReport, DhtStart, DhtStartFrom, DhtStatus, DhtView, Encryption,
    Event, Explanation, LayersPeer, LayersReport, ListenEnd, MatchedHash, MetadataPeer, MetadataReport,
    MetadataStanding, MetadataStatus, Oddity, Outcome, PeerCounts, PeerReport, PexReport, Role, RoleFrom, SeenAs,
    SeenBy, Source, Stage, Standing, Summary, SwarmView, Times, TrackerReport, TrackerStatus, Transport, UnknownCode,
    Verdict, WebSeedFile, WebSeedKind, WebSeedQuirk, WebSeedReport, WebSeedStatus, WebSeedView,
};
pub use shared::Shared;
pub use swarm::Swarm;
pub use torrent_file::{read_torrent, read_torrent_and_proof, read_torrent_and_proof_from, read_torrent_from};
pub use torrent_ref::{Content, Proof, TorrentRef};
pub use {dht, guard, http_exchange, ids, metainfo, peer_session, peer_wire, report, tracker, web_seed};
