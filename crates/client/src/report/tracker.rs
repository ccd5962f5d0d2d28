//! What became of one tracker.

use crate::report::tracker_status::TrackerStatus;
use guard::Secrets;
use ids::InfoHash;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tracker::{Family, PeerAddress, Skipped};

/// What became of one tracker: one report for each URL, address family and info-hash that was asked.
pub struct TrackerReport {
    /// Its URL, secrets hidden unless they are to be shown.
    pub url: Arc<str>,
    /// Where redirects led, shown likewise.
    pub redirected_to: Option<Arc<str>>,
    /// The info-hash that was asked about; `None` when it did not come to that.
    pub announced_hash: Option<InfoHash>,
    /// The family that was asked over; `None` when it did not come to that.
    pub family: Option<Family>,
    /// The address that was asked last.
    pub address: Option<SocketAddr>,
    /// How it ended.
    pub status: TrackerStatus,
    /// The HTTP status, where one came.
    pub http_status: Option<u16>,
    /// How many questions the answer's connection had carried by then, this one included; over UDP and in a scrape, how many
    /// torrents were asked about in the one request. 0 when no answer came.
    pub asked_together: usize,
    /// Peers it named, usable ones, our own endpoint not counted; `None` when it did not answer, or was not asked for any.
    pub peers: Option<Named>,
    /// Entries of its list that could not be used.
    pub skipped: Skipped,
    /// Usable peers left out: more than are taken of one answer, or the run knows enough of them.
    pub left_out: usize,
    /// Seeds, as it counts them.
    pub seeders: Option<u32>,
    /// Leechers, as it counts them.
    pub leechers: Option<u32>,
    /// Complete downloads, as it counts them; only a scrape tells.
    pub downloaded: Option<u32>,
    /// Time it wants between announces; also beside a refusal.
    pub interval: Option<Duration>,
    /// Time that must pass between announces, or between scrapes (BEP 48); also beside a refusal.
    pub min_interval: Option<Duration>,
    /// The address of ours that it sees (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// What it wants its user to read; not escaped.
    pub warning: Option<String>,
    /// Time for each step that was taken.
    pub times: Times,
    /// From the beginning of the look-up to the end of the reply.
    pub elapsed: Duration,
    /// What its text may not repeat: some trackers quote the passkey they were sent. And those of the run's other trackers.
    pub(crate) secrets: Secrets,
}

/// What a tracker is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Who is there; it will count us until we take it back.
    Announce,
    /// How many are there; it learns nothing of us (BEP 48).
    Scrape,
}

/// Peers that a tracker named, by what it named them by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// By IPv4 address.
    pub v4: usize,
    /// By IPv6 address.
    pub v6: usize,
    /// By host name.
    pub hosts: usize,
}

/// Time for each step; `None` for a step that was not taken or not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Looking up the host name.
    pub dns: Option<Duration>,
    /// Making the TCP connection; over UDP, getting a connection id (BEP 15).
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the end of the reply.
    pub reply: Option<Duration>,
}

impl Named {
    /// All together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.v4 + self.v6 + self.hosts
    }

    pub(crate) fn count(&mut self, address: &PeerAddress) {
        match address {
            PeerAddress::Socket(address) if address.is_ipv4() => self.v4 += 1,
            PeerAddress::Socket(_) => self.v6 += 1,
            PeerAddress::Host(..) => self.hosts += 1,
        }
    }
}

impl TrackerReport {
    /// A report of a tracker of which nothing but this is known.
    pub(crate) fn new(url: Arc<str>, status: TrackerStatus) -> Self {
        Self {
            url,
            redirected_to: None,
            announced_hash: None,
            family: None,
            address: None,
            status,
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
            external_ip: None,
            warning: None,
            times: Times::default(),
            elapsed: Duration::ZERO,
            secrets: Secrets::default(),
        }
    }

    /// What there is to say beyond the code: the error with its causes, or the tracker's warning. Safe to show:
    /// escaped, and without the secrets of the URL.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let message = match &self.status {
            TrackerStatus::Ok => self.warning.as_ref().map(|warning| guard::escape(warning).to_string()),
            error => Some(guard::ErrorChain(error).to_string()),
        };
        message.map(|message| self.secrets.conceal(&message))
    }
}

/// Shows what may be shown: a tracker's own text can hold the passkey it was sent.
impl fmt::Debug for TrackerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerReport")
            .field("url", &self.url)
            .field("address", &self.address)
            .field("status", &self.status.code())
            .field("message", &self.message())
            .field("peers", &self.peers)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
