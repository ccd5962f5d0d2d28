//! A peer over uTP made by hand, for what a correct one never does.

pub(crate) mod packet;
pub(crate) mod peer;
pub(crate) mod script;
