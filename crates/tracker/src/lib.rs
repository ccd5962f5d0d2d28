//! What is asked of a tracker and what it answers, as values: [`TrackerUrl`] says where, [`Announce`] what is asked
//! (BEP 3, 23), [`Announced`] what was answered (BEP 3, 7, 23, 24).
//!
//! Other people's lists are read with patience: an entry that is no good is skipped and counted, never the reason to
//! lose the others. This crate knows no sockets, no runtime and no clock.

mod announce;
mod announced;
mod peers;
mod url;

pub use announce::{Announce, Event};
pub use announced::{Announced, Error};
pub use peers::{HostName, ParsePeerAddressError, Peer, PeerAddress, Skipped};
pub use url::{Host, Scheme, TrackerUrl, UrlError};
