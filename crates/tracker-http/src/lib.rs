//! HTTP or HTTPS exchanges with one tracker: [`Connection::announce`] and [`Connection::scrape`] write a request to a
//! connected stream, read the reply within a deadline and a size, and say exactly what came back; one exchange may follow
//! another while the tracker keeps the connection. [`Tls`] makes a connected stream a TLS one first.
//!
//! This crate opens no sockets and looks up no names: whoever connects decides which addresses may be dialled, and
//! hands over the stream, of whatever kind it is. It follows no redirects; where one leads is in the error. What a
//! request and a reply say is the `tracker` crate's business.
//!
//! Start from [`Client`], whose fields say for how long and as whom it asks, and [`Client::over`].
//!
//! ```
//! use ids::{InfoHash, PeerId};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tracker::{Announce, TrackerUrl};
//! use tracker_http::Client;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A tracker in memory; a TCP connection to one, or TLS over it, is a stream as well.
//! let (stream, mut tracker) = tokio::io::duplex(1024);
//! let answering = async {
//!     tracker.read(&mut [0; 1024]).await?;
//!     tracker.write_all(b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800e5:peers6:\x7f\0\0\x01\x1a\xe1e").await?;
//!     tracker.shutdown().await
//! };
//!
//! let url: TrackerUrl = "http://tracker.example/announce".parse()?;
//! let announce = Announce::started(InfoHash([7; 20]), PeerId::new([0; 12]), 50_000, 1);
//! let mut connection = Client::default().over(stream).await?;
//! let (reply, _) = tokio::join!(connection.announce(&url, &announce), answering);
//! assert_eq!(reply?.answer.peers[0].address.to_string(), "127.0.0.1:6881");
//! // This one has closed; while it does not, another exchange may follow.
//! assert!(!connection.is_open());
//! # Ok(())
//! # }
//! ```

mod body;
mod client;
mod connection;
mod error;
mod exchange;
mod limits;
mod link;
mod metered;
mod quoted;
mod reply;
mod retry_after;
mod tapped;
mod tls;

pub use client::Client;
pub use connection::{Connection, Reply};
pub use error::{Error, Excerpt, Failure};
pub use limits::Limits;
pub use quoted::{Location, Quoted};
pub use tls::{CaError, Tls, TlsProblem, TlsStream};
