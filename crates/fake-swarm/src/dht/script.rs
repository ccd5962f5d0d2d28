//! What a node of the DHT answers: the messages of BEP 5, 32, 33 and 42, written by hand.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sha1::{Digest, Sha1};

use super::query::DhtQuery;
use crate::bencoding::{dictionary, integer, list, string};
use crate::gate::Gate;

/// A node as others name it: its id and where it is.
pub type KnownNode = ([u8; 20], SocketAddr);

/// The nodes that an answer names, as those of most programs do.
const NAMED: usize = 8;

type Edit = Arc<dyn Fn(&DhtQuery, &mut NodeReply) + Send + Sync>;

/// What a fake node does with each datagram. Whatever it does, the datagram is recorded first.
///
/// Unless told otherwise it answers as libtorrent does: `find_node` with the 8 nodes that it knows closest to the target, in the
/// families that are wanted; `get_peers` with the same, a token, and the peers it stores in the family it is asked over; `ping` with
/// its id; anything else with error 204. [`edited`](Self::edited) changes any reply in any way; the edits are made in their order.
///
/// ```
/// use fake_swarm::{NodeScript, peer_ip};
/// let liar = NodeScript::default().lying([(peer_ip(0), 6881)]).version(b"LT\x02\x0b");
/// let slow_witted = NodeScript::default().silent_for(1).edited(|query, reply| reply.nodes = query.target.map(|_| Vec::new()));
/// ```
#[derive(Clone, Default)]
pub struct NodeScript {
    nodes: Vec<KnownNode>,
    peers: HashMap<[u8; 20], Vec<SocketAddr>>,
    edits: Vec<Edit>,
    gate: Option<Gate>,
}

impl fmt::Debug for NodeScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, peers, edits, gate } = self;
        write!(f, "NodeScript {{ nodes: {nodes:?}, peers: {peers:?}, edits: {}, gate: {gate:?} }}", edits.len())
    }
}

/// One reply to be, for [`NodeScript::edited`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReply {
    /// The node's id.
    pub id: [u8; 20],
    /// The transaction id.
    pub transaction: Vec<u8>,
    /// Nodes: those of IPv4 in `nodes`, those of IPv6 in `nodes6`; `None` for neither key.
    pub nodes: Option<Vec<KnownNode>>,
    /// Peers of either family, in `values`; `None` for no such key.
    pub peers: Option<Vec<SocketAddr>>,
    /// `BFsd` and `BFpe` (BEP 33).
    pub filters: Option<[[u8; 256]; 2]>,
    /// The token.
    pub token: Option<Vec<u8>>,
    /// `v`: the software.
    pub version: Option<Vec<u8>>,
    /// `ip`: the address of the asking node (BEP 42).
    pub seen_as: Option<SocketAddr>,
    /// Code and text of an error in place of the reply.
    pub error: Option<(i64, String)>,
    /// These bytes in place of the reply.
    pub raw: Option<Vec<u8>>,
    /// Datagrams that are sent before the reply.
    pub before: Vec<Vec<u8>>,
    /// How often the reply is sent: 0 is silence, many are a flood.
    pub copies: usize,
    /// Another address of this machine that all of it comes from; the node's own if `None`.
    pub from: Option<SocketAddr>,
}

impl NodeScript {
    /// It also knows these nodes.
    #[must_use]
    pub fn knowing(mut self, nodes: impl IntoIterator<Item = KnownNode>) -> Self {
        self.nodes.extend(nodes);
        self
    }

    /// It also stores these peers of a torrent.
    #[must_use]
    pub fn storing<A: Into<SocketAddr>>(mut self, info_hash: [u8; 20], peers: impl IntoIterator<Item = A>) -> Self {
        self.peers.entry(info_hash).or_default().extend(peers.into_iter().map(Into::into));
        self
    }

    /// It replies with what this makes of each reply.
    #[must_use]
    pub fn edited(mut self, edit: impl Fn(&DhtQuery, &mut NodeReply) + Send + Sync + 'static) -> Self {
        self.edits.push(Arc::new(edit));
        self
    }

    /// It names these peers for whichever torrent it is asked for.
    #[must_use]
    pub fn lying<A: Into<SocketAddr>>(self, peers: impl IntoIterator<Item = A>) -> Self {
        let peers: Vec<SocketAddr> = peers.into_iter().map(Into::into).collect();
        self.edited(move |query, reply| {
            if query.method == "get_peers" && !query.scrape {
                reply.peers = Some(peers.clone());
            }
        })
    }

    /// It answers `scrape=1` for a torrent of which it stores peers with the filters of these addresses in place of peers, as
    /// libtorrent does.
    #[must_use]
    pub fn with_filters(self, seeds: &[IpAddr], leechers: &[IpAddr]) -> Self {
        let filters = [bloom_filter(seeds), bloom_filter(leechers)];
        self.edited(move |query, reply| {
            if query.scrape && reply.peers.take().is_some() {
                reply.filters = Some(filters);
            }
        })
    }

    /// It says nothing.
    #[must_use]
    pub fn silent(self) -> Self {
        self.silent_for(usize::MAX)
    }

    /// It does not answer the first datagrams, of all senders together.
    #[must_use]
    pub fn silent_for(self, datagrams: usize) -> Self {
        self.edited(move |query, reply| reply.copies = if query.before < datagrams { 0 } else { reply.copies })
    }

    /// It answers with an error: 201 generic, 203 malformed, 204 unknown method.
    #[must_use]
    pub fn error(self, code: i64, text: &str) -> Self {
        let text = text.to_owned();
        self.edited(move |_, reply| reply.error = Some((code, text.clone())))
    }

    /// It answers with another id than it is known by.
    #[must_use]
    pub fn id(self, id: [u8; 20]) -> Self {
        self.edited(move |_, reply| reply.id = id)
    }

    /// It answers with a transaction id that was not asked.
    #[must_use]
    pub fn wrong_transaction(self) -> Self {
        self.edited(|_, reply| reply.transaction.iter_mut().for_each(|byte| *byte = !*byte))
    }

    /// Its answers come from this address.
    #[must_use]
    pub fn from(self, address: impl Into<SocketAddr>) -> Self {
        let address = address.into();
        self.edited(move |_, reply| reply.from = Some(address))
    }

    /// It says that this is its software.
    #[must_use]
    pub fn version(self, version: &[u8]) -> Self {
        let version = version.to_vec();
        self.edited(move |_, reply| reply.version = Some(version.clone()))
    }

    /// Its answers wait for the gate.
    #[must_use]
    pub fn held_by(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }

    pub(crate) fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// The reply of the node with this id; `None` to what is no query.
    pub(crate) fn reply(&self, id: [u8; 20], query: &DhtQuery) -> NodeReply {
        let mut reply = NodeReply {
            id,
            transaction: query.transaction.clone(),
            nodes: None,
            peers: None,
            filters: None,
            token: None,
            version: None,
            seen_as: Some(query.remote),
            error: None,
            raw: None,
            before: Vec::new(),
            // What is no query gets no answer.
            copies: usize::from(!query.method.is_empty()),
            from: None,
        };
        match (query.method.as_str(), query.target) {
            ("ping", _) => {}
            ("find_node" | "get_peers", None) => reply.error = Some((203, "no target".to_owned())),
            ("find_node", Some(target)) => reply.nodes = Some(self.closest(target, query)),
            ("get_peers", Some(target)) => {
                reply.nodes = Some(self.closest(target, query));
                reply.token = Some(b"token".to_vec());
                let of_family = |peer: &&SocketAddr| peer.is_ipv4() == query.remote.is_ipv4();
                reply.peers = self.peers.get(&target).map(|peers| peers.iter().filter(of_family).copied().collect());
            }
            _ => reply.error = Some((204, "unknown method".to_owned())),
        }
        self.edits.iter().for_each(|edit| edit(query, &mut reply));
        reply
    }

    /// The 8 known nodes of each wanted family that are closest to the target.
    fn closest(&self, target: [u8; 20], query: &DhtQuery) -> Vec<KnownNode> {
        let own = if query.remote.is_ipv4() { "n4" } else { "n6" };
        let wanted =
            |family: &str| query.want.iter().any(|want| want == family) || query.want.is_empty() && own == family;
        let of_family = |is_v4: bool| {
            let mut nodes: Vec<_> = self.nodes.iter().filter(|(_, at)| at.is_ipv4() == is_v4).copied().collect();
            nodes.sort_by_key(|(id, _)| distance(*id, target));
            nodes.truncate(NAMED);
            nodes
        };
        let families = [(true, "n4"), (false, "n6")].into_iter().filter(|(_, family)| wanted(family));
        families.flat_map(|(is_v4, _)| of_family(is_v4)).collect()
    }
}

impl NodeReply {
    /// The datagrams to send, in this order.
    pub(crate) fn datagrams(&self) -> Vec<Vec<u8>> {
        if self.copies == 0 {
            return Vec::new();
        }
        let reply = self.raw.clone().unwrap_or_else(|| self.to_bytes());
        [self.before.clone(), vec![reply; self.copies]].concat()
    }

    /// The message, without regard to `raw`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let nodes = |is_v4: bool| {
            let nodes = self.nodes.iter().flatten().filter(move |(_, at)| at.is_ipv4() == is_v4);
            nodes.flat_map(|(id, at)| [id.to_vec(), compact(*at)].concat()).collect::<Vec<u8>>()
        };
        let (v4, v6) = (nodes(true), nodes(false));
        let body = [
            Some(("id", string(self.id))),
            self.nodes.is_some().then(|| ("nodes", string(&v4))).filter(|_| !v4.is_empty() || v6.is_empty()),
            (!v6.is_empty()).then(|| ("nodes6", string(&v6))),
            self.peers.as_ref().map(|peers| ("values", list(peers.iter().map(|peer| string(compact(*peer)))))),
            self.filters.map(|[seeds, _]| ("BFsd", string(seeds))),
            self.filters.map(|[_, leechers]| ("BFpe", string(leechers))),
            self.token.as_ref().map(|token| ("token", string(token))),
        ];
        let body = match &self.error {
            Some((code, text)) => ("e", list([integer(*code), string(text)])),
            None => ("r", dictionary(body.into_iter().flatten())),
        };
        dictionary(
            [
                Some(("y", string(body.0))),
                Some(body),
                Some(("t", string(&self.transaction))),
                self.version.as_ref().map(|version| ("v", string(version))),
                self.seen_as.map(|address| ("ip", string(compact(address)))),
            ]
            .into_iter()
            .flatten(),
        )
    }
}

/// 6 or 18 bytes.
fn compact(address: SocketAddr) -> Vec<u8> {
    let ip = match address.ip() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    [ip.as_slice(), &address.port().to_be_bytes()].concat()
}

/// How far two ids are from each other.
pub(crate) fn distance(one: [u8; 20], other: [u8; 20]) -> [u8; 20] {
    std::array::from_fn(|place| one.get(place).zip(other.get(place)).map_or(0, |(one, other)| one ^ other))
}

/// The Bloom filter of addresses (BEP 33): two bits of 2,048 each.
#[must_use]
pub fn bloom_filter(addresses: &[IpAddr]) -> [u8; 256] {
    let mut filter = [0; 256];
    for address in addresses {
        let hash = match address {
            IpAddr::V4(v4) => Sha1::digest(v4.octets()),
            IpAddr::V6(v6) => Sha1::digest(v6.octets()),
        };
        for pair in hash.as_chunks::<2>().0.iter().take(2) {
            let bit = usize::from(u16::from_le_bytes(*pair)) % 2048;
            if let Some(byte) = filter.get_mut(bit / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 20] = [b'n'; 20];

    fn asked(method: &str, more: &str, remote: &str) -> DhtQuery {
        let bytes = format!(
            "d1:ad2:id20:iiiiiiiiiiiiiiiiiiii9:info_hash20:hhhhhhhhhhhhhhhhhhhh{more}e1:q{method}1:t4:tttt1:y1:qe"
        );
        DhtQuery::parse(bytes.as_bytes(), remote.parse().unwrap(), 0)
    }

    fn answer(script: &NodeScript, query: &DhtQuery) -> String {
        let datagrams = script.reply(ID, query).datagrams();
        datagrams.iter().map(|bytes| bytes.escape_ascii().to_string()).collect::<Vec<_>>().join("|")
    }

    const GET_PEERS: &str = "9:get_peers";

    fn full() -> NodeScript {
        let v6 = "[::1]:258".parse().unwrap();
        let (near, far) = ([b'h'; 20], [0; 20]);
        let nodes = (0..8).map(|_| (near, "97.98.99.100:25958".parse().unwrap()));
        let known = nodes.chain([(far, "127.0.0.1:1".parse().unwrap()), (near, v6)]);
        NodeScript::default().knowing(known).storing(near, ["97.98.99.101:25958".parse().unwrap(), v6])
    }

    #[test]
    fn peers_and_nodes_of_the_family_and_those_wanted() {
        let node = "hhhhhhhhhhhhhhhhhhhhabcdef";
        assert_eq!(
            answer(&full(), &asked(GET_PEERS, "", "97.98.99.102:25958")),
            format!(
                "d2:ip6:abcfef1:rd2:id20:nnnnnnnnnnnnnnnnnnnn5:nodes208:{}5:token5:token6:valuesl6:abceefee1:t4:tttt1:y1:re",
                node.repeat(8)
            )
        );
        let node6 = format!("38:hhhhhhhhhhhhhhhhhhhh{}\\x01\\x01\\x02", "\\x00".repeat(15));
        let over_v6 = answer(&full(), &asked(GET_PEERS, "", "[::1]:1"));
        assert!(over_v6.contains(&format!("6:nodes6{node6}5:token")) && !over_v6.contains("5:nodes"), "{over_v6}");
        assert!(over_v6.contains(&format!("6:valuesl18:{}", &node6[23..])), "{over_v6}");
        let both = answer(&full(), &asked(GET_PEERS, "4:wantl2:n42:n6e", "127.0.0.1:1"));
        assert!(both.contains("5:nodes208:") && both.contains("6:nodes638:"), "{both}");
    }

    #[test]
    fn each_method() {
        let script = NodeScript::default();
        let bare = "d2:ip6:\\x7f\\x00\\x00\\x01\\x00\\x011:rd2:id20:nnnnnnnnnnnnnnnnnnnn";
        for (method, expected) in [
            ("4:ping", format!("{bare}e1:t4:tttt1:y1:re")),
            ("9:find_node", format!("{bare}5:nodes0:e1:t4:tttt1:y1:re")),
            (GET_PEERS, format!("{bare}5:nodes0:5:token5:tokene1:t4:tttt1:y1:re")),
            ("3:put", "d1:eli204e14:unknown methode2:ip6:\\x7f\\x00\\x00\\x01\\x00\\x011:t4:tttt1:y1:ee".to_owned()),
            ("0:", String::new()),
        ] {
            assert_eq!(answer(&script, &asked(method, "", "127.0.0.1:1")), expected, "{method}");
        }
    }

    #[test]
    fn each_edit() {
        let query = asked(GET_PEERS, "", "127.0.0.1:1");
        let reply = |script: NodeScript| script.reply(ID, &query);
        let peers = [SocketAddr::from(([127, 0, 0, 9], 9))];
        assert_eq!(reply(NodeScript::default().lying(peers)).peers.unwrap(), peers);
        assert_eq!(reply(NodeScript::default().id([1; 20])).id, [1; 20]);
        assert_eq!(reply(NodeScript::default().wrong_transaction()).transaction, [!b't'; 4]);
        assert_eq!(reply(NodeScript::default().version(b"LT")).version.unwrap(), b"LT");
        assert_eq!(reply(NodeScript::default().from(peers[0])).from.unwrap(), peers[0]);
        assert!(answer(&NodeScript::default().error(201, "no"), &query).contains("1:eli201e2:noe2:ip"));
        assert_eq!(answer(&NodeScript::default().silent(), &query), "");
        let late = NodeScript::default().silent_for(1);
        assert_ne!(answer(&late, &DhtQuery { before: 1, ..query.clone() }), "");
        let flood = NodeScript::default().edited(|_, reply| {
            (reply.raw, reply.copies, reply.before) = (Some(b"x".to_vec()), 2, vec![b"y".to_vec()]);
        });
        assert_eq!(answer(&flood, &query), "y|x|x");
    }

    #[test]
    fn filters_take_the_place_of_peers() {
        let ips = [IpAddr::from([192, 0, 2, 1])];
        let script = full().with_filters(&ips, &[]);
        assert!(script.reply(ID, &asked(GET_PEERS, "", "127.0.0.1:1")).filters.is_none());
        let scraped = script.reply(ID, &asked(GET_PEERS, "6:scrapei1e", "127.0.0.1:1"));
        assert_eq!((scraped.peers.as_ref(), scraped.filters), (None, Some([bloom_filter(&ips), [0; 256]])));
        assert!(answer(&script, &asked(GET_PEERS, "6:scrapei1e", "127.0.0.1:1")).contains("4:BFpe256:"));
    }

    /// The beginning and the end of the test vector of BEP 33.
    #[test]
    fn the_filter_of_bep_33() {
        let v4 = (0..=255).map(|last| IpAddr::from([192, 0, 2, last]));
        let v6 = (0..1000).map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
        let filter = bloom_filter(&v4.chain(v6).collect::<Vec<_>>());
        assert_eq!(filter[..8], [0xf6, 0xc3, 0xf5, 0xea, 0xa0, 0x7f, 0xfd, 0x91]);
        assert_eq!(filter[248..], [0xfe, 0xee, 0x76, 0xb6, 0xfd, 0x8f, 0x72, 0xef]);
    }
}
