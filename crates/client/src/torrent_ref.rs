//! What a run is about.

use crate::net::entropy;
use crate::setters::setters;
use guard::redact_url;
use ids::InfoHash;
use metainfo::{File, Files, Hashes, Magnet, MagnetPeer, PieceHash, PieceHashes, Torrent};
use tracker::PeerAddress;

/// Pieces that are drawn until one has a hash.
const DRAWS: usize = 64;

/// What a run is about: a torrent, or as much of one as a magnet link or an info-hash tells. The run asks peers for the rest
/// ([`Config::metadata`](crate::Config::metadata)); a caller that has it may hand it in, see [`may_be_learned`](Self::may_be_learned).
///
/// ```
/// # use client::{Config, Swarm};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let link = "magnet:?xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c32&tr=udp%3A%2F%2Ftracker.example%3A6969";
/// let by_link = Swarm::new(&metainfo::Magnet::parse(link)?, Config::default())?;
/// let info_hash: ids::InfoHash = "46aae77116837bf0a0bbd95862b6696d07324c32".parse()?;
/// let by_hash = Swarm::new(info_hash, Config::default().with_peers(vec!["192.0.2.7:6881".parse()?]))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TorrentRef {
    /// The info-hash, or both of a hybrid.
    pub hashes: Hashes,
    /// Bytes of all files together, padding left out; `None` when it is not known.
    pub total_size: Option<u64>,
    /// Number of pieces; `None` when unknown. Then only of peers that have everything, or certainly lack something, is it
    /// known what they have.
    pub pieces: Option<u32>,
    /// Whether it is private (BEP 27). The flag is part of the metadata, so a link or an info-hash leaves it unknown, and the
    /// run treats the torrent as public until metadata says otherwise: to ask about a private one in this way has the risk that
    /// [`Config::allow_private`](crate::Config::allow_private) describes. The DHT and peers (PEX) are not asked for one that is private,
    /// nor for one that may be because a tracker's URL has a secret.
    pub private: Option<bool>,
    /// The trackers it names, in its order, as written; unusable ones too.
    pub trackers: Vec<String>,
    /// The URLs of the web seeds it names, as written (BEP 19).
    pub web_seeds: Vec<String>,
    /// The URLs of the web seeds of the other kind that it names, as written (BEP 17).
    pub http_seeds: Vec<String>,
    /// Its files; `None` when they are not known, and then web seeds are not checked.
    pub content: Option<Content>,
    /// A piece by which web seeds prove that they have its bytes ([`Config::web_seed_proof`](crate::Config::web_seed_proof)).
    pub proof: Option<Proof>,
    /// Whether the torrent may become known during the run, by [`Swarm::learn`](crate::Swarm::learn); so it may
    /// wherever the run asks for metadata. A peer that says which pieces it has is then reported once their number is known, or at the
    /// end of the run.
    pub may_be_learned: bool,
    /// The peers it names. They are untrusted, so local addresses are not dialled; and none is when only counts are wanted
    /// ([`Config::scrape`](crate::Config::scrape)).
    pub peers: Vec<PeerAddress>,
    /// The nodes of the DHT that it names (`nodes`, BEP 5). They are untrusted.
    pub dht_nodes: Vec<PeerAddress>,
}

setters! {
    TorrentRef {
        with_hashes => hashes: Hashes,
        with_total_size => total_size: Option<u64>,
        with_pieces => pieces: Option<u32>,
        with_private => private: Option<bool>,
        with_trackers => trackers: Vec<String>,
        with_web_seeds => web_seeds: Vec<String>,
        with_http_seeds => http_seeds: Vec<String>,
        with_content => content: Option<Content>,
        with_proof => proof: Option<Proof>,
        with_may_be_learned => may_be_learned: bool,
        with_peers => peers: Vec<PeerAddress>,
        with_dht_nodes => dht_nodes: Vec<PeerAddress>,
    }
}

impl TorrentRef {
    /// Whether a tracker's URL has a secret, as those of private torrents have, and it is unknown whether this is one: then the DHT
    /// is not to be asked for it.
    #[must_use]
    pub fn may_be_private(&self) -> bool {
        self.private.is_none() && self.trackers.iter().any(|url| has_secret(url))
    }
}

/// Whether a part of a tracker's URL is hidden in reports.
pub(crate) fn has_secret(url: &str) -> bool {
    url.contains("://") && redact_url(url) != url.trim()
}

/// The files of a torrent, as web seeds are asked for them. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Content {
    /// The torrent's name, any bytes: that of its file, or of the directory that its files are in.
    pub name: Vec<u8>,
    /// Whether it is one file without a directory.
    pub is_single_file: bool,
    /// The files in order, padding included.
    pub files: Files,
    /// Bytes in each piece except the last.
    pub piece_length: u32,
}

/// A piece, and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Its number, counted from zero.
    pub piece: u32,
    /// Its hash by the torrent.
    pub hash: PieceHash,
}

impl Content {
    /// The files that a web seed can be asked for: those that have bytes, and are neither padding nor a symbolic link.
    pub(crate) fn wanted_files(&self) -> impl Iterator<Item = File<'_>> {
        let is_wanted = |file: &File<'_>| file.length > 0 && !file.attributes.padding && !file.attributes.symlink;
        self.files.iter().filter(is_wanted)
    }
}

impl Proof {
    /// A random piece of `torrent`, whose file has these `bytes`; `None` if it has no hash for the piece that was drawn, as for a
    /// file of a v2 torrent whose piece layer is missing.
    ///
    /// # Errors
    /// The bytes are not a torrent.
    pub fn choose(torrent: &Torrent, bytes: &[u8]) -> Result<Option<Self>, metainfo::Error> {
        let hashes = PieceHashes::read(bytes)?;
        // Another draw where the hash is missing: a torrent with some hashes has a proof.
        let drawn = (0..DRAWS).filter_map(|_| entropy::below(torrent.pieces.into()));
        let mut drawn = drawn.filter_map(|piece| u32::try_from(piece).ok());
        Ok(drawn.find_map(|piece| hashes.get(piece).map(|hash| Self { piece, hash })))
    }
}

impl From<&Torrent> for Content {
    fn from(torrent: &Torrent) -> Self {
        Self {
            name: torrent.name.clone(),
            is_single_file: torrent.is_single_file,
            files: torrent.files.clone(),
            piece_length: torrent.piece_length,
        }
    }
}

impl From<&Torrent> for TorrentRef {
    fn from(torrent: &Torrent) -> Self {
        Self {
            total_size: Some(torrent.content_size()),
            pieces: Some(torrent.pieces),
            private: Some(torrent.private),
            trackers: torrent.trackers.iter().flatten().map(|tracker| tracker.url.clone()).collect(),
            web_seeds: torrent.details.web_seeds.clone(),
            http_seeds: torrent.details.http_seeds.clone(),
            content: Some(torrent.into()),
            dht_nodes: torrent.details.nodes.iter().filter_map(node).collect(),
            ..torrent.hashes.into()
        }
    }
}

impl From<&Magnet> for TorrentRef {
    fn from(magnet: &Magnet) -> Self {
        Self {
            trackers: magnet.trackers.iter().map(|tracker| tracker.url.clone()).collect(),
            web_seeds: magnet.web_seeds.clone(),
            peers: magnet.peers.iter().filter_map(address).collect(),
            ..magnet.hashes.into()
        }
    }
}

/// A torrent of which only the info-hashes are known.
impl From<Hashes> for TorrentRef {
    fn from(hashes: Hashes) -> Self {
        Self {
            hashes,
            total_size: None,
            pieces: None,
            private: None,
            trackers: Vec::new(),
            web_seeds: Vec::new(),
            http_seeds: Vec::new(),
            content: None,
            proof: None,
            may_be_learned: false,
            peers: Vec::new(),
            dht_nodes: Vec::new(),
        }
    }
}

/// As of [`Hashes`], with 20 bytes that are taken for a v1 info-hash. A truncated v2 hash works as well: trackers and peers see
/// no more of either.
impl From<InfoHash> for TorrentRef {
    fn from(info_hash: InfoHash) -> Self {
        Hashes::from(info_hash).into()
    }
}

/// A node of a torrent, where its host is a name or an address.
fn node((host, port): &(Vec<u8>, u16)) -> Option<PeerAddress> {
    let host = std::str::from_utf8(host).ok()?;
    let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
    format!("{open}{host}{close}:{port}").parse().ok()
}

/// As an endpoint of our own types, parsed again.
fn address(peer: &MagnetPeer) -> Option<PeerAddress> {
    peer.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_swarm::torrent::SingleFile;

    const V1: &str = "46aae77116837bf0a0bbd95862b6696d07324c32";
    const V2: &str = "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e";

    #[test]
    fn a_torrent_has_all_of_it() {
        let file = SingleFile { announce: Some("http://t/announce"), ..SingleFile::new("a", 100_000) };
        let torrent = Torrent::parse(&file.to_bytes()).unwrap();
        let torrent_ref = TorrentRef::from(&torrent);
        assert_eq!((torrent_ref.hashes, torrent_ref.total_size), (torrent.hashes, Some(100_000)));
        assert_eq!((torrent_ref.pieces, torrent_ref.private), (Some(torrent.pieces), Some(false)));
        assert_eq!((torrent_ref.trackers, torrent_ref.peers), (vec!["http://t/announce".to_owned()], vec![]));
    }

    #[test]
    fn a_magnet_link_has_some_of_it() {
        let peers = "x.pe=8.8.8.8:1&x.pe=[::ffff:8.8.8.8]:2&x.pe=[2606:4700::1]:3&x.pe=Seed.example:4";
        let link = format!("magnet:?xt=urn:btih:{V1}&xt=urn:btmh:1220{V2}&tr=http://b&tr=nonsense&{peers}&ws=http://w");
        let torrent_ref = TorrentRef::from(&Magnet::parse(&link).unwrap());
        assert_eq!(torrent_ref.hashes, Hashes::Hybrid { v1: V1.parse().unwrap(), v2: V2.parse().unwrap() });
        assert_eq!((torrent_ref.total_size, torrent_ref.pieces, torrent_ref.private), (None, None, None));
        assert_eq!(
            (torrent_ref.trackers, torrent_ref.web_seeds),
            (vec!["http://b".to_owned(), "nonsense".to_owned()], vec!["http://w".to_owned()])
        );
        let peers: Vec<String> = torrent_ref.peers.iter().map(ToString::to_string).collect();
        assert_eq!(peers, ["8.8.8.8:1", "8.8.8.8:2", "[2606:4700::1]:3", "seed.example:4"]);
    }

    #[test]
    fn an_info_hash_has_none_of_it() {
        let info_hash: InfoHash = V1.parse().unwrap();
        let torrent_ref = TorrentRef::from(info_hash);
        assert_eq!((torrent_ref.hashes, torrent_ref.private), (Hashes::V1(info_hash), None));
        assert_eq!((torrent_ref.trackers.len(), torrent_ref.peers.len(), torrent_ref.web_seeds.len()), (0, 0, 0));
    }
}
