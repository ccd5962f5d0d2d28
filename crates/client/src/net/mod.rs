//! Sockets, names and randomness from the operating system, and the flag that stops a run.

pub(crate) mod connect;
pub(crate) mod entropy;
pub(crate) mod overlay;
pub(crate) mod resolve;
pub(crate) mod stop;
