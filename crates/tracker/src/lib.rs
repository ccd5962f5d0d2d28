//! What is asked of a tracker and what it answers, as values: [`TrackerUrl`] says where, [`Announce`] and [`Scrape`] what
//! is asked (BEP 3, 23, 48), [`Announced`] and [`Scraped`] what was answered (BEP 3, 7, 23, 24, 31, 48). [`udp`] puts the
//! same into datagrams (BEP 15, 41).
//!
//! Other people's lists are read with patience: an entry that is no good is skipped and counted, never the reason to
//! lose the others. This crate knows no sockets, no runtime and no clock.

mod announce;
mod announced;
mod derived;
mod error;
mod family;
mod origin;
mod peer;
mod peers;
mod scrape;
pub mod udp;
mod url;
mod url_error;

pub use announce::{Announce, Crypto, Event};
pub use announced::Announced;
pub use error::{Error, RetryIn};
pub use family::Family;
pub use origin::{Host, Scheme};
pub use peer::{HostName, ParsePeerAddressError, Peer, PeerAddress};
pub use peers::Skipped;
pub use scrape::{Counts, Scrape, ScrapeError, Scraped};
pub use url::TrackerUrl;
pub use url_error::UrlError;
