//! A range of hashes in a file's merkle tree, as in `hash_request`, `hashes` and `hash_reject` (BEP 52).

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// `pieces root | base layer | index | length | proof layers`, 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HashRange {
    /// The root of the file's tree.
    pub pieces_root: [u8; 32],
    /// The layer of the hashes, counted from the leaves.
    pub base_layer: u32,
    /// The first hash of the range. BEP 52: "Index MUST be a multiple of length, this includes zero."
    pub index: u32,
    /// The number of hashes. BEP 52: "Length MUST be equal-to-or-greater-than two and a power of two unless it gets truncated by the
    /// end of the layer. Length SHOULD NOT be greater than 512."
    pub length: u32,
    /// The number of layers of ancestors sent with them.
    pub proof_layers: u32,
}

impl HashRange {
    /// Length on the wire, in bytes.
    pub(crate) const LENGTH: u32 = 48;

    pub(crate) fn read(payload: &mut Bytes) -> Option<Self> {
        let mut pieces_root = [0; 32];
        payload.try_copy_to_slice(&mut pieces_root).ok()?;
        let mut number = || payload.try_get_u32().ok();
        let (base_layer, index) = (number()?, number()?);
        Some(Self { pieces_root, base_layer, index, length: number()?, proof_layers: number()? })
    }

    pub(crate) fn write(&self, to: &mut BytesMut) {
        to.put_slice(&self.pieces_root);
        to.put_u32(self.base_layer);
        to.put_u32(self.index);
        to.put_u32(self.length);
        to.put_u32(self.proof_layers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_in_the_order_of_bep_52() {
        let range = HashRange { pieces_root: [0xab; 32], base_layer: 1, index: 2, length: 3, proof_layers: 4 };
        let mut wire = BytesMut::new();
        range.write(&mut wire);
        assert_eq!(wire[..32], [0xab; 32]);
        assert_eq!(&wire[32..], b"\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04");
        let wire = wire.freeze();
        assert_eq!(HashRange::read(&mut wire.slice(..47)), None);
        assert_eq!(HashRange::read(&mut wire.clone()), Some(range));
    }
}
