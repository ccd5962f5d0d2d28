//! What runs at the same time share: connection permits, pace, quotas for each address, and an identity.

pub(crate) mod addresses;
pub(crate) mod bounds;
pub(crate) mod identity;
pub(crate) mod pacer;
pub(crate) mod peer_ids;
