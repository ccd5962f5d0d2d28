//! Messages of real nodes, and generated ones; lookups in a simulated network.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod lookup;
mod properties;
mod recorded;
