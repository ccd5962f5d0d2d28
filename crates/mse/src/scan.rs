//! The search for the end of a pad whose length is not announced.

use crate::error::Error;
use crate::limits::MAX_PAD;
use bytes::{Buf, BytesMut};

/// Searches for a mark that begins 0 to [`MAX_PAD`] bytes into the stream. Searched bytes are dropped, so that at most an
/// incomplete mark stays in the buffer.
pub(crate) struct Scan<const N: usize> {
    mark: [u8; N],
    /// Offsets that were tried and dropped; at most `MAX_PAD`.
    tried: usize,
}

impl<const N: usize> Scan<N> {
    pub(crate) fn new(mark: [u8; N]) -> Self {
        Self { mark, tried: 0 }
    }

    /// Takes everything up to the end of the mark; `false` if more bytes are needed.
    ///
    /// The comparison need not be in constant time: an initiator's mark is sent in plaintext, and a responder's is a keystream
    /// that a peer cannot choose.
    pub(crate) fn find(&mut self, received: &mut BytesMut) -> Result<bool, Error> {
        let places = received.windows(N).take(MAX_PAD + 1 - self.tried);
        let untried = places.len();
        if let Some(place) = places.clone().position(|bytes| bytes == self.mark) {
            received.advance(place + N);
            return Ok(true);
        }
        self.tried += untried;
        if self.tried > MAX_PAD {
            return Err(Error::SyncNotFound { scanned: MAX_PAD + N });
        }
        received.advance(untried);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: [u8; 4] = *b"mark";

    /// The result of feeding `bytes` in chunks of a size, and the bytes left.
    fn find(bytes: &[u8], size: usize) -> (Result<bool, Error>, Vec<u8>) {
        let (mut scan, mut received, mut fed) = (Scan::new(MARK), BytesMut::new(), 0);
        for piece in bytes.chunks(size) {
            received.extend_from_slice(piece);
            fed += piece.len();
            let found = scan.find(&mut received);
            if found != Ok(false) {
                received.extend_from_slice(&bytes[fed..]);
                return (found, received.to_vec());
            }
            assert!(received.len() < MARK.len(), "{} bytes kept", received.len());
        }
        (Ok(false), received.to_vec())
    }

    #[test]
    fn a_mark_is_found_at_any_offset_and_in_chunks_of_any_size() {
        for pad in [0, 1, 3, 4, 511, 512] {
            let bytes = [&vec![b'm'; pad], &MARK[..], b"and more"].concat();
            for size in 1..=bytes.len() {
                assert_eq!(find(&bytes, size), (Ok(true), b"and more".to_vec()), "pad {pad}, pieces of {size}");
            }
        }
    }

    #[test]
    fn the_search_fails_once_no_mark_can_begin_any_more() {
        let too_late = [&[b'm'; MAX_PAD + 1], &MARK[..]].concat();
        let scanned = MAX_PAD + MARK.len();
        for size in 1..=too_late.len() {
            assert_eq!(find(&too_late, size).0, Err(Error::SyncNotFound { scanned }), "pieces of {size}");
            // With one byte less a mark is still possible.
            assert_eq!(find(&too_late[..scanned - 1], size).0, Ok(false), "pieces of {size}");
        }
    }
}
