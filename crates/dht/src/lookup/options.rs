//! What a lookup is given.

use crate::id::NodeId;
use crate::lookup::limits::QUERIES;
use guard::AddressPolicy;
use std::net::SocketAddr;

/// The family of addresses of a lookup. The DHT over IPv4 and the one over IPv6 are two (BEP 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What a lookup is given at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The family. Nodes and peers of the other one are left out.
    pub family: Family,
    /// The id in each query.
    pub id: NodeId,
    /// The most queries. A lookup with another limit than [`QUERIES`] sends no more where most nodes are silent.
    pub queries: usize,
}

impl Options {
    /// The options of an ordinary lookup, with [`QUERIES`].
    #[must_use]
    pub fn new(family: Family, id: NodeId) -> Self {
        Self { family, id, queries: QUERIES }
    }

    /// With another limit of queries.
    #[must_use]
    pub fn with_queries(mut self, queries: usize) -> Self {
        self.queries = queries;
        self
    }

    /// Whether an address is of the family and may be contacted on the word of the source that the policy is for. Ports below
    /// 1024 are for the user to name, 80 and 443 included: no node of the DHT needs one.
    pub(super) fn accepts(&self, address: SocketAddr, policy: AddressPolicy) -> bool {
        self.is_of_family(address)
            && policy.check(address).is_ok()
            && (policy == AddressPolicy::User || address.port() >= AddressPolicy::LOWEST_PORT)
    }

    pub(super) fn is_of_family(&self, address: SocketAddr) -> bool {
        address.is_ipv4() == (self.family == Family::V4)
    }
}

/// A node to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Where it is.
    pub address: SocketAddr,
    /// Its id, known of a node that answered earlier; unknown of bootstrap nodes, a torrent's `nodes` and PORT messages.
    pub id: Option<NodeId>,
    /// Which addresses the source that named it may name.
    pub policy: AddressPolicy,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_accepted_by_family_scope_and_port() {
        let far = AddressPolicy::for_peers_of("8.8.8.8".parse().unwrap());
        let local = AddressPolicy::for_peers_of("10.0.0.1".parse().unwrap());
        for (address, by_far, by_local, by_user) in [
            ("9.9.9.9:1024", true, true, true),
            ("9.9.9.9:1023", false, false, true),
            ("9.9.9.9:443", false, false, true),
            ("9.9.9.9:0", false, false, false),
            ("10.0.0.2:6881", false, true, true),
            ("127.0.0.1:6881", false, false, true),
            ("224.0.0.1:6881", false, false, false),
            ("[2a00::1]:6881", false, false, false),
        ] {
            let accepts = |policy| Options::new(Family::V4, NodeId([0; 20])).accepts(address.parse().unwrap(), policy);
            assert_eq!(
                (accepts(far), accepts(local), accepts(AddressPolicy::User)),
                (by_far, by_local, by_user),
                "{address}"
            );
        }
        assert!(Options::new(Family::V6, NodeId([0; 20])).accepts("[2a00::1]:6881".parse().unwrap(), far));
    }
}
