//! Shared by the tasks and the crate `lab`: running other programs, the table of optional ones, and skips because of missing
//! ones. It refuses to know any task.
//!
//! Start with [`shell`].

pub mod binary;
pub mod optional;
pub mod scratch;
pub mod shell;
pub mod skips;
pub mod unshare;
