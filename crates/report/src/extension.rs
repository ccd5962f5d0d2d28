//! A peer's extension handshake (BEP 10), written by its own keys.

use peer_wire::ExtensionHandshake;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The keys of an extension handshake.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub(crate) struct Extension<'r> {
    /// Client and version
    v: Option<&'r str>,
    /// Extensions by name, with their message ids
    m: Cow<'r, BTreeMap<String, u8>>,
    /// The port it listens on
    p: Option<u16>,
    /// Requests it queues
    reqq: Option<u32>,
    /// Bytes of the info dictionary (BEP 9)
    metadata_size: Option<u32>,
    /// Our address, as it sees it
    yourip: Option<IpAddr>,
    /// Its IPv4 address
    ipv4: Option<Ipv4Addr>,
    /// Its IPv6 address
    ipv6: Option<Ipv6Addr>,
    /// It wants no pieces (BEP 21)
    upload_only: Option<bool>,
    /// It prefers encryption
    e: Option<bool>,
    /// Seconds since it was complete, -1 for never
    complete_ago: Option<i64>,
    /// Keys that could not be used
    dropped: Vec<&'static str>,
}

/// An extension handshake, or null.
pub(crate) struct SomeExtension;

impl SomeExtension {
    pub(crate) fn serialize<S: Serializer>(
        theirs: &Option<Box<ExtensionHandshake>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        theirs.as_deref().map(Extension::of).serialize(serializer)
    }
}

impl<'r> Extension<'r> {
    fn of(theirs: &'r ExtensionHandshake) -> Self {
        Self {
            v: theirs.client.as_deref(),
            m: Cow::Borrowed(&theirs.extensions),
            p: theirs.port,
            reqq: theirs.reqq,
            metadata_size: theirs.metadata_size,
            yourip: theirs.yourip,
            ipv4: theirs.ipv4,
            ipv6: theirs.ipv6,
            upload_only: theirs.upload_only,
            e: theirs.prefers_encryption,
            complete_ago: theirs.complete_ago,
            dropped: theirs.dropped.iter().map(|dropped| dropped.key).collect(),
        }
    }
}
