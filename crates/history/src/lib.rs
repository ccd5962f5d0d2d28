#![doc = include_str!("../README.md")]

mod columns;
mod connection;
mod days;
mod error;
mod history;
mod lists;
mod lock;
mod merge;
mod met;
mod names;
mod read;
mod record;
mod schema;
mod thinning;
mod unused;

pub use error::Error;
pub use history::History;
pub use merge::Merged;
pub use met::{MetPeers, MetSeeds};
pub use read::Latest;
pub use record::{Recorded, Round};
pub use schema::VERSION;
pub use thinning::Thinned;
