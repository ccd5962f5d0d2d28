//! The statuses of lookups in the DHT, and of the nodes that were asked.

use crate::dht::{DhtNodeStatus as N, DhtStatus as S};
use crate::explain::{Causes, CodeKind, Explanation, exchange};

const LOOK_AT_EACH: &str = "`bt-handshake dht --trace` shows each node that was asked";
const NOTHING: &str = "nothing; a lookup needs no single node";

/// In the order of [`S::ALL`].
pub(super) const TABLE: &[Explanation] = &[
    entry(
        S::Ok,
        "ended by itself",
        "the 16 closest nodes that answer have all answered",
        "a client that has left stays named for 33 to 45 minutes, and one that has just started is missing for up to some minutes",
        "nothing; `bt-handshake dht` shows each node",
    ),
    entry(
        S::FewNodes,
        "few nodes",
        "every node that was named has been asked, and there are fewer than usual",
        "a DHT of one's own, as in a test; a network that lets answers of some nodes through only; or nodes that name few others",
        "name a node that is in the DHT with --dht-node: any client's address and port will do",
    ),
    entry(
        S::NoAnswer,
        "no answer",
        "no node answered",
        "a firewall, a router or the VPN drops UDP, or the nodes to start from are gone: well-known ones come and go",
        "name a node with --dht-node, such as your own client; `bt-handshake dht --ping HOST:PORT` asks one alone",
    ),
    entry(
        S::QueryLimit,
        "query limit",
        "every datagram that a lookup may send has been sent, and closer nodes were still being named",
        "many nodes are dead, or nodes name made-up ones that are closer and closer, to keep a lookup from its end",
        LOOK_AT_EACH,
    ),
    entry(
        S::TooLong,
        "took too long",
        "it took longer than a lookup may take",
        "a slow or lossy connection, or many torrents at the same time: all lookups share one pace",
        "ask for fewer torrents at once, or try again later",
    ),
    entry(
        S::Interrupted,
        "interrupted",
        "the run ended first",
        "the deadline passed, or the run was interrupted; peers that were named until then count",
        "give a longer --deadline",
    ),
    entry(
        S::NoStart,
        "no node to start from",
        "no node to start from is known, and nothing was sent",
        "no name of a well-known node resolves, the list of them is empty (BT_HANDSHAKE_DHT_BOOTSTRAP), or they have no address of this family",
        "name a node with --dht-node: any client's address and port will do",
    ),
    shared(S::LocalLimit, exchange::LOCAL_LIMIT, exchange::RAISE_THE_LIMIT),
    entry(
        S::NoRoute,
        "no route",
        "this machine has no route to any node, and nothing was sent",
        "the network or the VPN is down, or this machine has no address of that family",
        exchange::LOOK_AT_THE_ROUTE,
    ),
    entry(
        S::Private,
        "private torrent",
        "it was not asked, or no further, because the torrent is private",
        "the trackers of a private torrent are its only source of peers (BEP 27); nodes that the torrent names are not asked either",
        "nothing; private torrents are in no DHT",
    ),
    entry(
        S::MayBePrivate,
        "may be private",
        "it was not asked, because a tracker's URL in the link has a secret: the torrent may be private",
        "private trackers give each user a URL of its own, and only the .torrent file says whether the torrent is private",
        "give the .torrent file, or the info-hash alone if the torrent is public",
    ),
];

/// In the order of [`N::ALL`].
pub(super) const NODES: &[Explanation] = &[
    node(
        N::Ok,
        "answered",
        "the node answered",
        "what it names was announced to it within the last half hour or so, and is not verified by it",
        "nothing",
    ),
    node(
        N::Refused,
        "error",
        "the node sent an error: the message has it",
        "rTorrent sends 201 when it knows neither peers nor nodes; 203 and 204 are of nodes that do not understand a query",
        "nothing; an error shows that the node is alive",
    ),
    node(
        N::Misnamed,
        "another id",
        "the node answered with another id than it was named with, and nothing of its answer was used",
        "its client was started anew and has a new id; or it takes on the ids that are asked for",
        NOTHING,
    ),
    node(
        N::Silent,
        "silent",
        "the node did not answer",
        "it is gone, as 30 to 60 % of all nodes that are named are; it is behind a firewall; it is busy (libtorrent then drops queries); or it ignores an address that asks often: libtorrent does for five minutes, after 50 datagrams in ten seconds",
        "for a client of your own: let UDP through to its port, and switch its DHT on",
    ),
    node(
        N::Unsent,
        "not sent",
        "the query could not be sent",
        "this machine has no route there, its firewall forbids it, or the address was sent as much as one address is sent for now: the message says which",
        exchange::LOOK_AT_THE_ROUTE,
    ),
];

const fn entry(
    status: S,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::DhtStatus, code: status.code(), words, seen, causes: Causes::One(cause), to_do }
}

const fn shared(status: S, [words, seen, cause]: exchange::Failure, to_do: &'static str) -> Explanation {
    entry(status, words, seen, cause, to_do)
}

const fn node(
    status: N,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::DhtNodeStatus, code: status.code(), words, seen, causes: Causes::One(cause), to_do }
}
