//! Swarms of scripted peers, each with the metadata of one torrent, and its tracker.

use crate::Result;
use fake_swarm::torrent::{SingleFile, sha1};
use fake_swarm::{FakeSwarm, FakeTracker, MetadataScript, Peer, Serving, TrackerScript, peer_ip};
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of a piece of metadata.
const PIECE: u64 = 16_384;

/// Addresses for the peers of a swarm.
const PEERS: u32 = 10;

/// How a peer of a swarm behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// Accepts the connection and says nothing.
    Silent,
    /// Offers metadata and answers no request.
    Mute,
    /// Sends one piece after the other and takes so many milliseconds for each.
    Paced(u64),
    /// Sends each piece so many milliseconds after its request, however many are asked for at once.
    Distant(u64),
    /// As `Distant`, and as libtorrent was measured: beyond ten requests that wait, it answers 13 a second.
    Libtorrent(u64),
    /// As Transmission 4 was measured: it answers twice a second, up to 64 requests each time.
    Transmission,
    /// As `Distant`, and as rTorrent was measured: it loses requests that come while another waits.
    RTorrent(u64),
}

/// A running swarm; dropping it ends it.
pub(crate) struct Scripted {
    _swarm: FakeSwarm,
    _tracker: FakeTracker,
    pub(crate) link: String,
    pub(crate) info: Vec<u8>,
}

impl Scripted {
    /// Starts peers on the current runtime that have metadata of so many pieces, all full but the last, and their tracker. The number
    /// is that of the addresses, and the name makes the hash another one.
    pub(crate) fn start(number: u32, name: &str, pieces: u64, peers: &[Behaviour]) -> Result<Self> {
        /// The address of the first tracker.
        const TRACKERS: Ipv4Addr = Ipv4Addr::new(127, 200, 0, 1);
        // The rest is for the other keys.
        let hashes = (pieces * PIECE - 128) / 20;
        let info = SingleFile { piece_length: PIECE, ..SingleFile::new(name, hashes * PIECE) }.info();
        let hash = sha1(&info);
        let all: Vec<_> =
            (number * PEERS..).map(peer_ip).zip(peers.iter().map(|behaviour| behaviour.peer(&info))).collect();
        let swarm = FakeSwarm::start(hash, &all)?;
        let tracker = FakeTracker::start_on(
            (Ipv4Addr::from_bits(TRACKERS.to_bits() + number), 0).into(),
            TrackerScript::peers(swarm.endpoints()),
        )?;
        let mut link = "magnet:?xt=urn:btih:".to_owned();
        hash.iter().try_for_each(|byte| write!(link, "{byte:02x}"))?;
        write!(link, "&tr={}", tracker.announce_url().replace(':', "%3A").replace('/', "%2F"))?;
        Ok(Self { _swarm: swarm, _tracker: tracker, link, info })
    }
}

impl Behaviour {
    fn peer(self, info: &[u8]) -> Peer {
        let script = || MetadataScript::of(info);
        let script = match self {
            Self::Silent => return Peer::silent(),
            Self::Mute => script().silent(),
            Self::Distant(millis) => script().delayed(Duration::from_millis(millis)),
            Self::RTorrent(millis) => script().delayed(Duration::from_millis(millis)).one_at_a_time(),
            Self::Libtorrent(millis) => script().edited(move |request, reply| {
                let later = request.unanswered.saturating_sub(9) as u64 * 1000 / 13;
                reply.delay = Duration::from_millis(millis + later);
            }),
            Self::Transmission => {
                let (begun, pulse) = (Instant::now(), 500);
                script().edited(move |request, reply| {
                    let late = begun.elapsed().as_millis() as u64 % pulse;
                    reply.delay = Duration::from_millis(pulse - late);
                    if request.unanswered >= 64 {
                        (reply.msg_type, reply.bytes, reply.delay) = (2, Vec::new(), Duration::ZERO);
                    }
                })
            }
            Self::Paced(millis) => {
                let free = Mutex::new(Instant::now());
                script().edited(move |_, reply| {
                    let (now, mut free) = (Instant::now(), free.lock().unwrap_or_else(PoisonError::into_inner));
                    *free = now.max(*free) + Duration::from_millis(millis);
                    reply.delay = *free - now;
                })
            }
        };
        let client = match self {
            Self::RTorrent(_) => "libTorrent 0.16.17",
            Self::Transmission => "Transmission 4.1.0",
            _ => "qBittorrent/5.1.0",
        };
        let size = info.len();
        let introduction = format!("d1:md11:ut_metadatai2ee13:metadata_sizei{size}e1:v{}:{client}e", client.len());
        Peer::default().serving(Serving::metadata(script).introduced_by(introduction))
    }
}
