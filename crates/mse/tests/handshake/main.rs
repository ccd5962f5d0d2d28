//! Both sides of the handshake against recorded transcripts, against each other, and against damage.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod damaged;
mod each_other;
mod recorded;
mod side;
mod transcript;
