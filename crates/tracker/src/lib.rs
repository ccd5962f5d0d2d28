#![doc = include_str!("../README.md")]

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
