//! Messages of `ut_pex`: what is taken is within the limits and could be the address of a peer, and every entry is taken or
//! counted.

use crate::escape::assert_error;
use crate::memory;
use bencode::{Document, Limits};
use peer_wire::{PexMessage, PexMessageError};
use std::net::SocketAddr;

/// Memory for each byte of the input: 16 for the tape; an entry of six bytes is taken as 36 in a list with twice the capacity
/// it needs, three times for a dropped one.
const TIMES_THE_INPUT: usize = 40;
/// Memory for any input: the first capacity of the lists.
const BESIDE: usize = 1 << 10;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    match memory::bounded(TIMES_THE_INPUT * input.len() + BESIDE, || PexMessage::decode(input)) {
        Ok(read) => {
            assert!(read.added.len() <= PexMessage::MAX_PEERS && read.dropped.len() <= PexMessage::MAX_PEERS);
            read.added.iter().for_each(|peer| sound(peer.address));
            read.dropped.iter().copied().for_each(sound);
            let taken = read.added.len() + read.dropped.len();
            let skipped = read.skipped.port_zero + read.skipped.invalid + read.skipped.too_many;
            assert_eq!(taken + skipped, entries(input));
            assert_eq!(PexMessage::decode(&[input, b"\0"].concat()).as_ref().ok(), Some(&read).filter(|_| fits(input)));
        }
        Err(error) => {
            if let PexMessageError::Bencode(error) = &error {
                assert!(error.offset <= input.len());
            }
            assert_error(&error);
        }
    }
}

fn fits(input: &[u8]) -> bool {
    input.len() < Limits::PEER_MESSAGE.bytes
}

fn sound(address: SocketAddr) {
    let ip = address.ip();
    assert!(address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast());
    assert_eq!(ip.to_canonical(), ip);
}

/// The number of entries in the four lists, counted independently: one cut short counts as one, and a list that is not a string.
fn entries(input: &[u8]) -> usize {
    let document = Document::parse_lenient(input, Limits::PEER_MESSAGE).expect("what was read");
    let dict = document.root().as_dict().expect("what was read");
    let lists = [(&b"added"[..], 6), (b"added6", 18), (b"dropped", 6), (b"dropped6", 18)];
    let entries = lists.into_iter().filter_map(|(key, size)| {
        dict.get(key).map(|list| list.as_bytes().map_or(1, |list| list.len().div_ceil(size)))
    });
    entries.sum()
}
