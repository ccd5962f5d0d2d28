//! What the tasks and the crate `lab` are built on: other programs, the table of those that may be missing, and what was
//! skipped for want of them. It refuses to know any task.
//!
//! Start with [`shell`].

pub mod binary;
pub mod optional;
pub mod scratch;
pub mod shell;
pub mod skips;
pub mod unshare;
