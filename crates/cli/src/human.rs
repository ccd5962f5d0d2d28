//! The report for people: a line for each peer as it happens, and the summary at the end. Everything that came from outside is
//! escaped; nothing is said by colour alone.

mod charts;
mod details;
mod dht;
pub(crate) mod dht_detail;
pub(crate) mod dht_ping;
pub(crate) mod fetched;
mod files;
pub(crate) mod final_report;
pub(crate) mod lines;
mod metadata;
pub(crate) mod one_peer;
mod pex;
mod rows;
mod screen;
mod sources;
mod strip;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod tally;
mod times;
pub(crate) mod torrent_sheet;
pub(crate) mod tracker_detail;
pub(crate) mod verdict;
pub(crate) mod web_seed_detail;
mod web_seeds;
pub(crate) mod words;
