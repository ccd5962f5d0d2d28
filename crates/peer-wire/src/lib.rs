//! What peers say to each other, as bytes: the 68-byte [`Handshake`] that opens every connection (BEP 3) with its
//! [`Reserved`] bits (BEP 4), then [`Message`]s (BEP 3, 5, 6, 10, 52) that a [`Codec`] takes off the buffer, among them
//! the [`Bitfield`] of the pieces a peer has and the [`ExtensionHandshake`] in which it says what it is (BEP 10).
//!
//! Start from [`Handshake`], then [`Codec`]. One incremental contract: `decode(&mut BytesMut) -> Result<Option<T>,
//! Error>`, where `None` means "more bytes, please" and `Err` means "never". This crate knows no sockets, no runtime and
//! no clock, and keeps no state of a connection: not who is choked, not what was asked for.
//!
//! ```
//! use bytes::BytesMut;
//! use peer_wire::{Codec, Handshake, Message, Reserved};
//!
//! let ours = Handshake { reserved: Reserved::FAST, info_hash: ids::InfoHash([7; 20]), peer_id: ids::PeerId::new([0; 12]) };
//! let mut received = BytesMut::from(&ours.encode()[..67]);
//! assert_eq!(Handshake::decode(&mut received), Ok(None));
//! received.extend_from_slice(&ours.encode()[67..]);
//! received.extend_from_slice(b"\0\0\0\x01\x0e");
//! assert_eq!(Handshake::decode(&mut received), Ok(Some(ours)));
//! assert_eq!(Codec::for_pieces(12).decode(&mut received), Ok(Some(Message::HaveAll)));
//! ```

mod bitfield;
mod block;
mod codec;
mod extension;
mod extension_handshake;
mod fields;
mod handshake;
mod hash_range;
mod message;
mod reserved;

pub use bitfield::{Bitfield, BitfieldError};
pub use block::Block;
pub use codec::{Codec, CodecError};
pub use extension::Extension;
pub use extension_handshake::{Dropped, ExtensionHandshake, ExtensionHandshakeError, FieldProblem};
pub use handshake::{Handshake, HandshakeError};
pub use hash_range::HashRange;
pub use message::{Message, PayloadLength};
pub use reserved::Reserved;
