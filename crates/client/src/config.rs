//! What a user can choose.

use crate::error::Error;
use crate::limits::Limits;
use crate::net::interface::Interface;
use crate::setters::setters;
use crate::torrent_ref::TorrentRef;
use guard::{Scope, Secrets};
use report::{Encryption, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tracker::{Crypto, PeerAddress, TrackerUrl};
use web_seed::WebSeedUrl;

/// How a run behaves. The defaults suit the internet; all of it is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Deadline for each connection; `None` for [`CONNECT_TIMEOUT`](Self::CONNECT_TIMEOUT) at most: a run that has nothing else left to
    /// wait for ends when no answer is to be expected any more, by the round trips that it has seen.
    pub connect_timeout: Option<Duration>,
    /// Deadline for each handshake, from the connection on; for the whole of it, not for each read. An encrypted one has
    /// twice as long. `None` for [`HANDSHAKE_TIMEOUT`](Self::HANDSHAKE_TIMEOUT) at most, by the same rule, which does not hold for peers
    /// that the user named.
    pub handshake_timeout: Option<Duration>,
    /// How long to listen to a peer after its handshake, at most: it then says what it is and which pieces it has. Zero
    /// leaves at once.
    pub linger: Duration,
    /// Whether connections are encrypted.
    pub encryption: EncryptionPolicy,
    /// What carries conversations with peers.
    pub transport: TransportPolicy,
    /// Deadline for the run. Goodbyes to the trackers, 4 s for each from its turn on, come after it.
    pub deadline: Duration,
    /// Most connections at once; `None` for what the descriptor limit and 32 MiB of memory allow.
    pub concurrency: Option<usize>,
    /// Most new connections a second, to peers and HTTP trackers, 0 for no bound; `None` for [`RATE`](Self::RATE), and four seconds' at
    /// once after a pause. No tracker sees more requests in a second either ([`Limits::tracker_rate`]). Connections to loopback are not
    /// counted. uTP connections have a pace of their own, as fast.
    pub rate: Option<u32>,
    /// Most peers taken from each answer of a tracker; `None` for all. Trackers rarely give more than 200, and one that
    /// names a whole network must not aim us at it.
    pub max_peers: Option<usize>,
    /// Most ports of one IP address that are dialled because trackers named them; and most conversations with trackers there
    /// because a torrent named them, as many over UDP and as many over HTTP; and most ports of web seeds there that a torrent or a
    /// redirect named. `None` for all. Behind an address that many clients share there are usually a few.
    pub max_per_address: Option<usize>,
    /// Source address and interface of every socket.
    pub bind: Bind,
    /// The port announced; `None` for a free one of the system's choice. It is bound for the run, and nothing listens there.
    pub port: Option<u16>,
    /// Peers the user named. Each that has accepted is waited for in full, and is one of the connections at once meanwhile.
    pub peers: Vec<PeerAddress>,
    /// Which kinds of source are asked, beside the peers that the user named.
    pub sources: Sources,
    /// Which trackers are asked.
    pub trackers: Trackers,
    /// Web seeds that the user named (BEP 19), checked beside those of the torrent. They may be local.
    pub web_seeds: Vec<WebSeedUrl>,
    /// Which files of each web seed are looked at.
    pub web_seed_checks: WebSeedChecks,
    /// Whether each web seed is also asked for one random piece in full, whose hash is compared with the torrent's
    /// ([`TorrentRef::proof`](crate::TorrentRef::proof)).
    pub web_seed_proof: bool,
    /// Nodes of the DHT that the user named: lookups start there too. They may be local.
    pub dht_nodes: Vec<PeerAddress>,
    /// Well-known nodes of the DHT from which lookups start; empty for none. They are not trusted.
    pub dht_bootstrap: Vec<PeerAddress>,
    /// Whether a report of the DHT lists every node that was asked, and not only those that named peers.
    pub dht_list_all: bool,
    /// Whether peers are asked for the metadata of a magnet link or an info-hash (BEP 9), with which all becomes known that a
    /// torrent file says. Not in a run that dials no peer, does not listen or asks for counts only.
    pub metadata: bool,
    /// Whether the piece layers of a v2 torrent are asked for, too (BEP 52), once its metadata is there:
    /// [`Known::piece_layers`](crate::Known::piece_layers). [`Event::Metadata`](crate::Event::Metadata) then waits for them, and a few
    /// peers of a hybrid that answered by its v1 hash are connected to a second time.
    pub piece_layers: bool,
    /// Ask trackers for their counts only (BEP 48): they learn nothing of us and name no peers, and those of a magnet link
    /// are not dialled.
    pub scrape: bool,
    /// Dial the peers that are named; else each is reported as `not_tried`, and the sources are all that is asked.
    pub dial: bool,
    /// Certificates, in PEM, that vouch for trackers beside the usual ones.
    pub tls_roots: Vec<u8>,
    /// Show the passkeys in announce URLs, in reports and in the log.
    pub show_secrets: bool,
    /// Ask the trackers of a private torrent (BEP 27), which may ban the user of a client they do not know. A run without
    /// trackers needs no permission.
    pub allow_private: bool,
    /// What untrusted torrents, trackers and peers may cost.
    pub limits: Limits,
}

setters! {
    Config {
        with_linger => linger: Duration,
        with_encryption => encryption: EncryptionPolicy,
        with_transport => transport: TransportPolicy,
        with_deadline => deadline: Duration,
        with_concurrency => concurrency: Option<usize>,
        with_max_peers => max_peers: Option<usize>,
        with_max_per_address => max_per_address: Option<usize>,
        with_bind => bind: Bind,
        with_port => port: Option<u16>,
        with_peers => peers: Vec<PeerAddress>,
        with_sources => sources: Sources,
        with_trackers => trackers: Trackers,
        with_web_seeds => web_seeds: Vec<WebSeedUrl>,
        with_web_seed_checks => web_seed_checks: WebSeedChecks,
        with_web_seed_proof => web_seed_proof: bool,
        with_dht_nodes => dht_nodes: Vec<PeerAddress>,
        with_dht_bootstrap => dht_bootstrap: Vec<PeerAddress>,
        with_dht_list_all => dht_list_all: bool,
        with_metadata => metadata: bool,
        with_piece_layers => piece_layers: bool,
        with_scrape => scrape: bool,
        with_dial => dial: bool,
        with_tls_roots => tls_roots: Vec<u8>,
        with_show_secrets => show_secrets: bool,
        with_allow_private => allow_private: bool,
        with_limits => limits: Limits,
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: None,
            handshake_timeout: None,
            linger: Duration::from_secs(3),
            encryption: EncryptionPolicy::PreferPlain,
            transport: TransportPolicy::Auto,
            deadline: Duration::from_secs(30),
            concurrency: None,
            rate: None,
            max_peers: Some(5000),
            max_per_address: Some(16),
            bind: Bind::default(),
            port: None,
            peers: Vec::new(),
            sources: Sources::ALL,
            trackers: Trackers::FromTorrent,
            web_seeds: Vec::new(),
            web_seed_checks: WebSeedChecks::Sample,
            web_seed_proof: false,
            dht_nodes: Vec::new(),
            dht_bootstrap: bootstrap(),
            dht_list_all: false,
            metadata: true,
            piece_layers: false,
            scrape: false,
            dial: true,
            tls_roots: Vec::new(),
            show_secrets: false,
            allow_private: false,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The longest that a connection is waited for where the user has chosen nothing.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// The longest that a handshake is waited for where the user has chosen nothing.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
    /// New connections a second where the user has chosen nothing; 1,000 begin at once after a pause, the peers of most swarms. They fill
    /// no more of a router's table than they would four seconds later.
    pub const RATE: u32 = 250;

    /// The same with this deadline for each connection, whatever round trips are seen.
    #[must_use]
    pub fn with_connect_timeout(self, time: Duration) -> Self {
        Self { connect_timeout: Some(time), ..self }
    }

    /// The same with this deadline for each handshake, whatever round trips are seen.
    #[must_use]
    pub fn with_handshake_timeout(self, time: Duration) -> Self {
        Self { handshake_timeout: Some(time), ..self }
    }

    /// The same with this many new connections a second at most, evenly spaced.
    #[must_use]
    pub fn with_rate(self, rate: u32) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// The deadline for each connection.
    pub(crate) fn connect_limit(&self) -> Duration {
        self.connect_timeout.unwrap_or(Self::CONNECT_TIMEOUT)
    }

    /// The deadline for each handshake.
    pub(crate) fn handshake_limit(&self) -> Duration {
        self.handshake_timeout.unwrap_or(Self::HANDSHAKE_TIMEOUT)
    }

    /// Most new connections a second.
    pub(crate) fn rate_limit(&self) -> u32 {
        self.rate.unwrap_or(Self::RATE)
    }

    /// What a run about `torrent_ref` may not show, even as part of a text from outside: the secrets of the trackers and web seeds
    /// that it and the user name; nothing when secrets are shown.
    #[must_use]
    pub fn secrets(&self, torrent_ref: &TorrentRef) -> Secrets {
        if self.show_secrets {
            return Secrets::default();
        }
        let named: &[TrackerUrl] = if let Trackers::Only(urls) = &self.trackers { urls } else { &[] };
        let of_trackers = named.iter().map(TrackerUrl::expose).chain(torrent_ref.trackers.iter().map(String::as_str));
        let in_torrent = torrent_ref.web_seeds.iter().chain(&torrent_ref.http_seeds).map(String::as_str);
        let of_web_seeds = self.web_seeds.iter().map(WebSeedUrl::expose).chain(in_torrent);
        Secrets::of_all(of_trackers).and(&Secrets::of_web_seeds(of_web_seeds))
    }
}

/// Nodes that answered in May 2026 (qBittorrent's issue 24296); other well-known ones no longer did.
const DHT_BOOTSTRAP: [&str; 3] =
    ["dht.libtorrent.org:25401", "dht.transmissionbt.com:6881", "router.bt.ouinet.work:6881"];

fn bootstrap() -> Vec<PeerAddress> {
    DHT_BOOTSTRAP.iter().filter_map(|node| node.parse().ok()).collect()
}

/// What to make of encrypted connections (Message Stream Encryption). A second attempt comes half a second after the
/// first: some clients refuse an address that comes back sooner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncryptionPolicy {
    /// In the clear first; encrypted when that ends as it does with peers that require encryption.
    #[default]
    PreferPlain,
    /// Encrypted first; in the clear when that fails.
    Prefer,
    /// Encrypted only.
    Require,
    /// In the clear only.
    Off,
}

/// What carries conversations with peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportPolicy {
    /// TCP first; uTP (BEP 29) where TCP is refused, unreachable, closed without a byte, or silent for longer than a round trip takes. uTP
    /// first for a peer that peer exchange says takes it.
    #[default]
    Auto,
    /// TCP only.
    Tcp,
    /// uTP only.
    Utp,
}

impl TransportPolicy {
    /// What is tried, in this order unless a peer's word changes it.
    pub(crate) fn transports(self) -> &'static [Transport] {
        match self {
            Self::Auto => &[Transport::Tcp, Transport::Utp],
            Self::Tcp => &[Transport::Tcp],
            Self::Utp => &[Transport::Utp],
        }
    }
}

impl EncryptionPolicy {
    /// What an announce says of it.
    pub(crate) fn announced(self) -> Crypto {
        match self {
            Self::PreferPlain | Self::Prefer => Crypto::Supported,
            Self::Require => Crypto::Required,
            Self::Off => Crypto::None,
        }
    }

    /// How a peer is tried first; a tracker may have said that it requires encryption.
    pub(crate) fn first(self, requires_crypto: bool) -> Encryption {
        match self {
            Self::PreferPlain if requires_crypto => Encryption::Rc4,
            Self::PreferPlain | Self::Off => Encryption::None,
            Self::Prefer | Self::Require => Encryption::Rc4,
        }
    }
}

/// Which kinds of source a run asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sources {
    /// Trackers, for peers or counts.
    pub trackers: bool,
    /// Web seeds, for the files themselves.
    pub web_seeds: bool,
    /// The DHT, for peers. Never asked for a private torrent, nor while a link whose trackers have a secret may be one.
    pub dht: bool,
    /// Peers, for other peers (PEX, BEP 11); we tell them of none. Not for a private torrent either, nor while a link may be one.
    pub pex: bool,
}

setters! {
    Sources {
        with_trackers => trackers: bool,
        with_web_seeds => web_seeds: bool,
        with_dht => dht: bool,
        with_pex => pex: bool,
    }
}

impl Sources {
    /// Every kind.
    pub const ALL: Self = Self { trackers: true, web_seeds: true, dht: true, pex: true };
    /// None: only the peers that the user names.
    pub const NONE: Self = Self { trackers: false, web_seeds: false, dht: false, pex: false };
}

/// Which files of each web seed are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebSeedChecks {
    /// A small range of the first file, of the last and of up to six random others.
    #[default]
    Sample,
    /// A small range of every file.
    All,
}

/// Which trackers are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trackers {
    /// Those the torrent or the magnet link names.
    #[default]
    FromTorrent,
    /// These instead, which the user named.
    Only(Vec<TrackerUrl>),
}

/// Where packets leave: source addresses, one a family, and an interface; all that is chosen holds. When either address is set,
/// a family without one is not used: a user who chose an address does not want to be seen from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Bind {
    /// Source of IPv4 sockets.
    pub v4: Option<Ipv4Addr>,
    /// Source of IPv6 sockets.
    pub v6: Option<Ipv6Addr>,
    /// The interface of every socket, with which both families are used as far as the addresses allow.
    pub interface: Option<Interface>,
}

setters! {
    Bind {
        with_v4 => v4: Option<Ipv4Addr>,
        with_v6 => v6: Option<Ipv6Addr>,
        with_interface => interface: Option<Interface>,
    }
}

impl Bind {
    /// Adds a source address.
    ///
    /// # Errors
    /// The family has one already, or `ip` is not the address of one host.
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
        self.is_any_address() || if address.is_ipv4() { self.v4.is_some() } else { self.v6.is_some() }
    }

    /// Whether nothing was chosen, neither an address nor an interface.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.is_any_address() && self.interface.is_none()
    }

    /// Whether no address was chosen.
    #[must_use]
    pub fn is_any_address(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }
}
