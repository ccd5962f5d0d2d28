//! The piece layer of one file, as peers are asked for it: in parts, each with its proof (BEP 52, `hash request`).

use crate::layers::{climb, merkle_root, padding_hash, parent};

/// The piece layer that one file should have: a hash for each of its pieces, whose merkle root is the file's `pieces root`.
///
/// libtorrent serves at most 8192 hashes at once and asks for 512; each answer is filled up to a power of two.
///
/// ```
/// # use metainfo::PieceLayer;
/// let layer = PieceLayer { root: [7; 32], pieces: 700, piece_length: 32768 };
/// assert_eq!((layer.base_layer(), layer.parts(), layer.hashes_of(1)), (1, 2, 512..700));
/// assert_eq!((layer.part_length(), layer.proof_layers()), (512, 9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PieceLayer {
    /// The file's `pieces root`.
    pub root: [u8; 32],
    /// The number of its pieces, of which it has several.
    pub pieces: u32,
    /// Bytes of a piece: a power of two, from 16 KiB on.
    pub piece_length: u32,
}

impl PieceLayer {
    /// BEP 52: "Length SHOULD NOT be greater than 512."
    const LONGEST_PART: u32 = 512;

    /// Bytes of its hashes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.pieces) * 32
    }

    /// The layer of the file's tree that it is, counted from the leaves, which are the hashes of 16 KiB.
    #[must_use]
    pub fn base_layer(&self) -> u32 {
        (self.piece_length >> 14).max(1).ilog2()
    }

    /// The number of its parts.
    #[must_use]
    pub fn parts(&self) -> u32 {
        self.pieces.div_ceil(self.part_length())
    }

    /// Hashes in each part, those beyond the end of the file included.
    #[must_use]
    pub fn part_length(&self) -> u32 {
        Self::LONGEST_PART.min(self.width())
    }

    /// The places of the hashes that a part has, without those beyond the end of the file.
    #[must_use]
    pub fn hashes_of(&self, part: u32) -> std::ops::Range<u32> {
        let at = |part: u32| part.saturating_mul(self.part_length()).min(self.pieces);
        at(part)..at(part.saturating_add(1))
    }

    /// The layers of ancestors to ask for, so that a part comes with its proof; 0 where the part is the whole layer. Counted from the
    /// [base layer](Self::base_layer): of the first ones nothing is sent, because they follow from the part itself.
    #[must_use]
    pub fn proof_layers(&self) -> u32 {
        if self.parts() > 1 { self.height() - 1 } else { 0 }
    }

    /// The hashes of a part, if an answer has them and they lead to the file's root: those of the part, with or without the ones
    /// beyond the end of the file, then an uncle for each layer up to the root.
    #[must_use]
    pub fn check(&self, part: u32, answer: &[u8]) -> Option<Vec<[u8; 32]>> {
        let (hashes, rest) = answer.as_chunks::<32>();
        let levels = self.part_length().ilog2();
        let uncles = (self.height() - levels) as usize;
        let (length, wanted) = (self.part_length() as usize, self.hashes_of(part).len());
        let given = hashes.len().checked_sub(uncles).filter(|given| [length, wanted].contains(given))?;
        let (own, uncles) = (hashes.get(..wanted)?, hashes.get(given..)?);
        let mut hash = climb(own.to_vec(), padding_hash(self.piece_length), levels)?;
        for (level, uncle) in uncles.iter().enumerate() {
            let is_right = part >> level & 1 == 1;
            hash = if is_right { parent(uncle, &hash) } else { parent(&hash, uncle) };
        }
        (rest.is_empty() && hash == self.root).then(|| own.to_vec())
    }

    /// Whether these are its hashes, all of them.
    #[must_use]
    pub fn is(&self, hashes: &[[u8; 32]]) -> bool {
        let is_whole = hashes.len() as u64 == u64::from(self.pieces);
        is_whole && merkle_root(hashes.to_vec(), padding_hash(self.piece_length)) == Some(self.root)
    }

    /// Hashes in the layer, those beyond the end of the file included.
    fn width(&self) -> u32 {
        // As many as a torrent has, and more, to stay clear of an overflow.
        self.pieces.clamp(2, 1 << 30).next_power_of_two()
    }

    /// The layers from this one up to the root.
    fn height(&self) -> u32 {
        self.width().ilog2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: u32 = 32768;

    fn hashes(pieces: u32) -> Vec<[u8; 32]> {
        (0..pieces).map(|at| parent(&[1; 32], &[at.to_le_bytes(); 8].concat().try_into().unwrap())).collect()
    }

    /// What libtorrent answers, by the definition: all layers of the whole tree.
    fn answer(layer: &PieceLayer, hashes: &[[u8; 32]], part: u32) -> Vec<[u8; 32]> {
        let mut row = hashes.to_vec();
        row.resize(layer.width() as usize, padding_hash(PIECE));
        let (length, mut at) = (layer.part_length() as usize, part as usize);
        let mut told = row[at * length..][..length].to_vec();
        let mut width = 1;
        while row.len() > 1 {
            if width >= length {
                told.push(row[at ^ 1]);
                at /= 2;
            }
            row = row.chunks(2).map(|pair| parent(&pair[0], &pair[1])).collect();
            width *= 2;
        }
        told
    }

    #[test]
    fn parts_are_asked_for_as_libtorrent_answers() {
        for (pieces, piece_length, base, parts, length, proof) in [
            (2, 16384, 0, 1, 2, 0),
            (3, 32768, 1, 1, 4, 0),
            (512, 65536, 2, 1, 512, 0),
            (513, 1 << 20, 6, 2, 512, 9),
            (1024, 1 << 20, 6, 2, 512, 9),
            (1025, 1 << 20, 6, 3, 512, 10),
            (1 << 21, 16384, 0, 4096, 512, 20),
        ] {
            let layer = PieceLayer { root: [0; 32], pieces, piece_length };
            let found = (layer.base_layer(), layer.parts(), layer.part_length(), layer.proof_layers());
            assert_eq!(found, (base, parts, length, proof), "{pieces}");
            let counted: usize = (0..parts).map(|part| layer.hashes_of(part).len()).sum();
            assert_eq!((counted, layer.hashes_of(parts).len()), (pieces as usize, 0));
        }
    }

    #[test]
    fn each_part_is_checked_alone() {
        for pieces in [2, 3, 511, 512, 513, 700, 1025, 2049] {
            let all = hashes(pieces);
            let root = merkle_root(all.clone(), padding_hash(PIECE)).unwrap();
            let layer = PieceLayer { root, pieces, piece_length: PIECE };
            assert!(layer.is(&all) && !layer.is(&all[1..]));
            for part in 0..layer.parts() {
                let own = &all[layer.hashes_of(part).start as usize..layer.hashes_of(part).end as usize];
                let whole = answer(&layer, &all, part);
                assert_eq!(layer.check(part, whole.as_flattened()).as_deref(), Some(own), "{pieces} {part}");
                // BEP 52: the length may be "truncated by the end of the layer".
                let cut = [own, &whole[layer.part_length() as usize..]].concat();
                assert_eq!(layer.check(part, cut.as_flattened()).as_deref(), Some(own));
                for spoilt in [0, own.len() - 1, whole.len() - 1] {
                    let mut wrong = whole.clone();
                    wrong[spoilt][31] ^= 1;
                    // What is beyond the end of the file is known, and not read.
                    let is_read = spoilt < own.len() || spoilt >= layer.part_length() as usize;
                    assert_eq!(layer.check(part, wrong.as_flattened()).is_none(), is_read, "{pieces} {part} {spoilt}");
                }
                let bytes = whole.as_flattened();
                assert_eq!(layer.check(part, &bytes[1..]), None);
                let is_cut = layer.parts() == 1 && own.len() + 1 == whole.len();
                assert_eq!(layer.check(part, &bytes[..bytes.len() - 32]).is_some(), is_cut);
                assert_eq!(layer.check(part + 1, bytes), None);
            }
        }
    }

    #[test]
    fn no_answer_panics() {
        for (pieces, piece_length) in [(0, 0), (1, 1), (2, u32::MAX), (u32::MAX, 16384), (1000, 16384)] {
            let layer = PieceLayer { root: [0; 32], pieces, piece_length };
            for part in [0, 1, 7, u32::MAX] {
                for length in [0, 1, 32, 64, 512 * 32, 544 * 32] {
                    assert_eq!(layer.check(part, &vec![0; length]), None);
                }
            }
        }
    }
}
