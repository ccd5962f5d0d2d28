//! Which peer is dialled next, how an attempt goes, and how the attempts at a peer become one report.
//!
//! Asks no source of peers and no tracker: it is handed addresses, and what conversations offer.

pub(crate) mod attempt;
pub(crate) mod conversation;
pub(crate) mod delay_queue;
pub(crate) mod dialler;
pub(crate) mod expected;
pub(crate) mod further;
#[cfg(test)]
mod model;
pub(crate) mod next_dial;
pub(crate) mod offers;
pub(crate) mod opening;
pub(crate) mod pairs;
pub(crate) mod parked;
pub(crate) mod peer_context;
pub(crate) mod peer_error;
pub(crate) mod rest;
pub(crate) mod round_trips;
pub(crate) mod story;
pub(crate) mod stream;
pub(crate) mod time_limits;
pub(crate) mod timetable;
pub(crate) mod turns;
