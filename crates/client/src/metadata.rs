//! The metadata of a magnet link or an info-hash: assembled in the conversations of a run, parsed beside it, reported once.

use crate::config::Config;
use crate::layers::Layers;
use crate::net::resolve::blocking;
use crate::net::task::settled;
use crate::shared::Shared;
use crate::standing::standing;
use crate::torrent_ref::{Proof, TorrentRef};
use bytes::Bytes;
use metainfo::{Hashes, InfoError, PieceLayers, Torrent, TorrentFile};
use peer_session::{Assembly, LayerAssembly, MetadataPeer as Member, Standing};
use report::{MetadataPeer, MetadataReport, MetadataStatus};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What a run does for its metadata.
#[derive(Debug)]
pub(crate) struct Metadata {
    assembly: Assembly<SocketAddr>,
    /// If piece layers are wanted, too.
    pub(crate) layers: Option<Layers>,
    link: Arc<Link>,
    parsers: Arc<Semaphore>,
    /// The parser, once all pieces are there.
    parsing: JoinSet<Result<Known, InfoError>>,
}

/// What a link says beside the info-hash.
#[derive(Debug)]
struct Link {
    hashes: Hashes,
    trackers: Vec<Vec<String>>,
    web_seeds: Vec<String>,
    /// Whether a piece is wanted by which web seeds prove that they have its bytes.
    needs_proof: bool,
}

/// Metadata that came during the run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Known {
    /// The info dictionary, byte for byte: the info-hash is taken over these.
    pub info: Bytes,
    /// What it says, with the trackers and web seeds of the link.
    pub torrent: Arc<Torrent>,
    /// A piece by which web seeds prove that they have its bytes, if that is wanted ([`Config::web_seed_proof`]).
    pub proof: Option<Proof>,
    /// The piece layers of a v2 torrent that peers gave, for [`TorrentFile::piece_layers`]: all if the report says so, else those of some
    /// files or none. Empty unless they were asked for ([`Config::piece_layers`]).
    pub piece_layers: Arc<PieceLayers>,
}

/// As [`Metadata::next`]; `None` where there is none.
pub(crate) async fn next(metadata: &mut Option<Metadata>) -> Option<Result<Known, InfoError>> {
    metadata.as_mut()?.next().await
}

impl Metadata {
    /// Begins to wait for peers that offer it. `None` where it is known, not wanted, or no peer can send it.
    pub(crate) fn new(torrent_ref: &TorrentRef, config: &Config, shared: &Shared) -> Option<Self> {
        let is_known = torrent_ref.content.is_some() || torrent_ref.pieces.is_some();
        let is_heard = config.dial && !config.scrape && !config.linger.is_zero();
        if is_known || !is_heard || !config.metadata || torrent_ref.private == Some(true) {
            return None;
        }
        let hashes = torrent_ref.hashes;
        let is_right = move |info: &[u8]| hashes.are_of(info);
        let assembly = Assembly::new(config.limits.metadata, shared.metadata(), is_right);
        let layers =
            config.piece_layers.then(|| LayerAssembly::after(&assembly, config.limits.metadata, shared.metadata()));
        let layers = layers.map(Layers::new);
        let trackers = torrent_ref.trackers.iter().map(|url| vec![url.clone()]).collect();
        let link =
            Link { hashes, trackers, web_seeds: torrent_ref.web_seeds.clone(), needs_proof: config.web_seed_proof };
        let parsers = Arc::clone(shared.parsers());
        Some(Self { assembly, layers, link: Arc::new(link), parsers, parsing: JoinSet::new() })
    }

    /// What conversations need of it.
    pub(crate) fn assembly(&self) -> Assembly<SocketAddr> {
        self.assembly.clone()
    }

    /// Asks for nothing more: the torrent has come in another way.
    pub(crate) fn abandon(&self) {
        self.assembly.abandon();
    }

    /// Whether all pieces are there, so that it is about to be known.
    pub(crate) fn is_due(&self) -> bool {
        !self.parsing.is_empty() || self.assembly.finished().is_some()
    }

    /// Waits for all pieces, and parses them off the runtime's threads: a big one takes seconds. May be cancelled without losing
    /// anything.
    async fn next(&mut self) -> Option<Result<Known, InfoError>> {
        if self.parsing.is_empty() {
            let info = self.assembly.complete().await;
            self.parsing.spawn(parse(info, Arc::clone(&self.link), Arc::clone(&self.parsers)));
        }
        self.parsing.join_next().await.map(settled)
    }

    /// The report of what was parsed. Its memory does not count as in assembly from now on.
    pub(crate) fn ended(&self, parsed: &Result<Known, InfoError>) -> MetadataReport {
        drop(self.assembly.release());
        let status = match parsed {
            Ok(known) if known.torrent.private => MetadataStatus::Private,
            Ok(_) => MetadataStatus::Ok,
            Err(_) => MetadataStatus::NotATorrent,
        };
        let mut report = self.report(status, None);
        report.message =
            parsed.as_ref().err().map(|error| guard::escape(&guard::ErrorChain(error).to_string()).to_string());
        report
    }

    /// The report when the run is over and it has not come; `is_interrupted` by the user.
    pub(crate) fn given_up(&self, is_interrupted: bool, elapsed: Duration) -> MetadataReport {
        let told = self.assembly.report();
        let sized = || told.peers.iter().filter(|peer| peer.size.is_some());
        let status = if is_interrupted {
            MetadataStatus::Interrupted
        } else if told.wrong_hashes > 0 {
            MetadataStatus::WrongHash
        } else if sized().next().is_none() {
            MetadataStatus::NoPeerOffers
        } else if sized().all(|peer| peer.standing == Standing::TooLarge) {
            MetadataStatus::TooLarge
        } else {
            MetadataStatus::TimedOut
        };
        self.report(status, Some(elapsed))
    }

    fn report(&self, status: MetadataStatus, elapsed: Option<Duration>) -> MetadataReport {
        let told = self.assembly.report();
        let mut report = MetadataReport::new(status, told.complete.or(elapsed).unwrap_or_default());
        (report.size_bytes, report.pieces, report.wrong_hashes) = (told.size, told.received, told.wrong_hashes);
        (report.offered, report.asked, report.first_piece) = (told.offered, told.began, told.first_piece);
        report.peers = told.peers.iter().map(peer).collect();
        report
    }
}

fn peer(member: &Member<SocketAddr>) -> MetadataPeer {
    let mut peer = MetadataPeer::new(member.key, standing(member.standing));
    (peer.size_bytes, peer.pieces, peer.asked_us) = (member.size, member.pieces, member.asked_us);
    peer.introduced = member.offered;
    (peer.asked, peer.slowest) = (member.asked, member.slowest);
    peer.first_piece = member.answered.map(|(first, _)| first);
    peer.elapsed = member.asked.zip(member.answered).map(|(asked, (_, last))| last.saturating_sub(asked));
    peer
}

async fn parse(info: Bytes, link: Arc<Link>, parsers: Arc<Semaphore>) -> Result<Known, InfoError> {
    // Nothing closes it.
    let permit = parsers.acquire_owned().await.ok();
    let work = {
        let (info, link) = (info.clone(), Arc::clone(&link));
        // Held by the thread, which goes on when the run is gone.
        move || {
            let _permit = permit;
            Ok(link.read(info))
        }
    };
    match blocking(work).await {
        Ok(parsed) => parsed,
        // This machine starts no more threads.
        Err(_) => link.read(info),
    }
}

impl Link {
    fn read(&self, info: Bytes) -> Result<Known, InfoError> {
        let file = TorrentFile { trackers: &self.trackers, web_seeds: &self.web_seeds, ..TorrentFile::new(&info) };
        let torrent = Arc::new(file.torrent(&self.hashes)?);
        // What was parsed can be written.
        let bytes = self.needs_proof.then(|| file.write().ok()).flatten();
        let proof = bytes.and_then(|bytes| Proof::choose(&torrent, &bytes).ok().flatten());
        Ok(Known { info, torrent, proof, piece_layers: Arc::default() })
    }
}
