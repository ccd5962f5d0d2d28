//! The software that a message's `v` names.

/// The `v` of a message: two letters for the software and usually two bytes for its version (BEP 5), though any length occurs.
/// It names the DHT library, not the client around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub Box<[u8]>);
