//! What the nodes of the network saw.

use dht::NodeId;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A datagram of a side, or one to it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Instant,
    /// The side's port.
    pub(crate) side: u16,
    /// The id or info-hash that the query is about.
    pub(crate) target: Option<NodeId>,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A query with this method to a node, dead or not; `scrape` asks for filters.
    Asked { method: String, scrape: bool },
    /// An answer with these peers.
    Answered(Vec<SocketAddr>),
}

/// All of them in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    pub(crate) fn add(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// The entries since the last call.
    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes entries as lines: microseconds since `start`, the side, what it is about, and what happened.
pub(crate) fn write(to: &mut dyn Write, start: Instant, side: &str, entries: &[Entry]) -> std::io::Result<()> {
    for Entry { at, target, what, .. } in entries {
        let (at, target) = (at.saturating_duration_since(start).as_micros(), target.map(|id| id.to_string()));
        let what = match what {
            What::Asked { method, scrape } => format!("asked {method}{}", if *scrape { " for filters" } else { "" }),
            What::Answered(peers) => format!("answered {} peers", peers.len()),
        };
        writeln!(to, "{at} {side} {} {what}", target.unwrap_or_default())?;
    }
    Ok(())
}
