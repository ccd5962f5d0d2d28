//! The nodes that have answered, from which later lookups start.

use dht::lookup::Family;
use dht::{Contact, NodeId};
use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;

/// Nodes of a family that are kept, the latest ones.
const KEPT: usize = 200;

/// Nodes that a lookup starts from: with 40 of which half are dead, the first peers are named after a fifth of a second.
const STARTS: usize = 40;

/// Nodes of both families.
#[derive(Debug, Default)]
pub(crate) struct KnownNodes {
    v4: VecDeque<Contact>,
    v6: VecDeque<Contact>,
}

impl KnownNodes {
    /// Adds nodes, each IP address once: the latest is the one most probably there.
    pub(crate) fn add(&mut self, nodes: impl Iterator<Item = Contact>) {
        for node in nodes {
            let family = if node.address.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
            family.retain(|known| known.address.ip() != node.address.ip());
            family.push_back(node);
            if family.len() > KEPT {
                family.pop_front();
            }
        }
    }

    /// Leaves out nodes that no longer answer as what they were: with a list of dead ones alone no lookup would begin again.
    pub(crate) fn forget(&mut self, nodes: &HashSet<SocketAddr>) {
        for family in [&mut self.v4, &mut self.v6] {
            family.retain(|known| !nodes.contains(&known.address));
        }
    }

    /// Those that are the closest to an id, the closest first.
    pub(crate) fn closest(&self, family: Family, target: NodeId) -> Vec<Contact> {
        let known = if family == Family::V4 { &self.v4 } else { &self.v6 };
        let mut closest: Vec<Contact> = known.iter().copied().collect();
        closest.sort_by_key(|node| target.distance(&node.id));
        closest.truncate(STARTS);
        closest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(n: u8) -> Contact {
        Contact { id: NodeId([n; 20]), address: ([192, 0, 2, n], 6881).into() }
    }

    #[test]
    fn the_latest_are_kept_and_the_closest_given() {
        let mut known = KnownNodes::default();
        known.add((0..=255).map(node).chain([node(56)]));
        let six = Contact { id: NodeId([1; 20]), address: "[2001:db8::1]:6881".parse().unwrap() };
        known.add([six].into_iter());
        let closest = known.closest(Family::V4, NodeId([100; 20]));
        assert_eq!((closest.len(), closest[0], closest[1]), (STARTS, node(100), node(101)));
        assert_eq!(known.v4.len(), KEPT);
        assert!(!known.v4.contains(&node(55)) && known.v4.back() == Some(&node(56)));
        assert_eq!(known.closest(Family::V6, NodeId([9; 20])), [six]);
    }
}
