//! Exchanges with trackers that are played by the test, over an in-memory stream.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod captures;
mod hostile;
mod replies;
mod requests;
mod reuse;
mod secrets;
mod support;
mod tls;
