//! A family of addresses in a run: its lookups, one for each info-hash of the torrent, or why there are none.

use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::terms::Terms;
use crate::discovery::source::NamedPeers;
use dht::Contact;
use dht::lookup::{Family, Start};
use guard::AddressPolicy;
use std::collections::HashSet;
use std::io;
use std::mem::take;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// One family.
#[derive(Debug)]
pub(crate) struct OneFamily {
    pub(crate) family: Family,
    /// One for each info-hash, all at the same time; none before there is a node to start from.
    pub(crate) lookups: Vec<FamilyLookup>,
    /// Why there is no socket.
    pub(crate) no_socket: Option<io::Error>,
    pub(crate) earlier: Vec<SocketAddr>,
}

impl OneFamily {
    pub(crate) fn new(family: Family) -> Self {
        Self { family, lookups: Vec::new(), no_socket: None, earlier: Vec::new() }
    }

    /// The nodes that answered earlier lookups, to start from: those that are close to any info-hash.
    pub(crate) fn begin(&mut self, terms: &Terms) -> Vec<Start> {
        let mut known = HashSet::new();
        let closest = terms.info_hashes.iter().flat_map(|hash| terms.shared.dht().closest(self.family, *hash));
        let closest: Vec<Contact> = closest.filter(|node| known.insert(node.address)).collect();
        self.earlier = closest.iter().map(|node| node.address).collect();
        closest.into_iter().map(|Contact { id, address }| start(address, id)).collect()
    }

    /// Gives a node to all lookups, which begin with the first one.
    pub(crate) fn add(&mut self, start: Start, terms: &Terms) {
        if self.lookups.is_empty() && self.no_socket.is_none() {
            let begun = Instant::now();
            let begin = |hash: &_| FamilyLookup::begin(self.family, *hash, begun, terms);
            match terms.info_hashes.iter().map(begin).collect() {
                Ok(lookups) => self.lookups = lookups,
                Err(error) => self.no_socket = Some(error),
            }
        }
        self.lookups.iter_mut().for_each(|lookup| lookup.add(start));
    }

    /// Whether a node that is named now can be of use.
    pub(crate) fn needs_nodes(&self) -> bool {
        self.lookups.is_empty() || self.lookups.iter().any(FamilyLookup::needs_nodes)
    }

    /// The next peers, as a node names them to one of the lookups; what is named of the other family is added to `others`.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, others: &mut Vec<Start>) -> Poll<NamedPeers> {
        for place in 0..self.lookups.len() {
            let Some(lookup) = self.lookups.get_mut(place) else { continue };
            let named = lookup.poll(context);
            others.append(&mut lookup.others);
            let answered = take(&mut lookup.answered);
            self.share(place, &answered, context);
            if named.is_ready() {
                return named;
            }
        }
        Poll::Pending
    }

    /// Gives the nodes that have answered one lookup to the others.
    fn share(&mut self, of: usize, answered: &[Contact], context: &Context<'_>) {
        let others = self.lookups.iter_mut().enumerate().filter(|(place, _)| *place != of);
        for (place, other) in others {
            answered.iter().for_each(|node| other.add(start(node.address, node.id)));
            if place < of && !answered.is_empty() {
                // It has had its turn already.
                context.waker().wake_by_ref();
            }
        }
    }
}

/// A node that has answered may name addresses of the network in which it was reached, and is asked by the same rule.
fn start(address: SocketAddr, id: dht::NodeId) -> Start {
    Start { address, id: Some(id), policy: AddressPolicy::for_peers_of(address.ip()) }
}
