//! Checks the `piece layers` of a v2 torrent: the hashes of each file's pieces must have the file's `pieces root` as their
//! merkle root (BEP 52).

use crate::diagnostic::Diagnostics;
use crate::error::{Error, Problem};
use crate::file_list::Files;
use crate::files::{BLOCK_BYTES, Layout};
use bencode::{Dict, Kind};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

type Hash = [u8; 32];

/// The piece layers of a v2 torrent: for the `pieces root` of each file of several pieces, a hash for each of its pieces (BEP 52).
pub type PieceLayers = BTreeMap<[u8; 32], Vec<[u8; 32]>>;

/// The layers that a file should have: the root of each file of several pieces, and their number.
pub(crate) fn expected(files: &Files, piece_length: u32) -> Vec<(Hash, u32)> {
    Expected::of(files, piece_length).pieces
}

/// Checks all layers in the file. BEP 52 requires one for each file of several pieces; libtorrent can fetch them from peers
/// and accepts a torrent without, so a missing one is a diagnostic.
pub(crate) fn check(
    root: Dict<'_>,
    layout: &Layout,
    piece_length: u32,
    diagnostics: &mut Diagnostics,
) -> Result<(), Error> {
    let mut pieces_of = Expected::of(&layout.files, piece_length);
    let Some(value) = root.get(b"piece layers") else {
        if !pieces_of.is_empty() {
            diagnostics.ignored(|| "piece layers".to_owned(), Problem::MISSING, root.value().offset());
        }
        return Ok(());
    };
    let Some(layers) = value.as_dict() else {
        let problem = Problem::mistyped(value, Kind::Dict);
        diagnostics.ignored(|| "piece layers".to_owned(), problem, value.offset());
        return Ok(());
    };
    let padding = padding_hash(piece_length);
    for (key, value) in layers {
        let problem = |problem| Error::field(format!("piece layers.{}", ids::Hex(key)), problem, value.offset());
        let mistyped = Problem::mistyped(value, Kind::String);
        let layer = value.as_bytes().ok_or_else(|| problem(mistyped))?;
        let root = Hash::try_from(key).map_err(|_| problem(Problem::NotARoot))?;
        // Removed from the list, so that a second layer for the same root is unknown.
        let pieces = pieces_of.take(&root).ok_or_else(|| problem(Problem::UnknownLayer))?;
        let (hashes, rest) = layer.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() as u64 != pieces {
            return Err(problem(Problem::LayerLength { expected: pieces, found: layer.len() }));
        }
        if merkle_root(hashes.to_vec(), padding) != Some(root) {
            return Err(problem(Problem::WrongLayer));
        }
    }
    if !pieces_of.is_empty() {
        diagnostics.ignored(|| "piece layers".to_owned(), Problem::MISSING, value.offset());
    }
    Ok(())
}

/// The files of several pieces, by their `pieces root`.
struct Expected {
    /// Sorted roots with the number of pieces, 0 once the layer was found.
    pieces: Vec<(Hash, u32)>,
    left: usize,
}

impl Expected {
    /// Files with the same content have the same root; the first is used.
    fn of(files: &Files, piece_length: u32) -> Self {
        let piece_length = u64::from(piece_length);
        let (mut walk, mut pieces) = (files.walk(), Vec::new());
        while let Some(step) = walk.next() {
            let count = u32::try_from(step.length.div_ceil(piece_length)).unwrap_or(u32::MAX);
            pieces.extend(walk.root(step).filter(|_| count > 1).map(|root| (root, count)));
        }
        pieces.sort_by_key(|&(root, _)| root);
        pieces.dedup_by_key(|&mut (root, _)| root);
        Self { left: pieces.len(), pieces }
    }

    /// The number of pieces of the file with this root; `None` if it was taken before.
    fn take(&mut self, root: &Hash) -> Option<u64> {
        let place = self.pieces.binary_search_by_key(&root, |(root, _)| root).ok()?;
        let (_, count) = self.pieces.get_mut(place)?;
        let count = std::mem::take(count);
        self.left -= usize::from(count > 0);
        (count > 0).then_some(count.into())
    }

    fn is_empty(&self) -> bool {
        self.left == 0
    }
}

/// The root of the tree of a piece beyond the end of the file. BEP 52: "the remaining leaf hashes beyond the end of the file required to
/// construct upper layers of the merkle tree are set to zero".
pub(crate) fn padding_hash(piece_length: u32) -> Hash {
    let mut hash = [0; 32];
    let mut covered = BLOCK_BYTES;
    while covered < i64::from(piece_length) {
        hash = parent(&hash, &hash);
        covered *= 2;
    }
    hash
}

/// The root of the tree over this layer, extended with `padding` to a power of two.
pub(crate) fn merkle_root(layer: Vec<Hash>, padding: Hash) -> Option<Hash> {
    let levels = layer.len().next_power_of_two().ilog2();
    climb(layer, padding, levels)
}

/// The first hash so many levels above this layer, which is extended with `padding`.
pub(crate) fn climb(mut layer: Vec<Hash>, mut padding: Hash, levels: u32) -> Option<Hash> {
    for _ in 0..levels {
        // Only the last pair can be incomplete: further pairs would be padding on both sides.
        layer = layer
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => parent(left, right),
                [left, ..] => parent(left, &padding),
                [] => padding,
            })
            .collect();
        padding = parent(&padding, &padding);
    }
    layer.first().copied()
}

pub(crate) fn parent(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_list::File;
    use crate::files::LayoutWriter;
    use bencode::{Document, Limits};

    const PIECE: u32 = 32768;

    /// The definition: a full tree over the pieces and padding.
    fn full_tree(pieces: &[Hash]) -> Hash {
        let mut layer = pieces.to_vec();
        layer.resize(pieces.len().next_power_of_two(), parent(&[0; 32], &[0; 32]));
        while layer.len() > 1 {
            layer = layer.chunks(2).map(|pair| parent(&pair[0], &pair[1])).collect();
        }
        layer[0]
    }

    fn checked(pieces: u64, root: Hash, layers: &[(&[u8], &[u8])]) -> Result<usize, String> {
        let file = File { length: pieces * u64::from(PIECE), pieces_root: Some(root), ..File::default() };
        let mut layout = LayoutWriter::default();
        layout.push(&file, String::new, 0).unwrap();
        let layout = layout.finish(true);
        let mut bytes = b"d12:piece layersd".to_vec();
        for (key, value) in layers {
            for part in [key, value] {
                bytes.extend_from_slice(format!("{}:", part.len()).as_bytes());
                bytes.extend_from_slice(part);
            }
        }
        bytes.extend_from_slice(b"ee");
        let document = Document::parse_lenient(&bytes, Limits::TORRENT).unwrap();
        let mut diagnostics = Diagnostics::default();
        check(document.root().as_dict().unwrap(), &layout, PIECE, &mut diagnostics)
            .map(|()| diagnostics.total())
            .map_err(|error| error.to_string().split_once(": ").unwrap().1.to_owned())
    }

    #[test]
    fn a_layer_with_another_merkle_root_is_refused() {
        for count in 2..20_u8 {
            let hashes: Vec<Hash> = (0..count).map(|number| [number; 32]).collect();
            let root = full_tree(&hashes);
            let layer = hashes.concat();
            assert_eq!(checked(u64::from(count), root, &[(&root, &layer)]), Ok(0));
            let mut wrong = layer.clone();
            wrong[3] ^= 1;
            let wrong = checked(u64::from(count), root, &[(&root, &wrong)]);
            assert!(wrong.unwrap_err().starts_with("the merkle root of the hashes is not the pieces root"));
        }
    }

    #[test]
    fn layers_of_no_file_are_refused_and_missing_ones_are_noted() {
        let hashes = [[1; 32], [2; 32]];
        let (root, layer) = (full_tree(&hashes), hashes.concat());
        let error = |layers: &[(&[u8], &[u8])]| checked(2, root, layers).unwrap_err();
        assert!(error(&[(&root, &layer[..63])]).starts_with("63 bytes of hashes for 2 pieces"));
        assert!(error(&[(&[9; 32], &layer)]).starts_with("a piece layer that belongs to no file"));
        assert!(error(&[(&root, &layer), (&root, &layer)]).starts_with("a piece layer that belongs to no file"));
        assert!(error(&[(b"short", &layer)]).starts_with("not a merkle root"));
        assert_eq!(checked(2, root, &[]), Ok(1));
        assert_eq!(checked(1, root, &[]), Ok(0));
    }
}
