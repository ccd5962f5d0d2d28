//! One direction of a connection, after the handshake and during it.

use crate::CryptoMethod;
use crate::secret::Ciphers;
use bytes::BytesMut;
use rc4::{KeyInit, Rc4, StreamCipher};
use std::fmt;

/// What a handshake comes to: a connection that goes on in one of the two methods.
#[derive(Debug)]
pub struct Established {
    /// How the stream goes on.
    pub method: CryptoMethod,
    /// For every byte we send from now on, in order.
    pub encrypt: Cipher,
    /// For every byte we receive from now on, in order; those already received have been through it.
    pub decrypt: Cipher,
}

/// What one direction's bytes go through. As it has a place in the stream, it sees every byte once, in order.
pub struct Cipher(Option<Box<Rc4>>);

impl Established {
    /// Goes on in `method`; what is already in `received` belongs to the stream.
    pub(crate) fn new(method: CryptoMethod, ciphers: Ciphers, received: &mut BytesMut) -> Self {
        let Ciphers { encrypt, mut decrypt } = ciphers;
        match method {
            CryptoMethod::Plaintext => Self { method, encrypt: Cipher(None), decrypt: Cipher(None) },
            CryptoMethod::Rc4 => {
                decrypt.apply(received);
                Self { method, encrypt, decrypt }
            }
        }
    }
}

impl Cipher {
    /// What is dropped of each keystream, in bytes: its beginning tells about the key.
    const DROPPED: usize = 1024;

    /// RC4, with the beginning of the keystream dropped.
    pub(crate) fn rc4(key: &[u8; 20]) -> Self {
        #[expect(clippy::expect_used, reason = "RC4 takes keys of 1 to 256 bytes")]
        let mut rc4 = Rc4::new_from_slice(key).expect("20 bytes are a key");
        rc4.apply_keystream(&mut [0; Self::DROPPED]);
        Self(Some(Box::new(rc4)))
    }

    /// Encrypts or decrypts, which are the same, the next bytes of this direction; changes nothing when it goes on in
    /// plaintext.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        if let Some(rc4) = &mut self.0 {
            rc4.apply_keystream(bytes);
        }
    }
}

/// Without the key.
impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.0.is_some() { CryptoMethod::Rc4 } else { CryptoMethod::Plaintext };
        write!(f, "Cipher({method})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_stream() {
        let mut whole = [0; 100];
        Cipher::rc4(&[1; 20]).apply(&mut whole);
        for size in 1..100 {
            let (mut pieces, mut cipher) = ([0; 100], Cipher::rc4(&[1; 20]));
            pieces.chunks_mut(size).for_each(|piece| cipher.apply(piece));
            assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn plaintext_changes_nothing_and_the_key_is_not_shown() {
        let (mut bytes, mut cipher) = (*b"as it is", Cipher(None));
        cipher.apply(&mut bytes);
        assert_eq!(&bytes, b"as it is");
        assert_eq!(format!("{cipher:?} {:?}", Cipher::rc4(&[1; 20])), "Cipher(plaintext) Cipher(RC4)");
    }
}
