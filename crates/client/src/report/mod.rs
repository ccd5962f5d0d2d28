//! The values of a run: outcomes, statuses, reports and the summary. No behaviour of the engine.

pub(crate) mod client_name;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod hint;
pub(crate) mod outcome;
pub(crate) mod peer;
pub(crate) mod seen_as;
pub(crate) mod swarm_view;
pub(crate) mod tracker;
pub(crate) mod tracker_status;
pub(crate) mod verdict;
