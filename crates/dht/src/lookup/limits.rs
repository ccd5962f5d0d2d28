//! The limits of a lookup, each with its reason. The numbers were chosen with the simulated network of the tests.

use std::time::Duration;

/// How many of the closest nodes must have answered. A peer announces to the 8 closest of its own view; the wider ring has those of
/// other views too: 0.96 of the stored peers at the first query, instead of 0.91.
pub const CLOSEST: usize = 16;

/// How many of the closest nodes with an id that is valid for their address (BEP 42) must have answered, as many as store a peer: such an
/// id cannot be chosen, and nodes that surround a target have others. Where 40 % of the nodes or more have valid ids, this costs nothing.
pub const CLOSEST_VALID: usize = 8;

/// Queries that are waited for at the same time. What takes time is waiting for dead nodes, about half of those that are named.
pub const IN_FLIGHT: usize = 48;

/// Queries to closer nodes that are waited for, beyond which no further node is asked until one has named peers. Each answer brings
/// nodes that are far closer: with 16, lookups among a million nodes spend their queries on the way and find 0.54 of the peers, with 8
/// 0.98. From the first storer on the closest nodes are near.
pub const CLOSER_WAITING: usize = 8;

/// Queries of one lookup, second ones included: fewer than the crate `mainline` sends (92, and as many pings).
pub const QUERIES: usize = 85;

/// Further queries where most nodes are dead: more than [`MANY_SILENT`] percent of at least [`MANY_ASKED`] that were asked.
pub const QUERIES_IF_SILENT: usize = 42;
/// See [`QUERIES_IF_SILENT`]; 45 % is usual.
pub const MANY_SILENT: usize = 55;
/// See [`QUERIES_IF_SILENT`]; fewer say little about the share.
pub const MANY_ASKED: usize = 40;

/// Queries to one storer whose list was full: libtorrent and Transmission choose other peers each time.
pub const QUERIES_TO_STORER: u8 = 3;

/// The least share of a full list, in percent, that was new, for the storer to be asked for more.
pub const WORTH_ASKING: usize = 5;

/// The closest silent nodes that are asked once more: datagrams are lost, and a busy libtorrent drops them.
pub const SECOND_QUERIES: usize = 8;

/// Nodes that are taken from one answer, the closest ones: as many as a bucket of BEP 5 has. bittorrent-dht names up to 50, unverified.
pub const NODES_OF_ANSWER: usize = 8;

/// Queries that are kept for new nodes and storers: they bring more than a second query to a silent node.
pub const KEPT_QUERIES: usize = 12;

/// Candidates of one network (IPv4 /24, IPv6 /48) among the closest: with more, one operator could surround a target cheaply.
pub const OF_NETWORK: usize = 2;

/// Silent nodes of one network, after which no other of it is asked: names of made-up nodes could aim a lookup at a network.
pub const SILENT_OF_NETWORK: usize = 8;

/// Candidates that are kept for one IP address, and for one id: a wrong one that was named first must not hide the right one. An
/// address is asked as one of them, and as another only when that was silent, in place of a second query.
pub const OF_IDENTITY: usize = 2;

/// Candidates not yet asked that are kept, the closest ones: twice as many as have to answer. Each answer brings others.
pub const UNASKED: usize = 32;

/// Starting nodes without an id: those behind a few bootstrap names, and the nodes of a torrent.
pub const STARTS: usize = 64;

/// Distinct peers of one lookup: all that 27 storers with full lists of 300 could name. More is noise or an attack.
pub const PEERS: usize = 8_192;

/// The shortest and the longest time for which a query holds its place.
pub const SLOT: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(2));

/// How long a query holds its place before [`ROUND_TRIPS`] answers came.
pub const FIRST_SLOT: Duration = Duration::from_millis(1_500);

/// Answers that must have come before their round trips decide how long a query holds its place.
pub const ROUND_TRIPS: usize = 3;

/// How long an answer is accepted.
pub const LATE: Duration = Duration::from_secs(15);

/// When a starting node is asked again if no node has answered: after one lost datagram to a single router, 4 to 9 % of the lookups
/// would find nothing.
pub const START_AGAIN: Duration = Duration::from_secs(1);

/// The end of a lookup in any case: made-up nodes that answer just in time could draw it out.
pub const LONGEST: Duration = Duration::from_secs(10);
