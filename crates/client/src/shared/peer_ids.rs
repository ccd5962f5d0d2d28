//! Our peer ids: a different one for each connection, each of which is recognized when it comes back.

use crate::net::entropy;
use ids::PeerId;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes at the end of an id that are a keyed hash of those before them.
const SEAL: usize = 8;

/// Draws peer ids and recognizes them.
///
/// Clients close a second connection that comes with the peer id of an open one, and a client that is listed with two
/// addresses gets two connections from us at once. So each connection has an id of its own.
///
/// Behind the prefix four characters count the ids, and eight are a keyed hash of all before them. That makes
/// 16,777,216 different ids without a list of them; of the ids of other processes, one in 2^48 would be taken for ours.
#[derive(Debug)]
pub(crate) struct PeerIds {
    key: RandomState,
    next: AtomicU32,
}

impl PeerIds {
    /// Counts from a random number on, so that an id does not tell how many came before it.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { key: RandomState::new(), next: AtomicU32::new(u32::from_be_bytes(entropy::bytes()?)) })
    }

    /// An id that no other connection has.
    pub(crate) fn draw(&self) -> PeerId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // A character holds six bits.
        let [a, b, c, d] = [18, 12, 6, 0].map(|shift| u8::try_from(number >> shift & 63).unwrap_or_default());
        self.seal(PeerId::new([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]))
    }

    /// Whether `id` was drawn here.
    pub(crate) fn is_ours(&self, id: PeerId) -> bool {
        self.seal(id) == id
    }

    /// `id` with the keyed hash of its other bytes at the end.
    fn seal(&self, id: PeerId) -> PeerId {
        let PeerId(mut bytes) = id;
        if let Some((counted, end)) = bytes.split_last_chunk_mut::<SEAL>() {
            let [a, b, c, d, e, f, g, h] = self.key.hash_one(counted).to_be_bytes();
            let PeerId(sealed) = PeerId::new([0, 0, 0, 0, a, b, c, d, e, f, g, h]);
            end.iter_mut().rev().zip(sealed.into_iter().rev()).for_each(|(to, from)| *to = from);
        }
        PeerId(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_different_and_recognized() {
        let ours = PeerIds::new().unwrap();
        let ids: HashSet<PeerId> = (0..100_000).map(|_| ours.draw()).collect();
        assert_eq!(ids.len(), 100_000);
        assert!(ids.iter().all(|&id| ours.is_ours(id)));
        // What a tracker or a peer reads: the prefix, and characters that need no escaping.
        let plain = |id: &PeerId| id.0.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
        assert!(ids.iter().all(|id| id.0.starts_with(b"-HS0100-") && plain(id)));
    }

    #[test]
    fn ids_of_other_processes_are_not_recognized() {
        let (ours, theirs) = (PeerIds::new().unwrap(), PeerIds::new().unwrap());
        assert!((0..10_000).all(|_| !ours.is_ours(theirs.draw())));
        let PeerId(mut id) = ours.draw();
        id[0] ^= 1;
        assert!(!ours.is_ours(PeerId(id)));
        assert!(!ours.is_ours(PeerId([0; 20])) && !ours.is_ours(PeerId(*b"-qB4520-abcdefghijkl")));
    }

    #[test]
    fn the_count_wraps_around() {
        let ours = PeerIds { key: RandomState::new(), next: AtomicU32::new(u32::MAX) };
        let (last, first) = (ours.draw(), ours.draw());
        assert!(last != first && ours.is_ours(last) && ours.is_ours(first));
    }
}
