//! Options of how we go about it, for every command that sends something.

use crate::args::limits::{LimitName, limit};
use crate::args::values::{duration, positive};
use clap::{Args, ValueEnum};
use client::{Bind, Config, Interface, InterfaceError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

const TIMES: &str = "Deadlines";
const HOW: &str = "Network";

/// How peers are spoken to.
#[derive(Args, Clone, Debug)]
pub(crate) struct Conversation {
    /// Deadline for each connection [default: 5s, or when no answer is to be expected any more, by the round trips seen]
    #[arg(long, value_name = "TIME", value_parser = duration, hide_short_help = true, help_heading = TIMES)]
    connect_timeout: Option<Duration>,

    /// Deadline for each handshake, twice as long for an encrypted one [default: 5s, by the same rule; a peer that you name has all of it]
    #[arg(long, value_name = "TIME", value_parser = duration, hide_short_help = true, help_heading = TIMES)]
    handshake_timeout: Option<Duration>,

    /// How long to listen after each handshake for what the peer is and has; 0 leaves at once
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration, help_heading = TIMES)]
    linger: Duration,

    /// When to encrypt connections
    #[arg(long, value_name = "POLICY", default_value = "prefer-plain", hide_short_help = true, help_heading = HOW)]
    encryption: EncryptionPolicy,

    /// What to dial peers over
    #[arg(long, value_name = "POLICY", default_value = "auto", hide_short_help = true, help_heading = HOW)]
    transport: TransportPolicy,

    /// Most connections at once, of all torrents together [default: what descriptors and memory allow]
    #[arg(long, value_name = "N", value_parser = positive, hide_short_help = true, help_heading = HOW)]
    concurrency: Option<usize>,

    /// Most new connections a second over TCP, and as many over uTP, 0 for no bound; loopback is never paced, and the DHT by itself:
    /// 250 datagrams a second [default: 250, after a pause 1,000 at once]
    #[arg(long, value_name = "N", hide_short_help = true, help_heading = HOW)]
    rate: Option<u32>,
}

/// Where our packets leave, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct Ourselves {
    /// Deadline for the whole run of each torrent [default: 30s; of web-seeds 5m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = TIMES)]
    pub(super) deadline: Option<Duration>,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = HOW)]
    ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long, help_heading = HOW)]
    ipv6: bool,

    /// Source address or interface of every socket, or nothing is sent; repeatable for an address of each family, of which one without is
    /// not used; names are still looked up by the system's resolver, its own way
    #[arg(long = "interface", alias = "bind", value_name = "IP|NAME", hide_short_help = true, help_heading = HOW)]
    ways: Vec<Way>,

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

/// What sockets are bound to.
#[derive(Clone, Copy, Debug)]
enum Way {
    Source(IpAddr),
    Interface(Interface),
}

impl FromStr for Way {
    type Err = InterfaceError;

    fn from_str(text: &str) -> Result<Self, InterfaceError> {
        text.parse().map(Self::Source).or_else(|_| text.parse().map(Self::Interface))
    }
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

/// What to dial peers over.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TransportPolicy {
    /// TCP; uTP if that is refused, closed at once or silent too long, and first where PEX says so
    Auto,
    /// TCP only
    Tcp,
    /// uTP only
    Utp,
}

impl From<TransportPolicy> for client::TransportPolicy {
    fn from(policy: TransportPolicy) -> Self {
        match policy {
            TransportPolicy::Auto => Self::Auto,
            TransportPolicy::Tcp => Self::Tcp,
            TransportPolicy::Utp => Self::Utp,
        }
    }
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

impl Conversation {
    /// Notes the choices in `config`.
    pub(crate) fn apply(&self, config: &mut Config) {
        config.connect_timeout = self.connect_timeout;
        config.handshake_timeout = self.handshake_timeout;
        config.linger = self.linger;
        config.encryption = self.encryption.into();
        config.transport = self.transport.into();
        config.concurrency = self.concurrency;
        config.rate = self.rate;
    }
}

impl Ourselves {
    /// Notes the choices in `config`, or says in one line what is wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        config.deadline = self.deadline.unwrap_or(config.deadline);
        config.port = self.port;
        config.allow_private = self.allow_private;
        self.limits.iter().for_each(|&(name, value)| name.set(&mut config.limits, value));
        config.bind = self.bind()?;
        Ok(())
    }

    fn bind(&self) -> Result<Bind, String> {
        let (mut bind, mut interface) = (Bind::default(), None);
        for &way in &self.ways {
            match way {
                Way::Source(ip) => bind.add(ip).map_err(|error| {
                    format!("give --interface one address of this machine for each family: {ip}: {error}")
                })?,
                Way::Interface(_) if interface.is_some() => return Err("give --interface one name at most".to_owned()),
                Way::Interface(name) => interface = Some(name),
            }
        }
        if (self.ipv4 || self.ipv6) && (bind.v4.is_some() || bind.v6.is_some()) {
            return Err("leave out -4 or -6: the address that --interface names is of one family".to_owned());
        }
        // Any address of one family; the other then has none, and is not used.
        if self.ipv4 {
            bind.v4 = Some(Ipv4Addr::UNSPECIFIED);
        }
        if self.ipv6 {
            bind.v6 = Some(Ipv6Addr::UNSPECIFIED);
        }
        Ok(bind.with_interface(interface))
    }
}
