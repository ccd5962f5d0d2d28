//! Where peers come from: the sources that a run asks, and the peers they named, each once, with the permissions they have.
//!
//! Opens no connection to a peer.

pub(crate) mod peers;
pub(crate) mod table;
pub(crate) mod trackers;
