//! The arithmetic of Message Stream Encryption (MSE), independent of the code under test: Diffie-Hellman over general
//! big integers, keys from SHA-1, and RC4.

mod group;
mod rc4;

use std::net::Ipv4Addr;

use sha1::{Digest, Sha1};

pub use group::{DEGENERATE_KEYS, KEY_LENGTH};
pub(crate) use group::{agree, public_key};
pub(crate) use rc4::Rc4;

/// The secret that initiator and responder share, and the torrent's info-hash, which only peers of its swarm know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secrets {
    /// `S`, the result of Diffie-Hellman.
    pub(crate) shared: [u8; KEY_LENGTH],
    /// `SKEY`.
    pub(crate) info_hash: [u8; 20],
}

impl Secrets {
    /// The cipher of what the initiator says.
    pub(crate) fn initiators(&self) -> Rc4 {
        self.cipher(b"keyA")
    }

    /// The cipher of what the responder says.
    pub(crate) fn responders(&self) -> Rc4 {
        self.cipher(b"keyB")
    }

    fn cipher(&self, label: &[u8]) -> Rc4 {
        Rc4::new(&sha1(&[label, &self.shared, &self.info_hash]))
    }

    /// The 20 bytes that name the torrent to a peer that has it: `req2` with `SKEY`, masked by `req3` with `S`.
    pub(crate) fn torrent_mark(&self) -> [u8; 20] {
        let mut mark = sha1(&[b"req2", &self.info_hash]);
        let mask = sha1(&[b"req3", &self.shared]);
        mark.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        mark
    }
}

/// The 20 bytes after which PadA is over: `req1` with `S`.
pub(crate) fn pad_end(shared: &[u8; KEY_LENGTH]) -> [u8; 20] {
    sha1(&[b"req1", shared])
}

/// The private key of the peer at this address: always the same, so that a run can be repeated.
pub(crate) fn private_key(ip: Ipv4Addr) -> [u8; 20] {
    sha1(&[b"private", &ip.octets()])
}

/// Bytes for a pad: always the same for the same key, and nothing that a search could find by chance.
pub(crate) fn invented(private_key: &[u8; 20], length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Rc4::new(&sha1(&[b"pad", private_key])).apply(&mut bytes);
    bytes
}

/// SHA-1 of the parts one after the other.
fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    parts.iter().fold(Sha1::new(), |hash, part| hash.chain_update(part)).finalize().into()
}
