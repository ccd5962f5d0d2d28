//! What both sides derive from the shared secret: marks, and the keys of the ciphers.

use crate::cipher::{Cipher, Ciphers};
use crypto_bigint::CtEq;
use ids::InfoHash;
use sha1::{Digest, Sha1};

/// A number modulo P as it is sent or hashed: big-endian, with its leading zeros.
pub(crate) type Number = [u8; 96];

/// The shared secret S.
pub(crate) struct SharedSecret(Number);

impl SharedSecret {
    pub(crate) fn new(secret: Number) -> Self {
        Self(secret)
    }

    /// Whether it begins with a zero byte.
    pub(crate) fn is_short(&self) -> bool {
        self.0.starts_with(&[0])
    }

    /// HASH('req1', S): the mark after PadA.
    pub(crate) fn mark(&self) -> [u8; 20] {
        hash(&[b"req1", &self.0])
    }

    /// HASH('req2', SKEY) xor HASH('req3', S): names the torrent to a peer that knows it.
    pub(crate) fn obscure(&self, skey: InfoHash) -> [u8; 20] {
        self.mask(hash(&[b"req2", &skey.0]))
    }

    /// The one of `skeys` that `obscured` names.
    pub(crate) fn find(&self, obscured: [u8; 20], skeys: &[InfoHash]) -> Option<InfoHash> {
        let wanted = self.mask(obscured);
        // In constant time, so that the time does not tell how much of a guess was right.
        skeys.iter().copied().find(|skey| hash(&[b"req2", &skey.0]).ct_eq(&wanted).to_bool())
    }

    /// The ciphers of the initiator.
    pub(crate) fn of_initiator(&self, skey: InfoHash) -> Ciphers {
        Ciphers { encrypt: self.cipher(b"keyA", skey), decrypt: self.cipher(b"keyB", skey) }
    }

    /// The ciphers of the responder.
    pub(crate) fn of_responder(&self, skey: InfoHash) -> Ciphers {
        let Ciphers { encrypt, decrypt } = self.of_initiator(skey);
        Ciphers { encrypt: decrypt, decrypt: encrypt }
    }

    fn mask(&self, mut bytes: [u8; 20]) -> [u8; 20] {
        let mask = hash(&[b"req3", &self.0]);
        bytes.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        bytes
    }

    fn cipher(&self, label: &[u8], skey: InfoHash) -> Cipher {
        Cipher::rc4(&hash(&[label, &self.0, &skey.0]))
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obscured_info_hash_is_found_only_among_known_ones() {
        let secret = SharedSecret::new([5; 96]);
        let skeys = [InfoHash([1; 20]), InfoHash([2; 20])];
        for skey in skeys {
            assert_eq!(secret.find(secret.obscure(skey), &skeys), Some(skey));
        }
        assert_eq!(secret.find(secret.obscure(InfoHash([3; 20])), &skeys), None);
        assert_eq!(secret.find(SharedSecret::new([6; 96]).obscure(InfoHash([1; 20])), &skeys), None);
        assert_eq!(secret.find(secret.obscure(InfoHash([1; 20])), &[]), None);
    }
}
