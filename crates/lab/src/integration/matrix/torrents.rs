//! The torrents of the matrix, one for each kind of swarm, and their payloads.

use std::fs::{File, remove_file};
use std::path::Path;

use xtask::shell::Result;

use crate::integration::torrents::{Maker, Torrent};
use crate::payload;

/// Pieces of each torrent.
pub(super) const PIECES: u32 = 10;

/// Bytes of a piece of a torrent that mktorrent makes.
const PIECE_LENGTH: u64 = 32 << 10;

/// What a torrent is, and who is in its swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of version 1; seeds.
    V1,
    /// Of version 2 alone (BEP 52); seeds.
    V2,
    /// Of both versions; seeds, of which some know one version only.
    Hybrid,
    /// Of version 1, with metadata of three pieces and a tracker that refuses; seeds.
    Long,
    /// The same of 64 pieces.
    Longest,
    /// Of version 1, private, with a tracker that refuses; seeds.
    Private,
    /// Of version 1; no client has all of it.
    Partial,
    /// Of version 1; its seed hides what it has (BEP 16).
    Hidden,
    /// Of version 1; no client has it.
    Unknown,
}

impl Kind {
    /// All kinds.
    const ALL: [Self; 9] = [
        Self::V1,
        Self::V2,
        Self::Hybrid,
        Self::Long,
        Self::Longest,
        Self::Private,
        Self::Partial,
        Self::Hidden,
        Self::Unknown,
    ];

    /// The files of its payload, in the torrent's order, with their sizes in bytes. No two sizes are the same, so no two
    /// payloads are.
    fn files(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::V1 => &[("v1.bin", 300_000)],
            Self::V2 => &[("v2.bin", 150_000)],
            Self::Hybrid => &[("hybrid.bin", 150_002)],
            Self::Long => &[("long.bin", 300_006)],
            Self::Longest => &[("longest.bin", 300_008)],
            Self::Private => &[("private.bin", 300_010)],
            // The first file fills five pieces.
            Self::Partial => &[("partial/first.bin", 163_840), ("partial/last.bin", 150_004)],
            Self::Hidden => &[("hidden.bin", 300_002)],
            Self::Unknown => &[("unknown.bin", 300_004)],
        }
    }

    /// The payload's name: that of its file or its folder.
    pub(super) fn payload(self) -> &'static str {
        let first = self.files().first().map_or("", |(name, _)| name);
        first.split('/').next().unwrap_or(first)
    }

    /// Writes the payload below a folder, as far as so many pieces go.
    pub(super) fn write(self, folder: &Path, pieces: u32) -> Result {
        payload::write_files(folder, self.files())?;
        let mut left = u64::from(pieces) * PIECE_LENGTH;
        for (name, size) in self.files().iter().filter(|_| pieces < PIECES) {
            let (path, size) = (folder.join(name), u64::try_from(*size).unwrap_or(u64::MAX));
            let cut = if left == 0 {
                remove_file(&path)
            } else {
                File::options().write(true).open(&path).and_then(|file| file.set_len(size.min(left)))
            };
            cut.map_err(|error| format!("cannot cut {}: {error}", path.display()))?;
            left = left.saturating_sub(size);
        }
        Ok(())
    }
}

/// The torrents by their kind.
pub(super) struct Torrents(Vec<(Kind, Torrent)>);

impl Torrents {
    /// Writes the payloads and makes a torrent of each, with real programs.
    pub(super) fn make(folder: &Path, announce: &str) -> Result<Self> {
        let maker = Maker { folder, announce };
        let made = Kind::ALL.into_iter().map(|kind| {
            kind.write(folder, PIECES)?;
            let torrent = match kind {
                Kind::V2 => maker.libtorrent("v2", kind.payload()),
                Kind::Hybrid => maker.libtorrent("hybrid", kind.payload()),
                Kind::Long => maker.padded("long", kind.payload(), 40_000),
                Kind::Longest => maker.padded("longest", kind.payload(), (1 << 20) - 1000),
                Kind::Private => maker.private("private", kind.payload()),
                _ => maker.mktorrent(kind.payload(), kind.payload()),
            };
            Ok((kind, torrent?))
        });
        Ok(Self(made.collect::<Result<_>>()?))
    }

    /// The one of a kind.
    pub(super) fn of(&self, kind: Kind) -> Result<&Torrent> {
        let found = self.0.iter().find(|(known, _)| *known == kind);
        found.map(|(_, torrent)| torrent).ok_or_else(|| format!("no torrent is {kind:?}"))
    }

    /// All info-hashes of those that a client has.
    pub(super) fn hashes(&self) -> impl Iterator<Item = &str> {
        let known = self.0.iter().filter(|(kind, _)| *kind != Kind::Unknown);
        known.flat_map(|(_, torrent)| torrent.hashes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_have_as_many_pieces_and_no_payload_is_like_another() {
        let mut sizes = BTreeSet::new();
        for kind in Kind::ALL {
            let total: usize = kind.files().iter().map(|(_, size)| size).sum();
            let length = if matches!(kind, Kind::V2 | Kind::Hybrid) { 16 << 10 } else { 32 << 10 };
            assert_eq!(total.div_ceil(length), PIECES as usize, "{kind:?}");
            assert!(kind.files().iter().all(|(_, size)| sizes.insert(size | 1)), "{kind:?}");
        }
    }

    #[test]
    fn a_payload_is_cut_at_a_piece() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-cut-{}", std::process::id()));
        let size = |name: &str| std::fs::metadata(folder.join("partial").join(name)).map_or(0, |data| data.len());
        for (pieces, first, last) in [(0, 0, 0), (4, 131_072, 0), (9, 163_840, 131_072), (10, 163_840, 150_004)] {
            Kind::Partial.write(&folder, pieces).unwrap();
            assert_eq!((size("first.bin"), size("last.bin")), (first, last), "{pieces}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
