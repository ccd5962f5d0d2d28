//! The ciphers of a connection, during and after the handshake.

use crate::method::CryptoMethod;
use bytes::BytesMut;
use rc4::{KeyInit, Rc4, StreamCipher};
use std::fmt;

/// The result of a handshake: a connection that continues with one of the two methods.
#[derive(Debug)]
#[non_exhaustive]
pub struct Established {
    /// How the stream continues.
    pub method: CryptoMethod,
    /// To be applied to every byte that is sent from now on, in order.
    pub encrypt: Cipher,
    /// To be applied to every byte that is received from now on, in order; not to those that are in the buffer already.
    pub decrypt: Cipher,
}

/// The cipher of one direction. It depends on the position in the stream, so it must see every byte once, in order.
pub struct Cipher(Option<Box<Rc4>>);

/// Both directions of a connection.
pub(crate) struct Ciphers {
    pub(crate) encrypt: Cipher,
    pub(crate) decrypt: Cipher,
}

impl Established {
    /// Continues with `method`; the bytes that are already in `received` belong to the stream.
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
    /// Bytes dropped from the beginning of each keystream, which would reveal something about the key.
    const DROPPED: usize = 1024;

    /// RC4 without the beginning of the keystream.
    pub(crate) fn rc4(key: &[u8; 20]) -> Self {
        #[expect(clippy::expect_used, reason = "RC4 takes keys of 1 to 256 bytes")]
        let mut rc4 = Rc4::new_from_slice(key).expect("20 bytes are a key");
        rc4.apply_keystream(&mut [0; Self::DROPPED]);
        Self(Some(Box::new(rc4)))
    }

    /// Encrypts or decrypts (the same operation) the next bytes of this direction; in plaintext it changes nothing.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        if let Some(rc4) = &mut self.0 {
            rc4.apply_keystream(bytes);
        }
    }
}

/// Shows the method, not the key.
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
    fn chunks_of_any_size_give_the_same_stream() {
        let mut whole = [0; 100];
        Cipher::rc4(&[1; 20]).apply(&mut whole);
        for size in 1..100 {
            let (mut pieces, mut cipher) = ([0; 100], Cipher::rc4(&[1; 20]));
            pieces.chunks_mut(size).for_each(|piece| cipher.apply(piece));
            assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn plaintext_changes_nothing_and_debug_hides_the_key() {
        let (mut bytes, mut cipher) = (*b"as it is", Cipher(None));
        cipher.apply(&mut bytes);
        assert_eq!(&bytes, b"as it is");
        assert_eq!(format!("{cipher:?} {:?}", Cipher::rc4(&[1; 20])), "Cipher(plaintext) Cipher(RC4)");
    }
}
