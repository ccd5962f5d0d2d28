//! The queries that are sent.

use crate::id::NodeId;
use bencode::{DictEncoder, Encoder};
use ids::InfoHash;

/// A query (BEP 5). It is read-only (BEP 43): its sender answers no queries, and asks not to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// What the answer returns. Exactly 4 bytes: nodes of the crate `mainline` answer no others.
    pub transaction: [u8; 4],
    /// The id of the sender: neither zero nor the receiver's own, which Transmission and rTorrent do not answer.
    pub id: NodeId,
    /// What is asked.
    pub method: Method,
}

/// What a query asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Whether the node is there.
    Ping,
    /// The nodes that are close to an id.
    FindNode {
        /// The id.
        target: NodeId,
    },
    /// The peers of a torrent, and the nodes that are close to its info-hash.
    GetPeers {
        /// The torrent.
        info_hash: InfoHash,
        /// Whether filters are asked for (BEP 33). libtorrent sends them instead of peers, and no other measured node sends any.
        scrape: bool,
    },
}

/// `v`: the letters of this project's peer ids, and version 1.0.
const VERSION: &[u8] = b"HS\x01\x00";

impl Query {
    /// Most bytes of a datagram. Nodes of libtorrent read 1,500 bytes of a query, and those of rTorrent fewer than 4,068.
    pub const MAX_BYTES: usize = 160;

    /// The datagram: canonical bencode with `ro` of 1 (BEP 43) and `want` for both families (BEP 32).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.written(true)
    }

    /// The datagram without `want`, for nodes that refuse it: aio-btdht answers error 203, `unknown field`.
    #[must_use]
    pub fn encode_without_want(&self) -> Vec<u8> {
        self.written(false)
    }

    fn written(&self, wants: bool) -> Vec<u8> {
        let bytes = Encoder::encode(|value| {
            value.dict(|dict| {
                dict.entry(b"a").dict(|arguments| self.arguments(arguments, wants));
                dict.entry(b"q").bytes(self.method.name());
                // BEP 43: "places a 'ro' key in the top-level message dictionary and sets its value to 1"
                dict.entry(b"ro").int(1);
                dict.entry(b"t").bytes(&self.transaction);
                dict.entry(b"v").bytes(VERSION);
                dict.entry(b"y").bytes(b"q");
            });
        });
        // Each key is written once, with a value.
        bytes.unwrap_or_default()
    }

    fn arguments(&self, arguments: &mut DictEncoder<'_>, wants: bool) {
        arguments.entry(b"id").bytes(&self.id.0);
        match self.method {
            Method::Ping => return,
            Method::FindNode { target } => arguments.entry(b"target").bytes(&target.0),
            Method::GetPeers { info_hash, scrape } => {
                arguments.entry(b"info_hash").bytes(&info_hash.0);
                if scrape {
                    arguments.entry(b"scrape").int(1);
                }
            }
        }
        if wants {
            // A list of strings; libtorrent and Transmission ignore a string, and rqbit does not answer it.
            arguments.entry(b"want").list(|families| {
                families.item().bytes(b"n4");
                families.item().bytes(b"n6");
            });
        }
    }
}

impl Method {
    /// The `q` of a query.
    fn name(self) -> &'static [u8] {
        match self {
            Self::Ping => b"ping",
            Self::FindNode { .. } => b"find_node",
            Self::GetPeers { .. } => b"get_peers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::Document;

    fn shown(method: Method, wants: bool) -> String {
        let bytes = Query { transaction: *b"abcd", id: NodeId([b'i'; 20]), method }.written(wants);
        assert!(Document::parse(&bytes).is_ok() && bytes.len() <= Query::MAX_BYTES);
        bytes.escape_ascii().to_string().replace(&"i".repeat(20), "ID").replace(&"h".repeat(20), "HASH")
    }

    #[test]
    fn queries_are_canonical_and_read_only() {
        let (info_hash, target) = (InfoHash([b'h'; 20]), NodeId([b'h'; 20]));
        let end = r"2:roi1e1:t4:abcd1:v4:HS\x01\x001:y1:qe";
        assert_eq!(shown(Method::Ping, true), format!("d1:ad2:id20:IDe1:q4:ping{end}"));
        assert_eq!(
            shown(Method::FindNode { target }, true),
            format!("d1:ad2:id20:ID6:target20:HASH4:wantl2:n42:n6ee1:q9:find_node{end}")
        );
        for (scrape, written) in [(false, ""), (true, "6:scrapei1e")] {
            assert_eq!(
                shown(Method::GetPeers { info_hash, scrape }, true),
                format!("d1:ad2:id20:ID9:info_hash20:HASH{written}4:wantl2:n42:n6ee1:q9:get_peers{end}")
            );
        }
        assert_eq!(
            shown(Method::GetPeers { info_hash, scrape: false }, false),
            format!("d1:ad2:id20:ID9:info_hash20:HASHe1:q9:get_peers{end}")
        );
    }
}
