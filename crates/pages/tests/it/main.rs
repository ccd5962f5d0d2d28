//! Pages, CSV and JSON as readers and hostile names find them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

mod csv;
mod hostile;
mod markup;
mod page;
mod sample;
mod style;
