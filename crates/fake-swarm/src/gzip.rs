//! gzip (RFC 1952) written by hand: a body as it is, and one that is small until it is inflated.

/// The header: deflate, no flags, no time, no extras, system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The most bytes that one stored block of deflate holds.
const STORED_BLOCK: usize = 0xffff;
/// The most bytes that one match of deflate copies.
const LONGEST_MATCH: usize = 258;

/// The body in stored blocks, which are a little longer than what they hold.
#[must_use]
pub fn stored(body: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut blocks = body.chunks(STORED_BLOCK).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(crc32(body).to_le_bytes());
    out.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

/// Inflates to at least `length` bytes `0`, and has 1 byte for every 1,032 of them: the best ratio of deflate.
///
/// Checksum and length at the end are wrong: a reader that reports them has inflated all of it.
#[must_use]
pub fn bomb(length: usize) -> Vec<u8> {
    let mut bits = Bits { out: HEADER.to_vec(), pending: 0, count: 0 };
    bits.codes();
    bits.code(0b10, 2);
    for _ in 0..length.div_ceil(LONGEST_MATCH) {
        // A match of 258 bytes, and one byte back.
        bits.code(0b0, 1);
        bits.code(0b0, 1);
    }
    bits.code(0b11, 2);
    let mut out = bits.finish();
    out.extend([0; 8]);
    out
}

/// Codes and numbers, written as deflate packs them: bytes are filled from their lowest bit, codes begin with their highest
/// and numbers with their lowest.
struct Bits {
    out: Vec<u8>,
    pending: u8,
    count: u32,
}

impl Bits {
    /// The head of the last block, with codes of its own: `0` for a match of 258 bytes, `10` for the byte `0`, `11` for the
    /// end; and `0` for one byte back.
    fn codes(&mut self) {
        self.number(0b1, 1);
        self.number(0b10, 2);
        // 286 lengths of codes, and one more of the distances; 18 lengths of codes for these lengths.
        [(29, 5), (0, 5), (14, 4)].into_iter().for_each(|(number, bits)| self.number(number, bits));
        // In deflate's odd order: 18, a run of zeros, has one bit, `0`; the lengths 2 (`11`) and 1 (`10`) have two.
        (0..18)
            .for_each(|place| self.number(if place == 2 { 1 } else { 2 * u32::from(place == 15 || place == 17) }, 3));
        let zeros = |bits: &mut Self, count: u32| {
            bits.code(0b0, 1);
            bits.number(count - 11, 7);
        };
        zeros(self, 48);
        self.code(0b11, 2);
        zeros(self, 138);
        zeros(self, 69);
        self.code(0b11, 2);
        zeros(self, 28);
        self.code(0b10, 2);
        self.code(0b10, 2);
    }

    fn code(&mut self, code: u32, length: u32) {
        (0..length).rev().for_each(|at| self.bit(code >> at & 1 == 1));
    }

    fn number(&mut self, number: u32, length: u32) {
        (0..length).for_each(|at| self.bit(number >> at & 1 == 1));
    }

    fn bit(&mut self, bit: bool) {
        self.pending |= u8::from(bit) << self.count;
        self.count += 1;
        if self.count == u8::BITS {
            self.out.push(self.pending);
            (self.pending, self.count) = (0, 0);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.out.push(self.pending);
        }
        self.out
    }
}

/// The checksum of RFC 1952, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_bytes() {
        let (block, end) = (b"\x01\x09\0\xf6\xff123456789".as_slice(), [0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0]);
        assert_eq!(stored(b"123456789"), [&HEADER, block, &end].concat());
        assert_eq!(stored(b"").len(), HEADER.len() + 5 + 8);
        assert_eq!(stored(&[0; STORED_BLOCK + 1]).len(), HEADER.len() + STORED_BLOCK + 1 + 2 * 5 + 8);
    }

    #[test]
    fn a_bomb_is_small() {
        // `gzip -dc` writes 259 bytes of it before it complains of the checksum.
        let block = b"\xed\xc0\x81\0\0\0\0\x80 \xa5\xfd\xe9\x16\xa9\x18";
        assert_eq!(bomb(1), [&HEADER[..], block, &[0; 8]].concat());
        assert!(bomb(1 << 24).len() < (1 << 24) / 1000);
    }
}
