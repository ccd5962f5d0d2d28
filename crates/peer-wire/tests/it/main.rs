//! Recordings of real clients, and generated messages.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod captures;
mod extension_messages;
mod properties;
