//! What peers say to each other, as bytes: the 68-byte [`Handshake`] that opens every connection (BEP 3) and the
//! [`Reserved`] bits in it (BEP 4).
//!
//! One incremental contract: `decode(&mut BytesMut) -> Result<Option<T>, Error>`, where `None` means "more bytes,
//! please" and `Err` means "never". This crate knows no sockets, no runtime and no clock.
//!
//! ```
//! use bytes::BytesMut;
//! use peer_wire::{Handshake, Reserved};
//!
//! let ours = Handshake { reserved: Reserved::default(), info_hash: ids::InfoHash([7; 20]), peer_id: ids::PeerId::new([0; 12]) };
//! let mut received = BytesMut::from(&ours.encode()[..67]);
//! assert_eq!(Handshake::decode(&mut received), Ok(None));
//! received.extend_from_slice(&ours.encode()[67..]);
//! assert_eq!(Handshake::decode(&mut received), Ok(Some(ours)));
//! ```

mod handshake;
mod reserved;

pub use handshake::{Handshake, HandshakeError};
pub use reserved::Reserved;
