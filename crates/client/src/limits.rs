//! What untrusted torrents, trackers and peers may cost us at most, and what we may cost others. Each limit is needed: without
//! it, one of the scenarios that the project is tested with fails.

use crate::setters::setters;
use guard::AddressPolicy;
use peer_session::MetadataLimits;
use std::time::Duration;

/// Bounds on what torrents, trackers and peers can make a run do. What a user is likely to choose is in
/// [`Config`](crate::Config); these are raised only to test what they are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most trackers asked. Most torrents name under 20; thousands would be a way to aim us at others.
    pub trackers: usize,
    /// Deadline for one announce or scrape: all addresses, all redirects.
    pub tracker_time: Duration,
    /// Requests a second to the trackers at one IP address, of all runs together, goodbyes included. After a pause up to twice as
    /// many are sent in one second, but never more than [`Config::rate`](crate::Config::rate), which limits them as well; 0 leaves
    /// that limit alone. 5,000 torrents at one tracker take 100 s.
    pub tracker_rate: u32,
    /// How long a tracker that did not answer is left alone: a torrent that names it meanwhile reports
    /// [`KnownSilent`](crate::TrackerStatus::KnownSilent). Then one torrent asks it again; if it is still silent, the next time is an
    /// hour later. Holds for all runs of the process together. In a [`Membership`](crate::Membership) it is the first wait after an
    /// announce that failed.
    pub silent_time: Duration,
    /// Deadline for each goodbye, from its turn on. They come after the run's deadline.
    pub goodbye_time: Duration,
    /// Most redirects followed for one announce, or one file of a web seed; libtorrent follows as many.
    pub redirects: usize,
    /// Most bytes, header lines and body of a tracker's reply.
    pub reply: http_exchange::Limits,
    /// Most web seeds asked; the largest torrents of archives name some dozen.
    pub web_seeds: usize,
    /// Web seeds asked at once in a run.
    pub web_seeds_at_once: usize,
    /// Connections at once to one IP address of web seeds, of all runs together.
    pub web_seed_connections: usize,
    /// New connections a second to one IP address of web seeds, of all runs together; 0 for any number.
    pub web_seed_rate: u32,
    /// Requests a second to one IP address of web seeds, of all runs together, over connections that are kept as well; 0 for any
    /// number. After a pause a second's are sent at once. 10,000 files take 100 s.
    pub web_seed_requests: u32,
    /// Deadline for one file of a web seed, all redirects included, from its turn on. A piece in full has a second more for each
    /// MiB.
    pub web_seed_time: Duration,
    /// Most files asked of each web seed, where all are to be asked
    /// ([`WebSeedChecks::All`](crate::WebSeedChecks::All)), and most that a piece may span to be fetched.
    pub web_seed_files: usize,
    /// Largest piece that is fetched as a proof, in bytes.
    pub proof_bytes: u64,
    /// Datagrams a second to nodes of the DHT, of all runs together; 0 for any number. After a pause a quarter of a second's are sent
    /// at once. A lookup takes some 80 a family and info-hash, of which a hybrid has two, so that 5,000 torrents take about half an hour
    /// for each.
    pub dht_rate: u32,
    /// Datagrams a second to one IP address of a node, and five times as many in ten seconds; 0 for any number. libtorrent bans an
    /// address for five minutes at its 50th datagram in ten seconds.
    pub dht_rate_per_address: u32,
    /// Lookups in the DHT at the same time, of all runs together, each in both families and by both info-hashes of a hybrid; further ones wait. Two or three use up
    /// [`dht_rate`](Self::dht_rate), and more would only take longer, each.
    pub dht_lookups: usize,
    /// Most different peers of a run that are taken from other peers (PEX).
    pub pex_peers: usize,
    /// The longest metadata of a link, how many peers are asked for it at once, and how long each has for a piece.
    pub metadata: MetadataLimits,
    /// Bytes of metadata that may be in assembly at once, in all runs. A link whose metadata has no room waits.
    pub metadata_bytes: usize,
    /// Deadline for looking up one host name.
    pub lookup_time: Duration,
    /// Host names of peers looked up at once, of all runs together.
    pub lookups_at_once: usize,
    /// Most peers known in a run, of all trackers together; each costs some hundred bytes until the run ends.
    pub peers: usize,
    /// The lowest port of a peer that an untrusted source may name; a tracker may name those of the web too.
    pub lowest_port: u16,
    /// Connections at once to one IP address that an untrusted source named, of all runs together: this number to peers, and
    /// the same number to trackers. Beside these there may be three times as many to trackers that have not answered for a
    /// second, so that they do not hold up the others; and four times as many with goodbyes, of which there are no more than
    /// there were announces.
    pub connections_per_address: usize,
    /// Longest message of a peer, in bytes; bitfields have their own limit.
    pub message_bytes: u32,
    /// Most bytes read from one peer after its handshake: several times the largest bitfield, and all that any client was seen
    /// to send at once.
    pub peer_bytes: usize,
    /// Bytes that all buffers for what peers say after their handshake may take together, in all runs.
    pub buffer_bytes: usize,
    /// Most bytes of reports withheld at once. A usual one has about 1 KiB, and one with the longest extension handshake ten
    /// times as much. In a swarm where thousands wait for one piece, none of them is a likely seed.
    pub waiting_bytes: usize,
}

setters! {
    Limits {
        with_trackers => trackers: usize,
        with_tracker_time => tracker_time: Duration,
        with_tracker_rate => tracker_rate: u32,
        with_silent_time => silent_time: Duration,
        with_goodbye_time => goodbye_time: Duration,
        with_redirects => redirects: usize,
        with_reply => reply: http_exchange::Limits,
        with_web_seeds => web_seeds: usize,
        with_web_seeds_at_once => web_seeds_at_once: usize,
        with_web_seed_connections => web_seed_connections: usize,
        with_web_seed_rate => web_seed_rate: u32,
        with_web_seed_requests => web_seed_requests: u32,
        with_web_seed_time => web_seed_time: Duration,
        with_web_seed_files => web_seed_files: usize,
        with_proof_bytes => proof_bytes: u64,
        with_dht_rate => dht_rate: u32,
        with_dht_rate_per_address => dht_rate_per_address: u32,
        with_dht_lookups => dht_lookups: usize,
        with_pex_peers => pex_peers: usize,
        with_metadata => metadata: MetadataLimits,
        with_metadata_bytes => metadata_bytes: usize,
        with_lookup_time => lookup_time: Duration,
        with_lookups_at_once => lookups_at_once: usize,
        with_peers => peers: usize,
        with_lowest_port => lowest_port: u16,
        with_connections_per_address => connections_per_address: usize,
        with_message_bytes => message_bytes: u32,
        with_peer_bytes => peer_bytes: usize,
        with_buffer_bytes => buffer_bytes: usize,
        with_waiting_bytes => waiting_bytes: usize,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trackers: 128,
            tracker_time: Duration::from_secs(15),
            tracker_rate: 100,
            silent_time: Duration::from_secs(60),
            goodbye_time: Duration::from_secs(4),
            redirects: 5,
            reply: http_exchange::Limits::default(),
            web_seeds: 512,
            web_seeds_at_once: 4,
            web_seed_connections: 2,
            web_seed_rate: 2,
            web_seed_requests: 100,
            web_seed_time: Duration::from_secs(10),
            web_seed_files: 10_000,
            proof_bytes: 64 << 20,
            dht_rate: 250,
            dht_rate_per_address: 4,
            dht_lookups: 4,
            pex_peers: 5000,
            metadata: MetadataLimits::default(),
            metadata_bytes: 64 << 20,
            lookup_time: Duration::from_secs(5),
            lookups_at_once: 16,
            peers: 100_000,
            lowest_port: AddressPolicy::LOWEST_PORT,
            connections_per_address: 4,
            message_bytes: peer_wire::Codec::MAX_OTHER,
            peer_bytes: 1 << 20,
            buffer_bytes: 32 << 20,
            waiting_bytes: 4 << 20,
        }
    }
}
