#![doc = include_str!("../README.md")]

mod contact;
mod filter;
mod id;
pub mod krpc;
pub mod lookup;
mod software;

pub use contact::Contact;
pub use filter::{Estimate, Filter, Filters};
pub use id::{Distance, NodeId};
pub use software::{Software, Version};
