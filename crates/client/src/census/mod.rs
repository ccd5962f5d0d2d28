//! What the peers that answered have between them: roles, copies, and which endpoints are one client.

pub(crate) mod availability;
pub(crate) mod census;
pub(crate) mod clients;
pub(crate) mod judge;
pub(crate) mod role;
