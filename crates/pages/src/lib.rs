#![doc = include_str!("../README.md")]

mod age;
mod bytes_by_seeds;
mod bytes_over_time;
mod chart;
mod csv;
mod date;
mod history;
mod link;
mod namesakes;
mod page;
mod scale;
mod section;
mod state;
mod strip;
mod table;
mod text;
mod torrents_json;
mod view;

pub use bytes_by_seeds::{BytesBySeeds, SeedClass};
pub use bytes_over_time::BytesOverTime;
pub use csv::csv;
pub use date::UnixTime;
pub use page::{MOST_DETAILS, page};
pub use state::worst_first;
pub use torrents_json::torrents_json;
pub use view::{ArchiveFlags, Claimed, Detail, Overview, Point, Series, SourceRound, SourceView, TorrentView};
