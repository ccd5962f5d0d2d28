//! The pieces that a peer has (BEP 3).

/// One bit for each piece of a torrent (BEP 3). Spare bits are never set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitfield {
    bytes: Box<[u8]>,
    pieces: u32,
}

/// Why bytes are not the bitfield of a torrent, or a piece is not one of its pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BitfieldError {
    /// A wrong number of bytes for the number of pieces.
    #[error("bitfield of {found} bytes, expected {expected} for {pieces} pieces")]
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
        /// Pieces of the torrent.
        pieces: u32,
    },
    /// A bit after the last piece is set.
    #[error("bitfield with bits set past the last of {pieces} pieces")]
    SpareBits {
        /// Pieces of the torrent.
        pieces: u32,
    },
    /// A piece the torrent does not have.
    #[error("piece {piece} of a torrent with {pieces} pieces")]
    NoSuchPiece {
        /// The piece, counted from zero.
        piece: u32,
        /// Pieces of the torrent.
        pieces: u32,
    },
}

impl Bitfield {
    /// The length in bytes of a bitfield for this number of pieces.
    #[must_use]
    pub fn length_for(pieces: u32) -> usize {
        pieces.div_ceil(8) as usize
    }

    /// From the payload of a `bitfield` message. The bytes are copied, so that the receive buffer can be freed.
    ///
    /// # Errors
    /// A wrong length, or a spare bit that is set.
    pub fn new(bytes: &[u8], pieces: u32) -> Result<Self, BitfieldError> {
        match Self::new_lenient(bytes, pieces)? {
            (bitfield, false) => Ok(bitfield),
            // BEP 3: "Spare bits at the end are set to zero."
            (_, true) => Err(BitfieldError::SpareBits { pieces }),
        }
    }

    /// As [`new`](Self::new), but clears spare bits, as libtorrent does, and returns whether any was set.
    ///
    /// # Errors
    /// A wrong length.
    pub fn new_lenient(bytes: &[u8], pieces: u32) -> Result<(Self, bool), BitfieldError> {
        let expected = Self::length_for(pieces);
        if bytes.len() != expected {
            return Err(BitfieldError::Length { found: bytes.len(), expected, pieces });
        }
        let mut bytes: Box<[u8]> = bytes.into();
        let spare = bytes.last_mut().map_or(0, |last| {
            let spare = *last & spare_bits(pieces);
            *last &= !spare;
            spare
        });
        Ok((Self { bytes, pieces }, spare != 0))
    }

    /// No piece at all: `have_none`, or a peer that has sent nothing.
    #[must_use]
    pub fn empty(pieces: u32) -> Self {
        Self { bytes: vec![0; Self::length_for(pieces)].into(), pieces }
    }

    /// Every piece: `have_all`.
    #[must_use]
    pub fn full(pieces: u32) -> Self {
        let mut bytes = vec![0xff; Self::length_for(pieces)];
        if let Some(last) = bytes.last_mut() {
            *last &= !spare_bits(pieces);
        }
        Self { bytes: bytes.into(), pieces }
    }

    /// Sets a piece, as for a `have` message; true if it was missing before.
    ///
    /// # Errors
    /// A piece the torrent does not have.
    pub fn set(&mut self, piece: u32) -> Result<bool, BitfieldError> {
        let error = BitfieldError::NoSuchPiece { piece, pieces: self.pieces };
        // The spare bits are in the last byte.
        if piece >= self.pieces {
            return Err(error);
        }
        let byte = self.bytes.get_mut((piece / 8) as usize).ok_or(error)?;
        let missing = *byte & bit(piece) == 0;
        *byte |= bit(piece);
        Ok(missing)
    }

    /// Whether the peer has the piece; false for a piece the torrent does not have.
    #[must_use]
    pub fn get(&self, piece: u32) -> bool {
        self.bytes.get((piece / 8) as usize).is_some_and(|byte| byte & bit(piece) != 0)
    }

    /// The number of pieces of the torrent.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        self.pieces
    }

    /// The number of pieces that the peer has.
    #[must_use]
    pub fn count_ones(&self) -> u32 {
        self.bytes.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether the peer has every piece.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.count_ones() == self.pieces
    }

    /// The pieces that the peer has, in ascending order.
    pub fn ones(&self) -> impl Iterator<Item = u32> {
        let some = (0..self.pieces).step_by(8).zip(&self.bytes).filter(|(_, byte)| **byte != 0);
        some.flat_map(|(first, byte)| (first..first.saturating_add(8)).filter(move |piece| byte & bit(*piece) != 0))
    }

    /// The missing pieces, in ascending order.
    pub fn holes(&self) -> impl Iterator<Item = u32> {
        let incomplete = (0..self.pieces).step_by(8).zip(&self.bytes).filter(|(_, byte)| **byte != 0xff);
        incomplete
            .flat_map(|(first, byte)| (first..first.saturating_add(8)).filter(move |piece| byte & bit(*piece) == 0))
            .take_while(|piece| *piece < self.pieces)
    }

    /// The payload of a `bitfield` message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// BEP 3: "The first byte of the bitfield corresponds to indices 0 - 7 from high bit to low bit, respectively."
fn bit(piece: u32) -> u8 {
    0x80 >> (piece % 8)
}

/// Mask of the bits in the last byte that belong to no piece.
fn spare_bits(pieces: u32) -> u8 {
    match pieces % 8 {
        0 => 0,
        used => 0xff >> used,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn length_and_spare_bits_are_checked() {
        let length = |found, expected, pieces| Err(BitfieldError::Length { found, expected, pieces });
        for (bytes, pieces, expected) in [
            (&b""[..], 0, Ok(0)),
            (b"\x80", 1, Ok(1)),
            (b"\xff", 8, Ok(8)),
            (b"\xff\x80", 9, Ok(9)),
            (b"\xff\xfe", 15, Ok(15)),
            (b"\x40", 1, Err(BitfieldError::SpareBits { pieces: 1 })),
            (b"\xff\x01", 15, Err(BitfieldError::SpareBits { pieces: 15 })),
            (b"", 1, length(0, 1, 1)),
            (b"\0", 0, length(1, 0, 0)),
            (b"\xff\0", 8, length(2, 1, 8)),
            (b"\xff", 9, length(1, 2, 9)),
        ] {
            assert_eq!(Bitfield::new(bytes, pieces).map(|bitfield| bitfield.count_ones()), expected);
            let lenient = Bitfield::new_lenient(bytes, pieces).map(|(bitfield, spare)| (bitfield.count_ones(), spare));
            match expected {
                // The pieces before the spare bits are all missing in one case and all there in the other.
                Err(BitfieldError::SpareBits { pieces: 1 }) => assert_eq!(lenient, Ok((0, true))),
                Err(BitfieldError::SpareBits { .. }) => assert_eq!(lenient, Ok((8, true))),
                other => assert_eq!(lenient, other.map(|ones| (ones, false))),
            }
        }
    }

    #[test]
    fn the_high_bit_is_the_first_piece() {
        let bitfield = Bitfield::new(b"\x81\x40", 10).unwrap();
        let there: Vec<u32> = (0..20).filter(|piece| bitfield.get(*piece)).collect();
        assert_eq!(there, [0, 7, 9]);
        assert_eq!(bitfield.holes().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 8]);
    }

    #[test]
    fn setting_the_holes_completes_a_bitfield() {
        let mut bitfield = Bitfield::new(b"\xf7\xf0", 13).unwrap();
        assert_eq!(bitfield.holes().collect::<Vec<_>>(), [4, 12]);
        assert_eq!([bitfield.set(4), bitfield.set(4), bitfield.set(12)], [Ok(true), Ok(false), Ok(true)]);
        assert_eq!(bitfield.set(13), Err(BitfieldError::NoSuchPiece { piece: 13, pieces: 13 }));
        assert_eq!(bitfield.set(u32::MAX), Err(BitfieldError::NoSuchPiece { piece: u32::MAX, pieces: 13 }));
        assert!(bitfield.is_complete());
        assert_eq!(bitfield, Bitfield::full(13));
    }

    proptest! {
        #[test]
        fn every_piece_is_either_set_or_a_hole(pieces in 0_u32..200, there in proptest::collection::btree_set(0_u32..200, 0..200)) {
            let mut bitfield = Bitfield::empty(pieces);
            for piece in &there {
                prop_assert_eq!(bitfield.set(*piece).is_ok(), *piece < pieces);
            }
            let ones = there.iter().filter(|piece| **piece < pieces).count();
            prop_assert_eq!(bitfield.count_ones() as usize, ones);
            prop_assert_eq!(bitfield.is_complete(), ones == pieces as usize);
            let holes: Vec<u32> = (0..pieces).filter(|piece| !there.contains(piece)).collect();
            prop_assert_eq!(bitfield.holes().collect::<Vec<_>>(), holes);
            let ones: Vec<u32> = there.into_iter().filter(|piece| *piece < pieces).collect();
            prop_assert_eq!(bitfield.ones().collect::<Vec<_>>(), ones);
            prop_assert_eq!(Bitfield::new(bitfield.as_bytes(), pieces), Ok(bitfield));
            prop_assert_eq!(Bitfield::full(pieces).count_ones(), pieces);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..10), pieces in 0_u32..90) {
            if let Ok(bitfield) = Bitfield::new(&bytes, pieces) {
                prop_assert_eq!(bitfield.count_ones() as usize + bitfield.holes().count(), pieces as usize);
            }
        }
    }
}
