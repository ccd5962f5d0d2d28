//! Where a torrent comes from: a file, standard input, a magnet link, an info-hash.

use crate::room;
use crate::shown::without_secrets;
use guard::escape;
use ids::InfoHash;
use metainfo::{Hashes, Magnet};
use std::path::PathBuf;

/// Where a torrent is to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    File(PathBuf),
    /// With what has been read of it.
    Stdin(Vec<u8>),
    Magnet(String),
    Hash(Hashes),
}

impl Origin {
    /// The torrent alone, without the peers that a magnet link names beside it.
    pub(crate) fn without_peers(self) -> Self {
        match &self {
            Self::Magnet(link) => Magnet::parse(link).map_or(self, |magnet| Self::Hash(magnet.hashes)),
            _ => self,
        }
    }

    /// How the user called it, safe to show.
    pub(crate) fn shown(&self) -> String {
        escape(&self.given()).to_string()
    }

    /// How the user called it, without a secret.
    pub(crate) fn given(&self) -> String {
        match self {
            // A URL or a link in its place may hold a passkey.
            Self::File(path) => without_secrets(&path.to_string_lossy()),
            Self::Stdin(_) => "standard input".to_owned(),
            // The trackers in it may hold passkeys, and it is long.
            Self::Magnet(link) => match Magnet::parse(link) {
                Ok(magnet) => magnet.hashes.primary().to_string(),
                Err(_) => "magnet link".to_owned(),
            },
            Self::Hash(hashes) => hashes.primary().to_string(),
        }
    }

    /// The info-hash, where that is known without reading.
    pub(crate) fn info_hash(&self) -> Option<InfoHash> {
        match self {
            Self::File(_) | Self::Stdin(_) => None,
            Self::Magnet(link) => Magnet::parse(link).ok().map(|magnet| magnet.hashes.primary()),
            Self::Hash(hashes) => Some(hashes.primary()),
        }
    }

    /// How many bytes there may be to be read.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::File(path) => room::length(path),
            Self::Stdin(_) => u64::MAX,
            Self::Magnet(_) | Self::Hash(_) => 0,
        }
    }
}
