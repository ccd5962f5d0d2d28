//! How a run ended for one tracker.

use crate::json_forms::{Ms, SomeHash, SomeMs, SomeSeconds, SomeText, Text};
use crate::status::{Standing, TrackerStatus};
use ids::InfoHash;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tracker::{Family, PeerAddress, Skipped};

/// How a run ended for one tracker: one report for each URL, address family and info-hash that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TrackerReport {
    /// The announce URL, without its secrets; with its place in the list where others look the same without theirs
    #[serde(with = "Text")]
    pub url: Arc<str>,
    /// Where redirects led
    #[serde(with = "SomeText")]
    pub redirected_to: Option<Arc<str>>,
    /// The info-hash it was asked about; null if it was not asked
    #[serde(with = "SomeHash")]
    pub announced_hash: Option<InfoHash>,
    /// The address family it was asked over; null if it was not asked
    #[serde(with = "SomeFamily")]
    pub family: Option<Family>,
    /// The address that was asked last
    #[serde(with = "SomeText")]
    pub address: Option<SocketAddr>,
    /// How it ended: `ok`, or why not
    pub status: TrackerStatus,
    /// What that says about the tracker
    #[serde(skip)]
    pub standing: Standing,
    /// What it said, or what went wrong: its warning, or the error with its causes; escaped, and without secrets
    pub message: Option<String>,
    /// The HTTP status, where one came
    #[cfg_attr(any(test, feature = "schema"), schemars(range(min = 100, max = 999)))]
    pub http_status: Option<u16>,
    /// How many requests the connection of the answer had carried by then, this one included; over UDP, and in a scrape, how
    /// many torrents were asked about in the one request; 0 if no answer came
    pub asked_together: usize,
    /// Usable peers it named, our own endpoint not counted; `None` if it did not answer, or was not asked for any. In JSON:
    /// `peers`, `peers_v4` and `peers_v6`
    #[serde(flatten, with = "PeerKeys")]
    pub peers: Option<PeerCounts>,
    /// Entries of its list that cannot be used, by reason
    #[serde(with = "SkippedKeys")]
    pub skipped: Skipped,
    /// Usable peers beyond the limits
    pub left_out: usize,
    /// Seeds, as it counts them
    pub seeders: Option<u32>,
    /// Leechers, as it counts them
    pub leechers: Option<u32>,
    /// Complete downloads, as it counts them; only a scrape tells
    pub downloaded: Option<u32>,
    /// Time it wants between announces, also beside a refusal
    #[serde(rename = "interval_s", with = "SomeSeconds")]
    pub interval: Option<Duration>,
    /// Time that must pass between announces, or between scrapes (BEP 48), also beside a refusal
    #[serde(rename = "min_interval_s", with = "SomeSeconds")]
    pub min_interval: Option<Duration>,
    /// Seconds until it may be announced to again, if that is why it was not in this run: it was asked for its counts at most, and the
    /// peers that it named last were tried again
    #[serde(rename = "announce_in_s", with = "SomeSeconds")]
    pub announce_in: Option<Duration>,
    /// Our address as it sees it (BEP 24)
    pub external_ip: Option<IpAddr>,
    /// When to come back after a refusal (BEP 31) or an HTTP error (Retry-After); null also for never
    #[serde(rename = "retry_in_s", with = "SomeSeconds")]
    pub retry_in: Option<Duration>,
    /// Whether asking again will not help: it refuses, does not know the torrent, or calls the request itself wrong, and names
    /// no time after which that changes
    #[serde(skip)]
    pub is_final: bool,
    /// Time for each step that was taken
    #[serde(flatten)]
    pub times: Times,
    /// From the beginning of the look-up to the end of the reply
    #[serde(rename = "elapsed_ms", with = "Ms")]
    pub elapsed: Duration,
}

/// Peers that a tracker named, by what it named them by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounts {
    /// By IPv4 address.
    pub v4: usize,
    /// By IPv6 address.
    pub v6: usize,
    /// By host name.
    pub hosts: usize,
}

/// Time for each step; null for a step that was not taken or not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Times {
    /// Looking up the host
    #[serde(rename = "dns_ms", with = "SomeMs")]
    pub dns: Option<Duration>,
    /// Making the TCP connection; over UDP, getting a connection id (BEP 15)
    #[serde(rename = "connect_ms", with = "SomeMs")]
    pub connect: Option<Duration>,
    /// The TLS handshake
    #[serde(rename = "tls_ms", with = "SomeMs")]
    pub tls: Option<Duration>,
    /// From the request to the end of the reply
    #[serde(rename = "reply_ms", with = "SomeMs")]
    pub reply: Option<Duration>,
}

impl PeerCounts {
    /// All together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.v4 + self.v6 + self.hosts
    }

    /// Counts one more.
    pub fn count(&mut self, address: &PeerAddress) {
        match address {
            PeerAddress::Socket(address) if address.is_ipv4() => self.v4 += 1,
            PeerAddress::Socket(_) => self.v6 += 1,
            PeerAddress::Host(..) => self.hosts += 1,
        }
    }
}

impl TrackerReport {
    /// A report of a tracker of which nothing but this is known.
    #[must_use]
    pub fn new(url: Arc<str>, status: TrackerStatus, standing: Standing) -> Self {
        Self {
            url,
            redirected_to: None,
            announced_hash: None,
            family: None,
            address: None,
            status,
            standing,
            message: None,
            http_status: None,
            asked_together: 0,
            peers: None,
            skipped: Skipped::default(),
            left_out: 0,
            seeders: None,
            leechers: None,
            downloaded: None,
            interval: None,
            min_interval: None,
            announce_in: None,
            external_ip: None,
            retry_in: None,
            is_final: false,
            times: Times::default(),
            elapsed: Duration::ZERO,
        }
    }
}

/// The keys of the peers that were named.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
struct PeerKeys {
    /// Usable peers it named
    peers: Option<usize>,
    /// Those by IPv4 address
    peers_v4: Option<usize>,
    /// Those by IPv6 address
    peers_v6: Option<usize>,
}

impl PeerKeys {
    fn serialize<S: Serializer>(named: &Option<PeerCounts>, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = Self {
            peers: named.map(|named| named.total()),
            peers_v4: named.map(|named| named.v4),
            peers_v6: named.map(|named| named.v6),
        };
        Serialize::serialize(&keys, serializer)
    }
}

/// Counts by reason, those of zero left out.
pub(crate) struct SkippedKeys;

impl SkippedKeys {
    fn serialize<S: Serializer>(skipped: &Skipped, serializer: S) -> Result<S::Ok, S::Error> {
        let kinds = skipped.kinds().into_iter().filter(|(_, count)| *count > 0);
        kinds.collect::<BTreeMap<_, _>>().serialize(serializer)
    }
}

/// The code of an address family, or null.
pub(crate) struct SomeFamily;

impl SomeFamily {
    fn serialize<S: Serializer>(family: &Option<Family>, serializer: S) -> Result<S::Ok, S::Error> {
        family.map(Family::code).serialize(serializer)
    }
}
