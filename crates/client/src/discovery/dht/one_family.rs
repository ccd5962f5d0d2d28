//! A family of addresses in a run: its lookup, or why there is none.

use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::terms::Terms;
use dht::Contact;
use dht::lookup::{Family, Start};
use guard::AddressPolicy;
use std::io;
use std::net::SocketAddr;

/// One family.
#[derive(Debug)]
pub(crate) struct OneFamily {
    pub(crate) family: Family,
    /// `None` before there is a node to start from.
    pub(crate) lookup: Option<Box<FamilyLookup>>,
    /// Why there is no socket.
    pub(crate) no_socket: Option<io::Error>,
    pub(crate) earlier: Vec<SocketAddr>,
}

impl OneFamily {
    pub(crate) fn new(family: Family) -> Self {
        Self { family, lookup: None, no_socket: None, earlier: Vec::new() }
    }

    /// The nodes that answered earlier lookups, to start from.
    pub(crate) fn begin(&mut self, terms: &Terms) -> Vec<Start> {
        let closest = terms.shared.dht().closest(self.family, terms.info_hash);
        self.earlier = closest.iter().map(|node| node.address).collect();
        let start = |Contact { id, address }| Start {
            address,
            id: Some(id),
            policy: AddressPolicy::for_peers_of(address.ip()),
        };
        closest.into_iter().map(start).collect()
    }

    /// Gives a node to the lookup, which begins with the first one.
    pub(crate) fn add(&mut self, start: Start, terms: &Terms) {
        if self.lookup.is_none() && self.no_socket.is_none() {
            match FamilyLookup::begin(self.family, terms) {
                Ok(lookup) => self.lookup = Some(Box::new(lookup)),
                Err(error) => self.no_socket = Some(error),
            }
        }
        if let Some(lookup) = &mut self.lookup {
            lookup.add(start);
        }
    }
}
