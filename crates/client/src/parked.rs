//! Peers whose address has all the connections it may have, until one of them has ended.

use crate::addresses::Addresses;
use crate::attempt::Try;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Those that wait, by address.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    waiting: BTreeMap<IpAddr, VecDeque<Try>>,
    /// How often connections had ended when nobody else could go.
    looked: usize,
}

impl Parked {
    /// Has `tried` wait.
    pub(crate) fn add(&mut self, tried: Try) {
        self.waiting.entry(tried.address.ip()).or_default().push_back(tried);
    }

    /// Those whose address has room again, as many as it has room for.
    pub(crate) fn take(&mut self, addresses: &Addresses) -> Vec<Try> {
        let freed = addresses.freed();
        if self.waiting.is_empty() || self.looked == freed {
            return Vec::new();
        }
        self.looked = freed;
        let mut taken = Vec::new();
        self.waiting.retain(|&ip, waiting| {
            taken.extend(waiting.drain(..addresses.room(ip).min(waiting.len())));
            !waiting.is_empty()
        });
        taken
    }

    /// The next one, whether its address has room or not.
    pub(crate) fn pop(&mut self) -> Option<Try> {
        let mut first = self.waiting.first_entry()?;
        let tried = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        tried
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
