//! The file as its users meet it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod bad_files;
mod crash;
mod days;
mod joined;
mod recorded;
mod sql;
mod support;
mod thinned;
