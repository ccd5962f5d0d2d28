//! RC4 as MSE uses it.

/// How much of the keystream is thrown away before the first byte.
const DISCARDED: usize = 1024;

/// One direction's keystream.
#[derive(Clone, Debug)]
pub(crate) struct Rc4 {
    table: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    /// The keystream of this key, its first 1024 bytes discarded.
    pub(crate) fn new(key: &[u8; 20]) -> Self {
        let mut stream = Self::undiscarded(key);
        (0..DISCARDED).for_each(|_| {
            stream.next();
        });
        stream
    }

    fn undiscarded(key: &[u8]) -> Self {
        let mut stream = Self { table: std::array::from_fn(|index| index.to_le_bytes()[0]), i: 0, j: 0 };
        for (i, key) in (0..=u8::MAX).zip(key.iter().cycle()) {
            stream.j = stream.j.wrapping_add(stream.at(i)).wrapping_add(*key);
            stream.swap(i, stream.j);
        }
        stream.j = 0;
        stream
    }

    /// Encrypts or decrypts, which is the same.
    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte ^= self.next());
    }

    fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        self.j = self.j.wrapping_add(self.at(self.i));
        self.swap(self.i, self.j);
        self.at(self.at(self.i).wrapping_add(self.at(self.j)))
    }

    #[allow(clippy::indexing_slicing, reason = "a table of 256 has every index of a byte")]
    fn at(&self, index: u8) -> u8 {
        self.table[usize::from(index)]
    }

    fn swap(&mut self, one: u8, other: u8) {
        self.table.swap(usize::from(one), usize::from(other));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // The usual test vectors of RC4: key, plaintext, ciphertext.
        for (key, plain, cipher) in [
            ("Key", "Plaintext", "bbf316e8d940af0ad3"),
            ("Wiki", "pedia", "1021bf0420"),
            ("Secret", "Attack at dawn", "45a01f645fc35b383552544b9bf5"),
        ] {
            let mut bytes = plain.as_bytes().to_vec();
            Rc4::undiscarded(key.as_bytes()).apply(&mut bytes);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, cipher, "{key}");
        }
    }

    #[test]
    fn the_first_1024_bytes_are_discarded() {
        let key = b"twenty bytes of key.";
        let (mut whole, mut rest) = (vec![0; DISCARDED + 50], vec![0; 50]);
        Rc4::undiscarded(key).apply(&mut whole);
        Rc4::new(key).apply(&mut rest);
        assert_eq!(whole[DISCARDED..], rest);
    }
}
