//! Requests to servers that the tests play, over in-memory streams.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod connection;
mod recordings;
mod support;
