//! What happens in a lookup, read from bytes. Beyond the end of the input nodes are silent.

use crate::source::Source;
use dht::krpc::{Refusal, Reply};
use dht::lookup::Start;
use dht::{Contact, NodeId, Version};
use guard::AddressPolicy;
use std::collections::BTreeSet;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

/// The id that is looked up.
pub(super) const TARGET: NodeId = NodeId([0x55; 20]);

/// Addresses with something special about them.
const ODD: [([u8; 4], u16); 8] = [
    ([10, 0, 0, 1], 6_881),
    ([127, 0, 0, 1], 6_881),
    ([169, 254, 169, 254], 6_881),
    ([224, 0, 0, 1], 6_881),
    ([8, 8, 8, 8], 0),
    ([8, 8, 8, 8], 80),
    ([8, 8, 8, 8], 1_023),
    ([8, 8, 8, 8], 1_024),
];

/// Settings, and the bytes that decide about the rest.
pub(super) struct Script<'i> {
    source: Source<'i>,
    pub(super) is_v6: bool,
    /// Another limit of queries.
    pub(super) queries: Option<usize>,
    pub(super) starts: u8,
    is_repeating: bool,
}

/// What becomes of a query.
pub(super) enum Act {
    Nothing,
    Unsent,
    /// Answered after this time, in a way that depends on the byte.
    Answer(Duration, u8),
}

pub(super) enum Answer {
    Reply(Reply),
    Refusal(Refusal),
}

impl Answer {
    pub(super) fn transaction(&self) -> &[u8] {
        match self {
            Self::Reply(reply) => &reply.transaction,
            Self::Refusal(refusal) => &refusal.transaction,
        }
    }
}

impl<'i> Script<'i> {
    pub(super) fn new(input: &'i [u8]) -> Self {
        let mut source = Source::new(input);
        let (kind, queries) = (source.byte(), source.byte());
        Self {
            is_v6: kind & 1 == 1,
            queries: (kind & 2 == 2).then_some(queries.into()),
            starts: (kind >> 4) * 4,
            is_repeating: kind & 4 == 4,
            source,
        }
    }

    /// The transaction id of the next query: a new one, or always the same.
    pub(super) fn transaction(&self, sent: u32) -> [u8; 4] {
        if self.is_repeating { *b"0000" } else { sent.to_be_bytes() }
    }

    pub(super) fn start(&mut self) -> Start {
        let (node, kind) = (self.node(), self.source.byte());
        let far = AddressPolicy::Author;
        let policy = [far, far, AddressPolicy::User, AddressPolicy::for_peers_of([10, 0, 0, 9].into())];
        Start {
            address: node.address,
            id: (kind & 1 == 1).then_some(node.id),
            policy: policy[usize::from(kind >> 1) % 4],
        }
    }

    pub(super) fn act(&mut self) -> Act {
        let kind = self.source.byte();
        match kind {
            0..64 => Act::Nothing,
            64..72 => Act::Unsent,
            _ => {
                // 0 to 16 s, most of them short.
                let time = u64::from(self.source.byte());
                Act::Answer(Duration::from_millis(time * time / 4), kind)
            }
        }
    }

    /// What comes between two answers.
    pub(super) fn interruption(&mut self) -> u8 {
        if self.source.rest().is_empty() { 0 } else { self.source.byte() % 32 }
    }

    /// The time after the end before another starting node comes, if one does.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        if self.source.rest().is_empty() {
            None
        } else {
            Some(Duration::from_millis(u64::from(self.source.byte()) * 60))
        }
    }

    pub(super) fn answer(&mut self, kind: u8, transaction: [u8; 4]) -> Answer {
        let node = self.node();
        let mut reply = Reply::new(&transaction, node.id);
        if kind == 255 {
            reply.transaction.pop();
        }
        if kind < 80 {
            return Answer::Refusal(Refusal {
                transaction: reply.transaction,
                code: 201,
                text: String::new(),
                id: (kind & 1 == 1).then_some(node.id),
                external: None,
                version: None,
            });
        }
        reply.nodes = (0..kind & 15).map(|_| self.node()).collect();
        if kind & 16 == 16 {
            let (first, count) = (self.node().address, u16::from(self.source.byte()));
            let port = |n| if n % 8 == 0 { n } else { first.port().wrapping_add(n) };
            let peers: BTreeSet<SocketAddr> = (0..count).map(|n| SocketAddr::new(first.ip(), port(n))).collect();
            reply.peers = peers.into_iter().collect();
            reply.version = (kind & 32 == 32).then(|| Version::new(b"LT\x02\x11"));
        }
        Answer::Reply(reply)
    }

    /// One of some hundred nodes. Most are named as they are; some with another's id or address, in a crowded network, or oddly.
    pub(super) fn node(&mut self) -> Contact {
        let (who, how) = (self.source.byte(), self.source.byte());
        let mut id = TARGET;
        id.0[usize::from(who / 32)] ^= 1 << (7 - who / 4 % 8);
        id.0[19] ^= who;
        let (ip, port) = match how {
            0..160 => ([20, who, 0, 1], 6_881),
            160..192 => ([30, 0, 0, who], 6_881),
            192..208 => ([20, who, 0, 1], 6_882),
            208..224 => ([20, who ^ 1, 0, 1], 6_881),
            224..240 => ([40, who, how, 1], 6_881),
            _ => ODD[usize::from(who % 8)],
        };
        let is_v6 = self.is_v6 != (how == 250);
        Contact { id, address: if is_v6 { (v6(ip), port).into() } else { (ip, port).into() } }
    }
}

/// An IPv6 address for an IPv4 address, in as many networks.
fn v6([a, b, c, d]: [u8; 4]) -> Ipv6Addr {
    let [high, low] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    match a {
        10 => Ipv6Addr::new(0xfd00, high, 0, 0, 0, 0, 0, low),
        127 => Ipv6Addr::LOCALHOST,
        169 => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, low),
        224 => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, low),
        _ => Ipv6Addr::new(0x2a00, high, c.into(), 0, 0, 0, 0, low),
    }
}
