//! A family of addresses in a run: its lookups, one for each info-hash of the torrent, or why there are none.

use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::terms::Terms;
use crate::discovery::source::NamedPeers;
use dht::Contact;
use dht::lookup::{Family, Start};
use guard::AddressPolicy;
use std::collections::HashSet;
use std::io;
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
        closest.into_iter().map(start).collect()
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
        let mut polled = Poll::Pending;
        for lookup in &mut self.lookups {
            polled = lookup.poll(context);
            others.append(&mut lookup.others);
            if polled.is_ready() {
                break;
            }
        }
        if self.share() {
            // They have had their turn.
            context.waker().wake_by_ref();
        }
        polled
    }

    /// Gives the nodes that have answered one lookup to the other where that one has no way of its own: nodes that lead to one
    /// info-hash are seldom close to the other, and a lookup that goes well has no use for them. Says whether there were any.
    fn share(&mut self) -> bool {
        let mut is_any = false;
        for place in 0..self.lookups.len() {
            let others =
                || self.lookups.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| other);
            let answered = others().map(|other| other.view().answered).sum();
            let lacks_nodes = |lookup: &&FamilyLookup| lookup.lacks_nodes() && lookup.given != answered;
            if self.lookups.get(place).filter(lacks_nodes).is_none() {
                continue;
            }
            let starts: Vec<Start> = others().flat_map(FamilyLookup::known).map(start).collect();
            if let Some(lookup) = self.lookups.get_mut(place) {
                lookup.given = answered;
                starts.into_iter().for_each(|start| lookup.add(start));
                is_any = true;
            }
        }
        is_any
    }
}

/// A node that has answered may name addresses of the network in which it was reached, and is asked by the same rule.
fn start(Contact { id, address }: Contact) -> Start {
    Start { address, id: Some(id), policy: AddressPolicy::for_peers_of(address.ip()) }
}
