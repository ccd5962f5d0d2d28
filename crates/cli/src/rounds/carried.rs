//! What a run takes over from the one before about the same torrent.

use crate::input::{Contents, Input, InputError};
use crate::origin::Origin;
use client::{Config, Membership, Shared, TorrentRef, TrackerReport};
use metainfo::Hashes;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// Bytes of a list of files that is kept from one round to the next; a torrent with a longer one is read anew. Most torrents are one
/// file, and a thousand with lists of that length are 16 MB.
const LIST_BYTES: usize = 16 << 10;

/// What is taken over: the torrent if its file is as it was, and what the process is to its trackers.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    read: Option<(Option<Stamp>, Input)>,
    membership: Option<(Hashes, Membership)>,
    /// A torrent that is not asked about, as its metadata says that it is private.
    refused: Option<Hashes>,
}

/// What a file is known by without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
    inode: u64,
}

impl Stamp {
    /// That of a file, now; `None` of what is no file.
    fn of(origin: &Origin) -> Option<Self> {
        let Origin::File(path) = origin else { return None };
        Self::of_file(path)
    }

    fn of_file(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok()?, length: metadata.len(), inode: metadata.ino() })
    }
}

impl Carried {
    /// The torrent, read anew only if its file has changed.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn input(&mut self, origin: &Origin, config: &Config) -> Result<Input, InputError> {
        let stamp = Stamp::of(origin);
        match self.read.take() {
            // What is gone, or cannot be looked at, is told by reading it.
            Some((before, input)) if before == stamp && (stamp.is_some() || !matches!(origin, Origin::File(_))) => {
                Ok(input)
            }
            _ => origin.read(config).await,
        }
    }

    /// Keeps the torrent for the next run, unless it is large; what peers gave of a link is not asked for again.
    pub(crate) fn keep(&mut self, origin: &Origin, mut input: Input) {
        let is_learned = matches!(origin, Origin::Magnet(_) | Origin::Hash(_));
        if let (true, Contents::Torrent(torrent)) = (is_learned, &input.contents) {
            input.torrent_ref.content = TorrentRef::from(&**torrent).content;
        }
        let content = input.torrent_ref.content.as_ref().map_or(0, |content| content.files.memory());
        let listed = input.torrent().map_or(0, |torrent| torrent.files.memory());
        if content.max(listed) <= LIST_BYTES {
            self.read = Some((Stamp::of(origin), input));
        }
    }

    /// What the process is to the trackers of this torrent. The file may have become that of another: then it takes leave of the one
    /// before, with the goodbyes that could not be sent.
    pub(crate) async fn membership(
        &mut self,
        hashes: Hashes,
        config: &Config,
        shared: &Shared,
    ) -> (Membership, Vec<TrackerReport>) {
        match self.membership.take() {
            Some((before, membership)) if before == hashes => (membership, Vec::new()),
            Some((_, membership)) => (Membership::default(), membership.leave(config, shared).await),
            None => (Membership::default(), Vec::new()),
        }
    }

    /// Notes that a torrent is private, and not to be asked about again (BEP 27).
    pub(crate) fn refuse(&mut self, hashes: Hashes) {
        self.refused = Some(hashes);
    }

    /// Whether a run has found this torrent private.
    pub(crate) fn is_refused(&self, hashes: &Hashes) -> bool {
        self.refused.as_ref() == Some(hashes)
    }

    /// Keeps what the process is to the torrent's trackers.
    pub(crate) fn pause(&mut self, hashes: Hashes, membership: Membership) {
        self.membership = Some((hashes, membership));
    }

    /// What is left to take leave of.
    pub(crate) fn into_membership(self) -> Option<(Hashes, Membership)> {
        self.membership
    }

    /// How long until a tracker may be announced to again; `None` where none has been announced to.
    pub(crate) fn next_announce(&self) -> Option<std::time::Duration> {
        self.membership.as_ref().and_then(|(_, membership)| membership.next_announce())
    }
}
