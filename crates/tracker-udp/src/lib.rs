//! One UDP exchange with one tracker (BEP 15, 41): connect, then announce or scrape, with retransmissions and a deadline.
//!
//! Start from [`Session`]. The socket is somebody else's work: this crate resolves no names, chooses no source address
//! and asks nobody but the tracker it is connected to. It draws no random numbers either: transaction ids are arguments.
//! What the datagrams mean is the `tracker` crate's business.
//!
//! ```
//! use fake_swarm::{FakeUdpTracker, UdpScript};
//! use ids::{InfoHash, PeerId};
//! use std::net::Ipv4Addr;
//! use tokio::net::UdpSocket;
//! use tracker::Announce;
//! use tracker_udp::Session;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracker = FakeUdpTracker::start(UdpScript::peers([(Ipv4Addr::LOCALHOST, 6881)]))?;
//! let socket = UdpSocket::bind("127.0.0.1:0").await?;
//! socket.connect(tracker.addr()).await?;
//!
//! let mut session = Session::new(socket, &tracker.announce_url().parse()?)?;
//! let announce = Announce::started(InfoHash([7; 20]), PeerId::new([0; 12]), 50_000, 1);
//! let reply = session.announce(&announce, 0xfeed_beef).await?;
//! assert_eq!(reply.content.peers[0].address.to_string(), "127.0.0.1:6881");
//! # Ok(())
//! # }
//! ```

mod conversation;
mod datagrams;
mod error;
mod exchange;
mod reply;
#[cfg(test)]
mod scripted;
mod session;

pub use conversation::Connection;
pub use error::{Error, Ignored};
pub use reply::Reply;
pub use session::Session;
