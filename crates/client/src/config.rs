//! What a user can choose.

use crate::Error;
use guard::Scope;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tracker::{PeerAddress, TrackerUrl};

/// How a run behaves. The defaults suit the internet; all of it is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Deadline for each TCP connection.
    pub connect_timeout: Duration,
    /// Deadline for each handshake, from the connection on; for the whole of it, not for each read.
    pub handshake_timeout: Duration,
    /// Deadline for the run. Goodbyes to the trackers, at most 4 s, come after it.
    pub deadline: Duration,
    /// Most connections at once; `None` for what the descriptor limit allows.
    pub concurrency: Option<usize>,
    /// Most new connections a second, 0 for no bound. Loopback is never paced.
    pub rate: u32,
    /// Source address of every socket.
    pub bind: Bind,
    /// The port announced; `None` for a free one of the system's choice. It is held for the run and nobody listens there.
    pub port: Option<u16>,
    /// Peers the user named.
    pub peers: Vec<PeerAddress>,
    /// Which trackers are asked.
    pub trackers: Trackers,
    /// Ask trackers for their counts only (BEP 48): they learn nothing of us, and name no peers.
    pub scrape: bool,
    /// Certificates, in PEM, that vouch for trackers beside the usual ones.
    pub tls_roots: Vec<u8>,
    /// Show the passkeys in announce URLs, in reports and in the log.
    pub show_secrets: bool,
    /// Go on with a private torrent (BEP 27): a client its trackers do not know can get its user banned.
    pub allow_private: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(30),
            concurrency: None,
            rate: 200,
            bind: Bind::default(),
            port: None,
            peers: Vec::new(),
            trackers: Trackers::FromTorrent,
            scrape: false,
            tls_roots: Vec::new(),
            show_secrets: false,
            allow_private: false,
        }
    }
}

/// Which trackers are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trackers {
    /// Those the torrent names.
    #[default]
    FromTorrent,
    /// These instead, on the user's word.
    Only(Vec<TrackerUrl>),
    /// None at all.
    None,
}

/// Source addresses, one a family. When either is set, a family without one is not used at all: a user who chose an
/// address does not want to be seen from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// Source of IPv4 sockets.
    pub v4: Option<Ipv4Addr>,
    /// Source of IPv6 sockets.
    pub v6: Option<Ipv6Addr>,
}

impl Bind {
    /// Adds a source address.
    ///
    /// # Errors
    /// When the family has one already, or `ip` is not one host's.
    pub fn add(&mut self, ip: IpAddr) -> Result<(), Error> {
        if matches!(Scope::of(ip), Scope::Unspecified | Scope::Multicast | Scope::Broadcast) {
            return Err(Error::BindNotAHost(Scope::of(ip)));
        }
        let taken = match ip {
            IpAddr::V4(ip) => self.v4.replace(ip).is_some(),
            IpAddr::V6(ip) => self.v6.replace(ip).is_some(),
        };
        if taken { Err(Error::BindTwice) } else { Ok(()) }
    }

    /// Whether `address` can be dialled: its family has a source address, or none was chosen.
    #[must_use]
    pub fn allows(&self, address: SocketAddr) -> bool {
        self.is_any() || if address.is_ipv4() { self.v4.is_some() } else { self.v6.is_some() }
    }

    /// Whether nothing was chosen.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }
}
