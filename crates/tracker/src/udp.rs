//! The datagrams of a UDP tracker (BEP 15), with path and query of the announce URL (BEP 41).
//!
//! A client asks for a [`ConnectionId`] first ([`connect`]) and sends it with later requests ([`announce`], [`scrape`]).
//! Every datagram of a tracker is a [`Reply`]. All numbers are big-endian.

mod action;
mod reply;
mod request;

pub use action::{Action, ConnectionId};
pub use reply::{DatagramError, Reply};
pub use request::{announce, connect, scrape};
