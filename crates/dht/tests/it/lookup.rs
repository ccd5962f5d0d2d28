//! Lookups in a simulated network of thousands of nodes, and against nodes that lie.
#![allow(clippy::indexing_slicing, reason = "tests may fail loudly")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers of the tests")]

mod arbitrary;
mod attack;
mod drive;
mod figures;
mod hostile;
mod identity;
mod network;
mod random;
mod rules;
mod victim;
