//! Exchanges with servers that the tests play, over in-memory streams.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod exchange;
mod support;
#[cfg(feature = "tls")]
mod tls;
