//! A part of a piece, as in `request`, `cancel` and `reject_request` (BEP 3, BEP 6).

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// A part of a piece, in a `request` (BEP 3): `index | begin | length`, twelve bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// The piece, counted from zero.
    pub index: u32,
    /// Offset within the piece, in bytes.
    pub begin: u32,
    /// Length, in bytes. BEP 3: "All current implementations use 2^14 (16 kiB), and close connections which request an
    /// amount greater than that."
    pub length: u32,
}

impl Block {
    /// Length on the wire, in bytes.
    pub(crate) const LENGTH: u32 = 12;

    pub(crate) fn read(payload: &mut Bytes) -> Option<Self> {
        let [index, begin, length] = [payload.try_get_u32(), payload.try_get_u32(), payload.try_get_u32()];
        Some(Self { index: index.ok()?, begin: begin.ok()?, length: length.ok()? })
    }

    pub(crate) fn write(self, to: &mut BytesMut) {
        to.put_u32(self.index);
        to.put_u32(self.begin);
        to.put_u32(self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_the_bytes_of_bep_3() {
        let block = Block { index: 1, begin: 0x4000, length: 0x2000 };
        let mut wire = BytesMut::new();
        block.write(&mut wire);
        assert_eq!(&wire[..], b"\0\0\0\x01\0\0\x40\0\0\0\x20\0");
        assert_eq!(Block::read(&mut wire.freeze()), Some(block));
        assert_eq!(Block::read(&mut Bytes::from_static(b"\0\0\0\x01\0\0\x40\0\0\0\x20")), None);
    }
}
