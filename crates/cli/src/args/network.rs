//! Options of how we go about it, for every command that sends something.

use crate::args::limits::{LimitName, limit};
use crate::args::values::{duration, positive};
use clap::{Args, ValueEnum};
use client::{Bind, Config, Sources as AskedSources, Trackers};
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracker::{PeerAddress, TrackerUrl};

const SOURCES: &str = "Sources";
const TIMES: &str = "Deadlines";
const HOW: &str = "Network";

/// Sources of peers.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Try this peer too: IP:PORT or HOST:PORT (repeatable)
    #[arg(long = "peer", value_name = "ADDR", help_heading = SOURCES)]
    pub(crate) peers: Vec<PeerAddress>,

    /// Ask no tracker
    #[arg(long, conflicts_with = "trackers", help_heading = SOURCES)]
    pub(crate) no_trackers: bool,

    /// Ask trackers for their counts only; they learn nothing of us and name no peers
    #[arg(long, conflicts_with = "no_trackers", help_heading = SOURCES)]
    pub(crate) scrape: bool,

    /// Most peers taken from each answer of a tracker, 0 for all
    #[arg(long, value_name = "N", default_value_t = Config::default().max_peers.unwrap_or_default(),
          hide_short_help = true, help_heading = SOURCES)]
    pub(crate) max_peers: usize,

    /// Most ports of one IP address that are dialled because trackers name them, or asked because a torrent does, 0 for all
    #[arg(long, value_name = "N", default_value_t = Config::default().max_per_address.unwrap_or_default(),
          hide_short_help = true, help_heading = SOURCES)]
    max_per_address: usize,
}

/// Who is asked, for commands that ask trackers.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AskedTrackers {
    /// Ask this tracker instead of the torrent's (repeatable)
    #[arg(long = "tracker", value_name = "URL", help_heading = SOURCES)]
    trackers: Vec<String>,

    /// Trust the certificates in this PEM file too, for HTTPS trackers
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = SOURCES)]
    tls_ca: Option<PathBuf>,
}

/// How peers are spoken to.
#[derive(Args, Clone, Debug)]
pub(crate) struct Conversation {
    /// Deadline for each connection
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, hide_short_help = true, help_heading = TIMES)]
    connect_timeout: Duration,

    /// Deadline for each handshake, twice as long for an encrypted one
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, hide_short_help = true, help_heading = TIMES)]
    handshake_timeout: Duration,

    /// How long to listen after each handshake for what the peer is and has; 0 leaves at once
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration, help_heading = TIMES)]
    linger: Duration,

    /// When to encrypt connections
    #[arg(long, value_name = "POLICY", default_value = "prefer-plain", hide_short_help = true, help_heading = HOW)]
    encryption: EncryptionPolicy,

    /// Most connections at once, of all torrents together [default: what descriptors and memory allow]
    #[arg(long, value_name = "N", value_parser = positive, hide_short_help = true, help_heading = HOW)]
    concurrency: Option<usize>,

    /// Most new connections a second, 0 for no bound; loopback is never paced
    #[arg(long, value_name = "N", default_value_t = Config::default().rate, hide_short_help = true, help_heading = HOW)]
    rate: u32,
}

/// Where we come from, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct Ourselves {
    /// Deadline for the whole run of each torrent
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = TIMES)]
    pub(crate) deadline: Duration,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with_all = ["ipv6", "bind"], help_heading = HOW)]
    ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long, conflicts_with = "bind", help_heading = HOW)]
    ipv6: bool,

    /// Source address of every socket, at most one a family; a family without one is not used
    #[arg(long, value_name = "IP", hide_short_help = true, help_heading = HOW)]
    bind: Vec<IpAddr>,

    /// Port to announce; nothing listens there [default: a free one]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), hide_short_help = true, help_heading = HOW)]
    port: Option<u16>,

    /// Go on with a private torrent, though its trackers may ban unknown clients
    #[arg(long, hide_short_help = true, help_heading = HOW)]
    allow_private: bool,

    /// Replaces one of the limits on what untrusted sources may cost, to see what happens without it
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limit, hide = true)]
    limits: Vec<(LimitName, u64)>,
}

/// When to encrypt connections.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EncryptionPolicy {
    /// In the clear; encrypted if the peer seems to require it
    PreferPlain,
    /// Encrypted; in the clear if that fails
    Prefer,
    /// Encrypted only
    Require,
    /// In the clear only
    Off,
}

impl From<EncryptionPolicy> for client::EncryptionPolicy {
    fn from(policy: EncryptionPolicy) -> Self {
        match policy {
            EncryptionPolicy::PreferPlain => Self::PreferPlain,
            EncryptionPolicy::Prefer => Self::Prefer,
            EncryptionPolicy::Require => Self::Require,
            EncryptionPolicy::Off => Self::Off,
        }
    }
}

impl Sources {
    /// Notes the choices in `config`.
    pub(crate) fn apply(&self, config: &mut Config) {
        config.peers.clone_from(&self.peers);
        config.scrape = self.scrape;
        config.max_peers = Some(self.max_peers).filter(|&most| most > 0);
        config.max_per_address = Some(self.max_per_address).filter(|&most| most > 0);
        if self.no_trackers {
            config.sources = AskedSources::NONE;
        }
    }
}

impl AskedTrackers {
    /// Notes the choices in `config`, or says in one line what is wrong. URLs are parsed here and not by clap, because its errors
    /// would repeat a passkey.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        if !self.trackers.is_empty() {
            let parse = |text: &String| {
                let shown = if config.show_secrets { text.clone() } else { guard::redact_url(text) };
                let shown = || guard::escape(&shown).to_string();
                text.parse::<TrackerUrl>()
                    .map_err(|error| format!("give --tracker an announce URL: {}: {error}", shown()))
            };
            config.trackers = Trackers::Only(self.trackers.iter().map(parse).collect::<Result<_, _>>()?);
        }
        if let Some(path) = &self.tls_ca {
            let shown = || crate::shown::shown_word(path.as_os_str());
            config.tls_roots = certificates(path)
                .map_err(|error| format!("give --tls-ca a file of certificates in PEM: {}: {error}", shown()))?;
        }
        Ok(())
    }
}

/// Largest file of certificates that is read, in bytes: twenty times what a system has.
const MAX_CERTIFICATES: u64 = 4 << 20;

/// The bytes of a file of certificates.
fn certificates(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than may come shows that there is more.
    File::open(path)?.take(MAX_CERTIFICATES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_CERTIFICATES {
        return Err(io::Error::other(format!("it has more than {MAX_CERTIFICATES} bytes")));
    }
    Ok(bytes)
}

impl Conversation {
    /// Notes the choices in `config`.
    pub(crate) fn apply(&self, config: &mut Config) {
        config.connect_timeout = self.connect_timeout;
        config.handshake_timeout = self.handshake_timeout;
        config.linger = self.linger;
        config.encryption = self.encryption.into();
        config.concurrency = self.concurrency;
        config.rate = self.rate;
    }
}

impl Ourselves {
    /// Notes the choices in `config`, or says in one line what is wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        config.deadline = self.deadline;
        config.port = self.port;
        config.allow_private = self.allow_private;
        self.limits.iter().for_each(|&(name, value)| name.set(&mut config.limits, value));
        let mut bind = Bind::default();
        for &ip in &self.bind {
            bind.add(ip)
                .map_err(|error| format!("give --bind one address of this machine for each family: {ip}: {error}"))?;
        }
        // Any address of one family; the other then has none, and is not used.
        if self.ipv4 {
            bind.v4 = Some(Ipv4Addr::UNSPECIFIED);
        }
        if self.ipv6 {
            bind.v6 = Some(Ipv6Addr::UNSPECIFIED);
        }
        config.bind = bind;
        Ok(())
    }
}
