#![doc = include_str!("../README.md")]

mod connection;
pub mod limits;
mod packet;
mod receiver;
mod round_trip;
mod sender;
mod sequence;

pub use connection::{Connection, End, Ignored};
pub use packet::{CloseReason, Error, Kind, Packet, SelectiveAck};
