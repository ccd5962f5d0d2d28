//! One conversation over any stream, from the first byte to the last thing heard.

pub(crate) mod alarm;
pub(crate) mod budget;
pub(crate) mod early;
pub(crate) mod habits;
pub(crate) mod handshake;
pub(crate) mod listen;
pub(crate) mod not_bittorrent;
pub(crate) mod oddity;
pub(crate) mod read;
pub(crate) mod said;
pub(crate) mod secure;
pub(crate) mod wire;
