//! Sockets, names and entropy of the operating system, and the flag that cancels a run.

pub(crate) mod connect;
pub(crate) mod entropy;
pub(crate) mod interface;
pub(crate) mod overlay;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod stop;
pub(crate) mod task;
