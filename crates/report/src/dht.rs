//! How the lookup of a torrent's peers in the DHT went.

use crate::code::codes;
use crate::json_forms::{Ms, SomeMs, SomeText, Text};
use dht::{Filters, NodeId};
use ids::InfoHash;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The lookup of a torrent's peers in the DHT over one family of addresses: the DHT over IPv4 and the one over IPv6 are two
/// (BEP 32). One report for each family that was asked, or one for a DHT that the user left in and that was not asked; it is told
/// just before the summary, because it says what came of the peers. Both info-hashes of a hybrid are looked up, and the report is of
/// both lookups: each node and peer counts once.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhtReport {
    /// The family; null when neither was asked
    pub family: Option<DhtFamily>,
    /// Why it ended; of two lookups the worse reason
    pub status: DhtStatus,
    /// What went wrong, or why it was not asked; escaped, and without secrets
    pub message: Option<String>,
    /// Nodes
    pub nodes: DhtNodeCounts,
    /// Datagrams that were sent
    pub queries: usize,
    /// The median round trip of the nodes
    #[serde(skip)]
    pub round_trip: Option<Duration>,
    /// When the first peers were named, from the start
    #[serde(rename = "first_peers_ms", with = "SomeMs")]
    pub first_peers: Option<Duration>,
    /// From the start to its end
    #[serde(rename = "elapsed_ms", with = "Ms")]
    pub elapsed: Duration,
    /// What the nodes named, and what came of it
    pub peers: DhtPeerCounts,
    /// How large the swarm is, or both of a hybrid together, by the nodes' Bloom filters (BEP 33); null if no node sent one
    pub estimate: Option<DhtEstimate>,
    /// Starting points that were to be asked
    pub starts: Vec<DhtStart>,
    /// Nodes that named peers, in the order of asking; or every node that was asked, if all were to be listed. Of a hybrid first those
    /// that were asked for its v1 info-hash, then those that were asked for the v2 one: a node may be in both
    pub listed: Vec<DhtNode>,
    /// Our addresses as the nodes see them (BEP 42), an entry for each node that says
    #[serde(skip)]
    pub seen_as: Vec<IpAddr>,
}

/// What the lookups of a run found, counted from their reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DhtView {
    /// Nodes that answered, errors included
    pub answered: usize,
    /// Nodes that named peers
    pub with_peers: usize,
    /// Peers that they named
    pub named: usize,
    /// Those of them that only liars named
    pub doubtful: usize,
    /// Reports by status
    pub statuses: BTreeMap<DhtStatus, usize>,
}

/// Nodes by what came of asking them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhtNodeCounts {
    /// Nodes that were asked
    pub asked: usize,
    /// Those of them that answered, errors included
    pub answered: usize,
    /// Those that did not
    pub silent: usize,
    /// Those that answered with an error
    pub refused: usize,
    /// Noise: those that answered with another id than they were named with; nothing of their answers is used
    pub misnamed: usize,
    /// Those that named peers; in the JSON they are listed
    #[serde(skip)]
    pub with_peers: usize,
    /// Noise: those of them that also named peers for a random info-hash, in which no peer can be
    pub liars: usize,
}

/// Peers that nodes named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhtPeerCounts {
    /// Peers that nodes named, each once
    pub named: usize,
    /// Those of them that shook hands
    pub ok: usize,
    /// Clients among these that told us that they have everything
    pub verified_seeds: usize,
    /// Those of the named that only liars named; dialled like others
    pub doubtful: usize,
}

/// How large a swarm is by the Bloom filters of nodes (BEP 33), which count IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhtEstimate {
    /// Seeds
    pub seeds: u32,
    /// Other peers
    pub leechers: u32,
    /// Standard error of the larger number, in percent
    pub error_percent: u32,
    /// Whether a filter is too full to be read: there are more
    pub is_lower_bound: bool,
    /// Nodes that sent filters
    pub nodes: usize,
}

/// Where a lookup starts: a host that may be a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhtStart {
    /// `HOST:PORT`, as it was named
    pub name: String,
    /// What named it
    pub from: DhtStartFrom,
    /// The addresses of this family that were asked
    pub asked: usize,
    /// Those of them that answered
    pub answered: usize,
    /// Why none was asked, or what went wrong; escaped
    pub message: Option<String>,
}

codes! {
    /// What named a starting point of a lookup.
    pub enum DhtStartFrom {
        /// The user (`--dht-node`).
        User = "user",
        /// The list of well-known nodes.
        Bootstrap = "bootstrap",
        /// `nodes` of the torrent (BEP 5).
        Torrent = "torrent",
        /// `x.pe` of the magnet link (BEP 9): most clients have their node at the same port.
        Magnet = "magnet",
        /// A peer, with a PORT message (BEP 5).
        Peer = "peer",
        /// Earlier lookups of the same process.
        Earlier = "earlier",
    }
}

codes! {
    /// The family of addresses of a lookup.
    pub enum DhtFamily {
        /// IPv4.
        V4 = "ipv4",
        /// IPv6.
        V6 = "ipv6",
    }
}

codes! {
    /// Why a lookup in the DHT ended, or why there was none.
    pub enum DhtStatus {
        /// The closest nodes that answer have all answered.
        Ok = "ok",
        /// Every node that was named was asked, and they are fewer than usual.
        FewNodes = "few_nodes",
        /// No node answered.
        NoAnswer = "no_answer",
        /// All queries that a lookup may send were sent.
        QueryLimit = "query_limit",
        /// It took longer than a lookup may take.
        TooLong = "too_long",
        /// The run ended first.
        Interrupted = "interrupted",
        /// No node to start from is known.
        NoStart = "no_start",
        /// Our own machine refused: no socket, no port.
        LocalLimit = "local_limit",
        /// Our own machine has no route to any node.
        NoRoute = "no_route",
        /// It was not asked, or no further, because the torrent is private (BEP 27).
        Private = "private",
        /// It was not asked, because a tracker of the link has a secret: the torrent may be private.
        MayBePrivate = "may_be_private",
    }
}

/// One node that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DhtNode {
    /// Where it is
    #[serde(with = "Text")]
    pub address: SocketAddr,
    /// Its id: of its answer, or as it was named; null when unknown
    #[serde(with = "SomeText")]
    pub id: Option<NodeId>,
    /// The info-hash that it was asked for: `None` where one node is pinged without one
    #[serde(skip)]
    pub info_hash: Option<InfoHash>,
    /// Leading bits that its id has in common with the info-hash that it was asked for; unknown with the id
    #[serde(skip)]
    pub shared_bits: Option<u32>,
    /// What came of it
    pub status: DhtNodeStatus,
    /// Its software, as it says
    pub client: Option<String>,
    /// When it was asked first, from the start of the lookup
    #[serde(rename = "asked_ms", with = "Ms")]
    pub asked: Duration,
    /// How long its first answer took
    #[serde(rename = "round_trip_ms", with = "SomeMs")]
    pub round_trip: Option<Duration>,
    /// Peers that it named
    pub peers: usize,
    /// Nodes that it named
    pub nodes: usize,
    /// Whether it named peers for a random info-hash too; null when that was not asked
    pub is_liar: Option<bool>,
    /// Our address and port as it sees them (BEP 42)
    #[serde(with = "SomeText")]
    pub seen_as: Option<SocketAddr>,
    /// Its error, escaped
    pub message: Option<String>,
}

codes! {
    /// What came of asking a node.
    pub enum DhtNodeStatus {
        /// It answered.
        Ok = "ok",
        /// It sent an error.
        Refused = "refused",
        /// It answered with another id than it was named with.
        Misnamed = "misnamed",
        /// It did not answer.
        Silent = "silent",
        /// The query could not be sent.
        Unsent = "unsent",
    }
}

impl DhtReport {
    /// A report of a lookup for which nothing was sent.
    #[must_use]
    pub fn new(family: Option<DhtFamily>, status: DhtStatus) -> Self {
        Self {
            family,
            status,
            message: None,
            nodes: DhtNodeCounts::default(),
            queries: 0,
            round_trip: None,
            first_peers: None,
            elapsed: Duration::ZERO,
            peers: DhtPeerCounts::default(),
            estimate: None,
            starts: Vec::new(),
            listed: Vec::new(),
            seen_as: Vec::new(),
        }
    }

    /// Whether nothing was sent by choice: a torrent may also become known as private during a lookup.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.queries == 0 && self.status.is_unsent()
    }
}

impl DhtStart {
    /// A starting point at which no address was asked.
    #[must_use]
    pub fn new(name: String, from: DhtStartFrom) -> Self {
        Self { name, from, asked: 0, answered: 0, message: None }
    }
}

impl DhtNode {
    /// A node that was asked at this time and has not answered.
    #[must_use]
    pub fn new(address: SocketAddr, asked: Duration) -> Self {
        Self {
            address,
            id: None,
            info_hash: None,
            shared_bits: None,
            status: DhtNodeStatus::Silent,
            client: None,
            asked,
            round_trip: None,
            peers: 0,
            nodes: 0,
            is_liar: None,
            seen_as: None,
            message: None,
        }
    }
}

impl DhtEstimate {
    /// What the united filters of this number of nodes tell.
    #[must_use]
    pub fn new(filters: &Filters, nodes: usize) -> Self {
        let (seeds, leechers) = (filters.seeds.estimate(), filters.peers.estimate());
        let larger = if seeds.count >= leechers.count { seeds } else { leechers };
        let error = if larger.count > 0.0 { 100.0 * larger.error / larger.count } else { 0.0 };
        Self {
            seeds: whole(seeds.count),
            leechers: whole(leechers.count),
            error_percent: whole(error),
            is_lower_bound: seeds.is_more || leechers.is_more,
            nodes,
        }
    }
}

/// A count of at most a few thousand, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 6,000")]
fn whole(count: f64) -> u32 {
    count.round() as u32
}

impl DhtView {
    /// Reports of this status.
    #[must_use]
    pub fn of(&self, status: DhtStatus) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Whether there was a lookup, however it ended.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.answered > 0 || self.statuses.keys().any(|status| !status.is_unsent())
    }

    /// All reports.
    pub(crate) fn reports(&self) -> usize {
        self.statuses.values().sum()
    }

    /// Reports of lookups that had no node to ask, or were not to ask any.
    pub(crate) fn unsent(&self) -> usize {
        let unsent = |status: &DhtStatus| status.is_unsent() || *status == DhtStatus::NoStart;
        self.statuses.iter().filter(|(status, _)| unsent(status)).map(|(_, count)| count).sum()
    }

    pub(crate) fn count(&mut self, report: &DhtReport) {
        *self.statuses.entry(report.status).or_default() += 1;
        self.answered += report.nodes.answered;
        self.with_peers += report.nodes.with_peers;
        self.named += report.peers.named;
        self.doubtful += report.peers.doubtful;
    }
}

impl DhtStatus {
    /// Whether nothing is sent by choice.
    #[must_use]
    pub fn is_unsent(self) -> bool {
        matches!(self, Self::Private | Self::MayBePrivate)
    }
}
