//! Which peer is dialled next, how an attempt goes, and how one or two attempts at a peer become one report.
//!
//! Knows no source of peers and no tracker: it is handed addresses.

pub(crate) mod attempt;
pub(crate) mod conversation;
pub(crate) mod delay_queue;
pub(crate) mod dialler;
pub(crate) mod parked;
pub(crate) mod peer_context;
pub(crate) mod peer_error;
pub(crate) mod story;
pub(crate) mod stream;
