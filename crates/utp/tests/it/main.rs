//! The rules of real clients; connections over a simulated line; arbitrary packets.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod bulk;
mod hostile;
mod line;
mod opening;
mod properties;
mod random;
mod rules;
mod side;
