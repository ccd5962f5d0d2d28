#![doc = include_str!("../README.md")]

mod bitfield;
mod block;
mod codec;
mod extension;
mod extension_handshake;
mod fields;
mod handshake;
mod hash_range;
mod message;
mod metadata_message;
mod pex_message;
mod reserved;

pub use bitfield::{Bitfield, BitfieldError};
pub use block::Block;
pub use codec::{Codec, CodecError};
pub use extension::Extension;
pub use extension_handshake::{ExtensionHandshake, ExtensionHandshakeError};
pub use fields::{Dropped, FieldProblem};
pub use handshake::{Handshake, HandshakeError};
pub use hash_range::HashRange;
pub use message::{Message, PayloadLength};
pub use metadata_message::{MetadataMessage, MetadataMessageError};
pub use pex_message::{PexFlags, PexMessage, PexMessageError, PexPeer, PexSkipped};
pub use reserved::Reserved;
