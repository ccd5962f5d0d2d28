//! The hash of one piece, and its comparison with bytes that come one part after another.

use crate::files::BLOCK_BYTES;
use crate::layers::merkle_root;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::fmt;

/// Bytes of a block, the leaf of v2's merkle trees (BEP 52).
#[expect(clippy::cast_possible_truncation, reason = "16 KiB")]
pub(crate) const BLOCK: usize = BLOCK_BYTES as usize;

/// The hash of one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PieceHash {
    /// SHA-1 of the piece, which may span several files and the padding between them (BEP 3).
    V1([u8; 20]),
    /// The root of a merkle tree of SHA-256 (BEP 52). The piece is a part of one file, without padding.
    V2 {
        /// The root.
        root: [u8; 32],
        /// Leaves of the tree, a power of two: one for each block of 16 KiB, and zeros past the end of the file.
        leaves: u32,
    },
}

impl PieceHash {
    /// Whether this is the hash of `piece`, all of whose bytes are given. A piece of more blocks than the tree has leaves is
    /// never the right one.
    #[must_use]
    pub fn matches(&self, piece: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(piece);
        hasher.matches()
    }

    /// Compares a piece with this hash as its bytes come.
    #[must_use]
    pub fn hasher(&self) -> PieceHasher {
        PieceHasher(match *self {
            Self::V1(expected) => State::V1 { expected, sha1: Sha1::new() },
            Self::V2 { root, leaves } => State::V2(Leaves {
                root,
                most: leaves as usize,
                complete: Vec::new(),
                block: Sha256::new(),
                in_block: 0,
                too_long: false,
            }),
        })
    }
}

/// Compares a piece with its hash as the bytes come, in parts of any size. The bytes are not kept: of v1 it has the state of
/// SHA-1, of v2 32 bytes for each block of 16 KiB.
#[derive(Clone)]
pub struct PieceHasher(State);

#[derive(Clone)]
enum State {
    V1 { expected: [u8; 20], sha1: Sha1 },
    V2(Leaves),
}

/// The leaves of a v2 piece.
#[derive(Clone)]
struct Leaves {
    root: [u8; 32],
    /// Leaves of the tree.
    most: usize,
    /// The hashes of the blocks that are complete.
    complete: Vec<[u8; 32]>,
    block: Sha256,
    /// Bytes of the block that is not complete.
    in_block: usize,
    /// More came than the tree has leaves for.
    too_long: bool,
}

impl PieceHasher {
    /// Takes the next bytes of the piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::V1 { sha1, .. } => sha1.update(bytes),
            State::V2(leaves) => leaves.update(bytes),
        }
    }

    /// Whether all bytes that have come are the piece. One of more blocks than the tree has leaves never is.
    #[must_use]
    pub fn matches(self) -> bool {
        match self.0 {
            State::V1 { expected, sha1 } => expected == <[u8; 20]>::from(sha1.finalize()),
            State::V2(leaves) => leaves.matches(),
        }
    }
}

impl Leaves {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.too_long {
            // What does not fit is not hashed.
            self.too_long = self.complete.len() >= self.most;
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.in_block));
            self.block.update(now);
            self.in_block += now.len();
            bytes = later;
            if self.in_block == BLOCK {
                self.complete.push(self.block.finalize_reset().into());
                self.in_block = 0;
            }
        }
    }

    /// BEP 52: "the remaining leaf hashes beyond the end of the file [...] are set to zero".
    fn matches(mut self) -> bool {
        if self.too_long {
            return false;
        }
        if self.in_block > 0 {
            self.complete.push(self.block.finalize().into());
        }
        self.complete.resize(self.most, [0; 32]);
        merkle_root(self.complete, [0; 32]) == Some(self.root)
    }
}

/// Shows nothing of what has come.
impl fmt::Debug for PieceHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PieceHasher").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The hashes of a piece, made from the definitions alone: of v1, and of v2 in a tree of that number of leaves.
    fn hashes(piece: &[u8], leaves: usize) -> [PieceHash; 2] {
        let mut layer: Vec<[u8; 32]> = piece.chunks(BLOCK).map(|block| Sha256::digest(block).into()).collect();
        layer.resize(leaves, [0; 32]);
        while layer.len() > 1 {
            layer = layer.chunks(2).map(|pair| Sha256::digest(pair.concat()).into()).collect();
        }
        let leaves = u32::try_from(leaves).unwrap();
        [PieceHash::V1(Sha1::digest(piece).into()), PieceHash::V2 { root: layer[0], leaves }]
    }

    /// Whether the parts are the piece of this hash.
    fn in_parts<'p>(hash: PieceHash, parts: impl IntoIterator<Item = &'p [u8]>) -> bool {
        let mut hasher = hash.hasher();
        parts.into_iter().for_each(|part| hasher.update(part));
        hasher.matches()
    }

    #[test]
    fn pieces_of_any_length_are_told_from_shorter_and_longer_ones() {
        for (length, leaves) in [
            (1, 1),
            (BLOCK - 1, 1),
            (BLOCK, 1),
            (BLOCK + 1, 2),
            (2 * BLOCK, 2),
            // The last piece of a file: the tree has more leaves than it has blocks.
            (BLOCK, 4),
            (2 * BLOCK + 5, 4),
            (5, 16),
        ] {
            let piece: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let longer = [piece.as_slice(), &[0]].concat();
            let far_longer = [piece.as_slice(), &vec![0; leaves * BLOCK]].concat();
            for hash in hashes(&piece, leaves) {
                assert!(hash.matches(&piece) && in_parts(hash, piece.chunks(1000)), "{length}");
                for other in [&piece[1..], &piece[..length - 1], &longer, &far_longer, &[]] {
                    assert!(!hash.matches(other) && !in_parts(hash, other.chunks(1000)), "{length}, {}", other.len());
                }
            }
        }
    }

    #[test]
    fn a_piece_that_does_not_end_takes_no_more_memory_than_its_tree() {
        let PieceHasher(State::V2(mut leaves)) = (PieceHash::V2 { root: [0; 32], leaves: 2 }).hasher() else {
            panic!()
        };
        for _ in 0..100 {
            leaves.update(&[0; 3 * BLOCK]);
        }
        assert!(leaves.too_long && leaves.complete.len() <= 3);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_answer(
            length in 1..4 * BLOCK, parts in vec(prop_oneof![0..3_usize, BLOCK - 2..BLOCK + 2, 0..3 * BLOCK], 0..9),
            flip in proptest::option::of(any::<proptest::sample::Index>()),
        ) {
            let piece: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut sent = piece.clone();
            if let Some(flip) = flip {
                sent[flip.index(length)] ^= 1;
            }
            let (mut rest, mut split) = (sent.as_slice(), Vec::new());
            for part in parts {
                let (now, later) = rest.split_at(part.min(rest.len()));
                split.push(now);
                rest = later;
            }
            split.push(rest);
            for hash in hashes(&piece, 4) {
                prop_assert_eq!(in_parts(hash, split.iter().copied()), flip.is_none());
                prop_assert_eq!(hash.matches(&sent), flip.is_none());
            }
        }
    }
}
