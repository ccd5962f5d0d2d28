//! What is asked of a tracker and what it answers, as values: [`TrackerUrl`] says where, [`Announce`] and [`Scrape`] what
//! is asked (BEP 3, 23, 48), [`Announced`] and [`Scraped`] what was answered (BEP 3, 7, 23, 24, 31, 48). [`udp`] puts the
//! same into datagrams (BEP 15, 41).
//!
//! Other people's lists are read with patience: an entry that is no good is skipped and counted, never the reason to
//! lose the others. This crate knows no sockets, no runtime and no clock; whoever has a stream or a socket carries its
//! bytes.
//!
//! Start from [`TrackerUrl`], which is parsed from text, and [`Announce::started`].
//!
//! ```
//! use ids::{InfoHash, PeerId};
//! use tracker::{Announce, Announced, TrackerUrl};
//!
//! let url: TrackerUrl = "http://tracker.example/announce?passkey=1".parse()?;
//! let announce = Announce::started(InfoHash([b'h'; 20]), PeerId::new([0; 12]), 50_000, 7);
//! let target = url.target_with(&announce.query());
//! assert!(target.starts_with("/announce?passkey=1&info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=-HS0100-"));
//!
//! // The second peer of this compact list has port 0, at which nobody listens.
//! let announced = Announced::parse(b"d8:intervali1800e5:peers12:\x7f\0\0\x01\x1a\xe1\x7f\0\0\x02\0\0e")?;
//! assert_eq!(announced.interval, Some(1800));
//! assert_eq!((announced.peers.len(), announced.skipped.bad_port), (1, 1));
//! assert_eq!(announced.peers[0].address.to_string(), "127.0.0.1:6881");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod announce;
mod announced;
mod error;
mod family;
mod fields;
mod latin1;
mod peer;
mod peers;
mod scrape;
pub mod udp;
mod url;

pub use announce::{Announce, Crypto, Event};
pub use announced::Announced;
pub use error::{Error, Failure, RetryIn};
pub use family::Family;
pub use peer::{HostName, ParsePeerAddressError, Peer, PeerAddress};
pub use peers::Skipped;
pub use scrape::{Counts, Scrape, ScrapeError, Scraped};
pub use url::TrackerUrl;
pub use url::error::UrlError;
pub use url::scheme::{Host, Scheme};
