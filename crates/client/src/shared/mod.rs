//! What runs at the same time share: connection permits, pace, quotas for each address, and an identity.

pub(crate) mod address_quota;
pub(crate) mod hosts;
pub(crate) mod identity;
pub(crate) mod pacer;
pub(crate) mod peer_ids;
pub(crate) mod shared;
