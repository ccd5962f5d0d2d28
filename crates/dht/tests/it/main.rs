//! Messages of real nodes, and generated ones.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod properties;
mod recorded;
