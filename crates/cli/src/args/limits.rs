//! The limits on what untrusted sources may cost, by name. There is no reason to lift one but to see that it is needed: the
//! scenarios of `cargo xtask integration` do, one by one.

use clap::ValueEnum;
use client::Limits;
use std::time::Duration;

/// One of [`Limits`]; a time has its value in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LimitName {
    Trackers,
    TrackerTime,
    TrackerRate,
    SilentTime,
    GoodbyeTime,
    Redirects,
    HeadBytes,
    HeadLines,
    BodyBytes,
    WebSeeds,
    WebSeedsAtOnce,
    WebSeedConnections,
    WebSeedRate,
    WebSeedRequests,
    WebSeedTime,
    WebSeedFiles,
    ProofBytes,
    DhtRate,
    DhtRatePerAddress,
    DhtLookups,
    PexPeers,
    MetadataSize,
    MetadataPeers,
    MetadataHedge,
    MetadataTime,
    MetadataBytes,
    LookupTime,
    LookupsAtOnce,
    Peers,
    LowestPort,
    ConnectionsPerAddress,
    MessageBytes,
    PeerBytes,
    BufferBytes,
    WaitingBytes,
}

/// Reads `NAME=VALUE`.
pub(super) fn limit(text: &str) -> Result<(LimitName, u64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let names = || {
        let names = LimitName::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let name = LimitName::from_str(name, false).map_err(|_| format!("the limits are {}", names()))?;
    let value = value.parse().map_err(|_| "expected a number, of milliseconds for a time")?;
    Ok((name, value))
}

impl LimitName {
    /// Replaces it; more than its type can hold is as much as that can.
    pub(super) fn set(self, limits: &mut Limits, value: u64) {
        let (time, count) = (Duration::from_millis(value), usize::try_from(value).unwrap_or(usize::MAX));
        match self {
            Self::Trackers => limits.trackers = count,
            Self::TrackerTime => limits.tracker_time = time,
            Self::TrackerRate => limits.tracker_rate = value.try_into().unwrap_or(u32::MAX),
            Self::SilentTime => limits.silent_time = time,
            Self::GoodbyeTime => limits.goodbye_time = time,
            Self::Redirects => limits.redirects = count,
            Self::HeadBytes => limits.reply.head_bytes = count,
            Self::HeadLines => limits.reply.head_lines = count,
            Self::BodyBytes => limits.reply.body_bytes = count,
            Self::WebSeeds => limits.web_seeds = count,
            Self::WebSeedsAtOnce => limits.web_seeds_at_once = count,
            Self::WebSeedConnections => limits.web_seed_connections = count,
            Self::WebSeedRate => limits.web_seed_rate = value.try_into().unwrap_or(u32::MAX),
            Self::WebSeedRequests => limits.web_seed_requests = value.try_into().unwrap_or(u32::MAX),
            Self::WebSeedTime => limits.web_seed_time = time,
            Self::WebSeedFiles => limits.web_seed_files = count,
            Self::ProofBytes => limits.proof_bytes = value,
            Self::DhtRate => limits.dht_rate = value.try_into().unwrap_or(u32::MAX),
            Self::DhtRatePerAddress => limits.dht_rate_per_address = value.try_into().unwrap_or(u32::MAX),
            Self::DhtLookups => limits.dht_lookups = count,
            Self::PexPeers => limits.pex_peers = count,
            Self::MetadataSize => limits.metadata.bytes = value.try_into().unwrap_or(u32::MAX),
            Self::MetadataPeers => limits.metadata.peers = count,
            Self::MetadataHedge => limits.metadata.hedge = time,
            Self::MetadataTime => limits.metadata.timeout = time,
            Self::MetadataBytes => limits.metadata_bytes = count,
            Self::LookupTime => limits.lookup_time = time,
            Self::LookupsAtOnce => limits.lookups_at_once = count,
            Self::Peers => limits.peers = count,
            Self::LowestPort => limits.lowest_port = value.try_into().unwrap_or(u16::MAX),
            Self::ConnectionsPerAddress => limits.connections_per_address = count,
            Self::MessageBytes => limits.message_bytes = value.try_into().unwrap_or(u32::MAX),
            Self::PeerBytes => limits.peer_bytes = count,
            Self::BufferBytes => limits.buffer_bytes = count,
            Self::WaitingBytes => limits.waiting_bytes = count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_and_can_be_replaced() {
        for &name in LimitName::value_variants() {
            let text = format!("{}=77", name.to_possible_value().unwrap().get_name());
            assert_eq!(limit(&text), Ok((name, 77)));
            let mut limits = Limits::default();
            name.set(&mut limits, 77);
            assert_ne!(limits, Limits::default(), "{text}");
        }
        for wrong in ["peers", "peers=", "peers=many", "nothing=1"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
        assert!(limit("nothing=1").unwrap_err().contains("tracker-rate"));
    }
}
