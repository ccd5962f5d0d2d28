//! The peers of the swarm: what each does, how far away it is, and so what a right verdict says of it.

use crate::random::Random;
use fake_swarm::{Client, Encryption, Holding, LazyBitfield, Step, Tcp, Utp, message};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Pieces of the torrent, of 64 KiB, all of them zeros.
pub(crate) const PIECES: u32 = 1_024;
pub(crate) const PIECE_LENGTH: u32 = 1 << 16;

/// The tracker's round trip.
pub(crate) const TRACKER_ROUND_TRIP: Duration = Duration::from_millis(60);
/// The median of the round trips, in seconds, the width of their distribution, and the longest.
const ROUND_TRIP: (f64, f64, f64) = (0.09, 1.17, 3.0);

/// What is at an address, and how many of 1,000 addresses are so. Dead, refusing and closing ones are in the shares that
/// measurements of public swarms have; of how the dead are dead there is no finer one than that they are silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Dead,
    Refusing,
    Closing,
    Seed,
    Leech,
    Empty,
    Lazy,
    /// One client at two addresses, of IPv4 and IPv6.
    DualStack,
    Encrypted,
    UtpOnly,
    /// Answers a handshake one to two seconds late.
    Busy,
    // Real programs: all are seeds but one.
    LibtorrentSeed,
    LibtorrentLeech,
    LibtorrentEncrypted,
    Transmission,
    Aria2,
}

const SHARES: [(Kind, usize); 16] = [
    (Kind::Dead, 600),
    (Kind::Refusing, 90),
    (Kind::Closing, 100),
    (Kind::Seed, 50),
    (Kind::Leech, 35),
    (Kind::Empty, 10),
    (Kind::Lazy, 10),
    (Kind::DualStack, 20),
    (Kind::Encrypted, 20),
    (Kind::UtpOnly, 20),
    (Kind::Busy, 20),
    (Kind::LibtorrentSeed, 5),
    (Kind::LibtorrentLeech, 5),
    (Kind::LibtorrentEncrypted, 5),
    (Kind::Transmission, 5),
    (Kind::Aria2, 5),
];

impl Kind {
    /// Whether a real program is there.
    pub(crate) fn is_real(self) -> bool {
        self >= Self::LibtorrentSeed
    }
}

/// What a right verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Silent,
    Refuses,
    Closes,
    Reachable {
        is_seed: bool,
        /// The one transport over which it can be reached.
        only: Option<&'static str>,
        /// Whether a conversation must be encrypted, or must not be; `None` where both are right.
        is_encrypted: Option<bool>,
    },
}

/// An address that the tracker names.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) truth: Truth,
    /// Without its port where the swarm chooses that.
    pub(crate) address: SocketAddr,
    pub(crate) round_trip: Duration,
    /// How long it waits before it answers a handshake.
    delay: Duration,
    /// Its segments over TCP are lost on the way.
    pub(crate) loses_tcp: bool,
    /// What a scripted one does.
    pub(crate) script: Option<fake_swarm::Peer>,
    /// Where its client is too.
    pub(crate) v4: Ipv4Addr,
}

/// The peers of a swarm of this size, in the order in which the tracker names them.
pub(crate) fn population(count: usize, metadata_size: u32, seed: u64) -> Vec<Peer> {
    let mut random = Random(seed);
    let mut peers = Vec::new();
    for (kind, share) in SHARES {
        for number in 0..count * share / 1_000 {
            let address = address(peers.len(), &mut random);
            let peer = Peer::of(kind, number, address, metadata_size, &mut random);
            let second = (kind == Kind::DualStack && number % 2 == 1).then(|| peers.last().cloned()).flatten();
            peers.push(second.map_or(peer, |first: Peer| first.at_v6()));
        }
    }
    let count = peers.len();
    random.sample(&(0..count).collect::<Vec<_>>(), count).into_iter().map(|place| peers[place].clone()).collect()
}

/// How many peers of each kind there are, in words.
pub(crate) fn composition(peers: &[Peer]) -> String {
    let mut counts = BTreeMap::new();
    peers.iter().for_each(|peer| *counts.entry(peer.kind).or_insert(0) += 1);
    counts.iter().map(|(kind, count)| format!("{count} {kind:?}")).collect::<Vec<_>>().join(", ")
}

/// Each in a /24 of its own.
fn address(number: usize, random: &mut Random) -> Ipv4Addr {
    let network = 0x0b_01_00 + number as u32 * 13;
    Ipv4Addr::from_bits(network << 8 | (1 + random.below(254) as u32))
}

fn round_trip(random: &mut Random) -> Duration {
    let (median, sigma, longest) = ROUND_TRIP;
    loop {
        let seconds = random.lognormal(median, sigma);
        if seconds <= longest {
            return Duration::from_secs_f64(seconds);
        }
    }
}

/// What a client says that has this: one of four, as it was recorded.
fn conversation(has: &Holding, random: &mut Random) -> fake_swarm::Peer {
    let client = [Client::Qbittorrent, Client::Transmission, Client::Libtorrent, Client::Aria2][random.below(4)];
    let mut script = client.peer(has);
    // Recorded with one that knows the fast extension (BEP 6). What all understand is said instead, also by those that have nothing.
    for step in &mut script.after {
        match step {
            Step::Send(bytes) if matches!(bytes[4..], [14 | 15, ..]) => *bytes = message::bitfield(&has.bits),
            Step::Send(bytes) if matches!(bytes[4..], [17, ..]) => bytes.clear(),
            _ => {}
        }
    }
    script.encryption = Encryption::enabled();
    // As they were measured: both look at what came only once in a while.
    let pulse = match client {
        Client::Transmission => 500,
        Client::Aria2 => 1_000,
        _ => 1,
    };
    script.delay = Duration::from_millis(random.below(pulse) as u64);
    if client == Client::Aria2 { script } else { script.and_utp() }
}

impl Peer {
    fn of(kind: Kind, number: usize, v4: Ipv4Addr, metadata_size: u32, random: &mut Random) -> Self {
        let full = Holding::full(PIECES, metadata_size);
        let address = SocketAddr::from((v4, 0));
        let mut peer = Self {
            kind,
            truth: Truth::Reachable { is_seed: true, only: None, is_encrypted: None },
            address,
            round_trip: round_trip(random),
            delay: Duration::ZERO,
            loses_tcp: false,
            script: None,
            v4,
        };
        match kind {
            Kind::Dead => {
                peer.truth = Truth::Silent;
                peer.address.set_port(20_000 + random.below(40_000) as u16);
            }
            Kind::Refusing => (peer.truth, peer.script) = (Truth::Refuses, Some(fake_swarm::Peer::refusing())),
            Kind::Closing => {
                let closing = [fake_swarm::Peer::closing(), fake_swarm::Peer::closing_on_accept()];
                let script = fake_swarm::Peer { utp: Utp::Silent, ..closing[number % 2].clone() };
                (peer.truth, peer.script) = (Truth::Closes, Some(script));
            }
            _ if kind.is_real() => {
                peer.truth = Truth::Reachable {
                    is_seed: kind != Kind::LibtorrentLeech,
                    only: (kind == Kind::Aria2).then_some("tcp"),
                    is_encrypted: (kind == Kind::LibtorrentEncrypted).then_some(true),
                };
                // Another one for each, and below those that the kernel chooses.
                peer.address.set_port(30_000 + ((v4.to_bits() >> 8) % 2_500) as u16);
            }
            _ => peer.answer(number, &full, random),
        }
        peer
    }

    /// What a scripted peer does that answers.
    fn answer(&mut self, number: usize, full: &Holding, random: &mut Random) {
        let (first, second) = (random.below(PIECES as usize) as u32, 2 + random.below(20) as u32);
        let part =
            Holding { bits: message::bits(PIECES, |piece| piece != first && piece % second != 0), ..full.clone() };
        let has = match self.kind {
            Kind::Leech => part,
            Kind::Encrypted | Kind::UtpOnly | Kind::Busy if number % 2 == 1 => part,
            Kind::Empty => Holding::empty(PIECES, full.metadata_size),
            _ => full.clone(),
        };
        let is_seed = has == *full;
        let mut script = conversation(&has, random);
        let (mut only, mut is_encrypted) = (None, None);
        match self.kind {
            Kind::Lazy => {
                let lazy = LazyBitfield::new(PIECES, random.next());
                script = fake_swarm::Peer { encryption: script.encryption, ..fake_swarm::Peer::default() }
                    .sending([lazy.bitfield()])
                    .pausing(Duration::from_millis(200 * (number as u64 % 2)))
                    .sending(lazy.haves());
            }
            Kind::Encrypted => (script.encryption, is_encrypted) = (Encryption::required(), Some(true)),
            Kind::UtpOnly => {
                script = script.only_utp(Tcp::Resets);
                (only, self.loses_tcp) = (Some("utp"), number / 2 % 2 == 1);
            }
            Kind::Busy => script.delay = Duration::from_millis(1_000 + random.below(1_000) as u64),
            _ => {}
        }
        if script.utp == Utp::Refuses {
            only = Some("tcp");
        }
        self.delay = script.delay;
        self.truth = Truth::Reachable { is_seed, only, is_encrypted };
        self.script = Some(script);
    }

    /// When it can be found, without losses and with nothing tried in vain.
    pub(crate) fn earliest(&self) -> Option<Duration> {
        let Truth::Reachable { is_encrypted, .. } = self.truth else { return None };
        // A connection and a handshake; keys take one more.
        let round_trips = if is_encrypted == Some(true) { 3 } else { 2 };
        Some(TRACKER_ROUND_TRIP * 2 + self.round_trip * round_trips + self.delay)
    }

    /// The same client at an address of IPv6.
    fn at_v6(&self) -> Self {
        let v6 = Ipv6Addr::from_bits(0x2a0b << 112 | u128::from(self.v4.to_bits()));
        Self { address: SocketAddr::from((v6, 0)), script: None, ..self.clone() }
    }
}
