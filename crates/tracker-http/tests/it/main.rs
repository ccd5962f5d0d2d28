//! Exchanges with trackers that the tests play, over in-memory streams.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod captures;
mod hostile;
mod replies;
mod requests;
mod reuse;
mod secrets;
mod support;
