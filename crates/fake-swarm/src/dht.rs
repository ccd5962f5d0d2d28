//! Nodes of the DHT (BEP 5) on this machine, each with its own script, and a network of them.

pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod query;
pub(crate) mod script;
