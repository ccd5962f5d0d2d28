//! The torrent that a run is about, or what a magnet link or an info-hash says of one.

use crate::origin::Origin;
use client::{Config, Error, Sources, TorrentRef};
use client::{read_torrent, read_torrent_and_proof, read_torrent_and_proof_from, read_torrent_from};
use guard::Secrets;
use ids::InfoHash;
use metainfo::{Details, Diagnostics, Magnet, MagnetError, Torrent};
use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// A torrent, or what is known of it, and how the user called it.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// As it was given, without secrets; not escaped.
    pub(crate) given: Arc<str>,
    /// What runs are about.
    pub(crate) torrent_ref: TorrentRef,
    pub(crate) contents: Contents,
    /// What no text of its own may show.
    pub(crate) secrets: Secrets,
}

/// What it was read from, as far as that says more.
#[derive(Clone, Debug)]
pub(crate) enum Contents {
    Torrent(Arc<Torrent>),
    Magnet(Arc<Magnet>),
    Hash,
}

impl Input {
    /// The info-hash that each line of a report names.
    pub(crate) fn info_hash(&self) -> InfoHash {
        self.torrent_ref.hashes.primary()
    }

    /// Takes in the torrent that its link turned out to be; its trackers and web seeds stay those of the link.
    pub(crate) fn learn(&mut self, torrent: &Arc<Torrent>) {
        self.torrent_ref.total_size = Some(torrent.content_size());
        self.torrent_ref.pieces = Some(torrent.pieces);
        self.torrent_ref.private = Some(torrent.private);
        self.contents = Contents::Torrent(Arc::clone(torrent));
    }

    /// Refuses a private torrent where the DHT alone is to be asked, whatever the user allows (BEP 27).
    pub(crate) fn check_for_dht(&self, config: &Config) -> Result<(), InputError> {
        let is_dht_alone = config.sources == Sources::NONE.with_dht(true) && config.peers.is_empty();
        if is_dht_alone && self.torrent_ref.private == Some(true) { Err(InputError::PrivateInDht) } else { Ok(()) }
    }

    /// All of the torrent; `None` of a magnet link and an info-hash.
    pub(crate) fn torrent(&self) -> Option<&Torrent> {
        if let Contents::Torrent(torrent) = &self.contents { Some(torrent) } else { None }
    }

    /// The torrent with its files, if they are known.
    pub(crate) fn listing(&self) -> Option<&Torrent> {
        self.torrent().filter(|torrent| torrent.files.memory() > 0)
    }

    /// The name it gives itself; any bytes.
    pub(crate) fn name(&self) -> Option<Vec<u8>> {
        match &self.contents {
            Contents::Torrent(torrent) => Some(self.text(&torrent.name)),
            Contents::Magnet(magnet) => magnet.name.as_deref().map(|name| self.text(name.as_bytes())),
            Contents::Hash => None,
        }
    }

    /// Text that it says, in UTF-8 as far as it can be read, without secrets. Every text of a torrent or a link that is shown
    /// goes through here or [`path`](Self::path).
    pub(crate) fn text(&self, said: &[u8]) -> Vec<u8> {
        let said = self.torrent().map_or(Cow::Borrowed(said), |torrent| torrent.readable(said));
        self.secrets.conceal_bytes(&said).into_owned()
    }

    /// A path in it, as [`text`](Self::text).
    pub(crate) fn path(&self, elements: &[&[u8]]) -> Vec<u8> {
        let path = self.torrent().map(|torrent| torrent.readable_path(elements)).unwrap_or_default();
        self.secrets.conceal_bytes(&path).into_owned()
    }

    /// Its trackers by tier (BEP 12), as written. In a magnet link there are none of these, and each is one.
    pub(crate) fn tiers(&self) -> Vec<Vec<&str>> {
        match &self.contents {
            Contents::Torrent(torrent) => {
                torrent.trackers.iter().map(|tier| tier.iter().map(|tracker| tracker.url.as_str()).collect()).collect()
            }
            Contents::Magnet(_) | Contents::Hash => {
                self.torrent_ref.trackers.iter().map(|url| vec![url.as_str()]).collect()
            }
        }
    }
}

/// Why there is no torrent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error(transparent)]
    Run(#[from] Error),
    #[error("private torrent")]
    PrivateInDht,
    #[error("the torrent may be private")]
    MayBePrivateInDht,
    #[error("{}", if *.0 == MagnetError::NotAMagnet { "not a magnet link" } else { "unusable magnet link" })]
    Magnet(#[from] MagnetError),
}

impl Origin {
    /// Reads it within the deadline, for a run: what only [`Origin::read_whole`] needs is gone.
    pub(crate) async fn read(&self, config: &Config) -> Result<Input, InputError> {
        let mut input = self.read_whole(config).await?;
        if let Contents::Torrent(torrent) = &mut input.contents {
            lighten(Arc::make_mut(torrent));
        }
        Ok(input)
    }

    /// The info-hash, for which all of it is read; of what cannot be read, or only once, none. Standard input is kept.
    pub(crate) async fn read_ahead(&mut self, config: &Config) -> Option<InfoHash> {
        match self {
            Self::Stdin(begun) => {
                let mut rest = std::io::stdin().take(Torrent::MAX_BYTES as u64);
                rest.read_to_end(begun).ok()?;
            }
            Self::File(path) if !path.is_file() => return None,
            _ => {}
        }
        self.read_whole(config).await.ok().map(|input| input.info_hash())
    }

    /// Reads all of it, within the deadline.
    pub(crate) async fn read_whole(&self, config: &Config) -> Result<Input, InputError> {
        let (limit, proof) = (config.deadline, config.web_seed_proof);
        let (torrent, proof) = match self {
            Self::Magnet(link) => {
                let magnet = Magnet::parse(link)?;
                return Ok(self.input(TorrentRef::from(&magnet), Contents::Magnet(Arc::new(magnet)), config));
            }
            Self::Hash(hashes) => return Ok(self.input(TorrentRef::from(*hashes), Contents::Hash, config)),
            Self::File(path) if proof => read_torrent_and_proof(path, limit).await?,
            Self::Stdin(begun) if proof => read_torrent_and_proof_from(rest_of_stdin(begun), limit).await?,
            Self::File(path) => (read_torrent(path, limit).await?, None),
            Self::Stdin(begun) => (read_torrent_from(rest_of_stdin(begun), limit).await?, None),
        };
        let torrent_ref = TorrentRef::from(&torrent).with_proof(proof);
        Ok(self.input(torrent_ref, Contents::Torrent(Arc::new(torrent)), config))
    }

    fn input(&self, torrent_ref: TorrentRef, contents: Contents, config: &Config) -> Input {
        Input { given: self.given().into(), secrets: config.secrets(&torrent_ref), torrent_ref, contents }
    }
}

/// Standard input from its beginning, which has been read.
fn rest_of_stdin(begun: &[u8]) -> impl Read + Send + 'static {
    Cursor::new(begun.to_vec()).chain(std::io::stdin())
}

/// Bytes of a list of files that a run keeps, to name those that cannot be completed: some 200,000 files.
const LIST_BYTES: usize = 8 << 20;
/// Bytes of a torrent's name that a run keeps: no file system takes as many.
const NAME_BYTES: usize = 4 << 10;

/// Leaves of a torrent what is told in a run: its name, its counts, the files that may lack pieces.
fn lighten(torrent: &mut Torrent) {
    torrent.name.truncate(NAME_BYTES);
    torrent.name.shrink_to_fit();
    if torrent.files.memory() > LIST_BYTES {
        torrent.files.forget();
    }
    torrent.trackers = Vec::new();
    let encoding = torrent.details.encoding;
    torrent.details = Details::default();
    torrent.details.encoding = encoding;
    torrent.diagnostics = Diagnostics::default();
}
