//! The hashes of a torrent's pieces (BEP 3 `pieces`; BEP 52 `pieces root` and `piece layers`).

use crate::error::Error;
use crate::piece_hash::{BLOCK, PieceHash};
use crate::torrent::{HASH_BYTES, Torrent};
use crate::tree;
use crate::version::{document, open};
use bencode::{Dict, Value};

/// The hashes of a torrent's pieces, read on demand from the file's bytes.
///
/// A [`Torrent`] keeps none, so that many torrents need little memory. This keeps the file, in the form the caller chooses
/// (`&[u8]`, `Vec<u8>`, `Arc<[u8]>`), and 16 bytes for each file of a v2 torrent: no hash is copied. The largest, 2^21 pieces
/// of v1, have 40 MiB in a file of at most [`Torrent::MAX_BYTES`].
///
/// Pieces are numbered as in [`Torrent::pieces`] and on the wire, in a hybrid alike for both versions.
#[derive(Clone)]
pub struct PieceHashes<B> {
    file: B,
    pieces: u32,
    /// Offset of the v1 hashes.
    v1: Option<usize>,
    /// The files that have hashes, by their first piece.
    v2: Vec<FileHashes>,
}

/// Where the hashes of a file's pieces are.
#[derive(Clone, Copy)]
struct FileHashes {
    first: u32,
    pieces: u32,
    /// Leaves of the tree of each piece.
    leaves: u32,
    /// Offset of the first hash: its piece layer, or the `pieces root` of a file of one piece.
    at: usize,
}

impl<B: AsRef<[u8]>> PieceHashes<B> {
    /// Finds the hashes in a torrent file. It is read twice: once as [`Torrent::parse`] does, once to find the hashes.
    ///
    /// # Errors
    /// Those of [`Torrent::parse`].
    pub fn read(file: B) -> Result<Self, Error> {
        let bytes = file.as_ref();
        let torrent = Torrent::parse(bytes)?;
        let document = document(bytes)?;
        let (root, info, parts) = open(&document)?;
        let v1 = info.get(b"pieces").filter(|_| parts.has_v1()).and_then(content_offset);
        let v2 = if parts.has_v2() { files(&torrent, root, info) } else { Vec::new() };
        Ok(Self { pieces: torrent.pieces, v1, v2, file })
    }

    /// The hash of a piece, counted from zero: of v1 where the torrent has it, else of v2.
    #[must_use]
    pub fn get(&self, piece: u32) -> Option<PieceHash> {
        self.v1(piece).or_else(|| self.v2(piece))
    }

    /// The v1 hash of a piece; `None` if there is no such piece, and for a torrent without v1 hashes.
    #[must_use]
    pub fn v1(&self, piece: u32) -> Option<PieceHash> {
        if piece >= self.pieces {
            return None;
        }
        let hashes = self.file.as_ref().get(self.v1?..)?;
        hashes.get(piece as usize * HASH_BYTES..)?.first_chunk().copied().map(PieceHash::V1)
    }

    /// The v2 hash of a piece; `None` if there is no such piece, for a v1 torrent, and for a file whose piece layer is
    /// missing: it can be fetched from peers (BEP 52 `hash request`).
    #[must_use]
    pub fn v2(&self, piece: u32) -> Option<PieceHash> {
        let place = self.v2.partition_point(|file| file.first <= piece).checked_sub(1)?;
        let file = self.v2.get(place)?;
        let index = Some(piece - file.first).filter(|index| *index < file.pieces)?;
        let root = self.file.as_ref().get(file.at + index as usize * 32..)?.first_chunk().copied()?;
        Some(PieceHash::V2 { root, leaves: file.leaves })
    }
}

impl<B> std::fmt::Debug for PieceHashes<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PieceHashes").field("pieces", &self.pieces).finish_non_exhaustive()
    }
}

/// The v2 files that have hashes. The tree has the files of the torrent in the same order, without the padding.
fn files(torrent: &Torrent, root: Dict<'_>, info: Dict<'_>) -> Vec<FileHashes> {
    let layers = root.get(b"piece layers").and_then(Value::as_dict);
    let mut layers: Vec<_> = layers.into_iter().flatten().collect();
    layers.sort_unstable_by_key(|(root, _)| *root);
    let mut roots = Vec::new();
    if let Some(tree) = info.get(b"file tree").and_then(Value::as_dict) {
        tree::each_file(tree, |file| roots.push(file.as_dict().and_then(|file| file.get(b"pieces root"))));
    }
    let piece_length = u64::from(torrent.piece_length);
    let (mut walk, mut roots, mut first, mut found) = (torrent.files.walk(), roots.into_iter(), 0, Vec::new());
    while let Some(step) = walk.next() {
        if step.is_padding() {
            continue;
        }
        let root = roots.next().flatten();
        // At most 2^21 pieces altogether.
        let pieces = u32::try_from(step.length.div_ceil(piece_length)).unwrap_or_default();
        let leaves = step.length.min(piece_length).div_ceil(BLOCK as u64).next_power_of_two();
        let at = root.and_then(|root| if pieces > 1 { layer(&layers, root) } else { content_offset(root) });
        if let Some(at) = at.filter(|_| pieces > 0) {
            found.push(FileHashes { first, pieces, leaves: u32::try_from(leaves).unwrap_or_default(), at });
        }
        first += pieces;
    }
    found
}

/// The offset of the layer of a root.
fn layer(layers: &[(&[u8], Value<'_>)], root: Value<'_>) -> Option<usize> {
    let place = layers.binary_search_by_key(&root.as_bytes()?, |(root, _)| *root).ok()?;
    content_offset(layers.get(place)?.1)
}

/// The offset of a string's bytes, after its length.
fn content_offset(string: Value<'_>) -> Option<usize> {
    Some(string.offset() + string.raw().len() - string.as_bytes()?.len())
}
