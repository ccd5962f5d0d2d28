//! Messages that come before the handshake. BiglyBT 4.1 was seen to send its bitfield and its extension handshake first, once
//! in eight connections.

use crate::budget::ByteBudget;
use crate::read::read_some;
use bytes::BytesMut;
use peer_wire::{Codec, Handshake, Message};
use tokio::io::AsyncRead;

/// Most bytes before a handshake: the bitfield of 500,000 pieces, an extension handshake of the usual 200 bytes, and some
/// `have` messages.
const MOST: u32 = 64 << 10;
/// The first byte of a handshake (BEP 3). A message that began with it would be longer than any.
const HANDSHAKE: u8 = 19;
/// The highest message id of any BEP: `hashes reject` (BEP 52).
const LAST_ID: u8 = 23;

/// What comes next in the bytes that are there.
enum Next {
    /// A message of this many bytes.
    Message(usize),
    Handshake,
    /// More bytes are needed.
    Unknown,
    /// Neither of these, whatever comes.
    Neither,
}

/// Waits for the handshake of a peer that has begun with other bytes. Gives it with the number of bytes before it, which stay in
/// `received` with those after it; `None` when they are no messages, when no handshake follows, or when there is no room for
/// them. What comes is counted into `bytes`, and the memory it takes into the budget.
pub(crate) async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    received: &mut BytesMut,
    bytes: &mut usize,
    budget: Option<&ByteBudget>,
) -> Option<(Handshake, usize)> {
    let mut charge = budget.map(ByteBudget::charge);
    let mut early = 0;
    loop {
        match next(received.get(early..)?) {
            Next::Message(length) if early + length <= MOST as usize => {
                early += length;
                continue;
            }
            Next::Handshake => {
                let mut rest = received.split_off(early);
                let theirs = Handshake::decode(&mut rest);
                received.unsplit(rest);
                if let Some(theirs) = theirs.ok()? {
                    return Some((theirs, early));
                }
            }
            Next::Unknown => {}
            Next::Message(_) | Next::Neither => return None,
        }
        if charge.as_mut().is_some_and(|charge| !charge.hold(received.capacity())) {
            return None;
        }
        *bytes += read_some(stream, received).await.ok().filter(|&read| read > 0)?;
    }
}

fn next(bytes: &[u8]) -> Next {
    if bytes.first() == Some(&HANDSHAKE) {
        return Next::Handshake;
    }
    let Some((length, frame)) = bytes.split_first_chunk::<4>() else { return Next::Unknown };
    let length = u32::from_be_bytes(*length);
    if length == 0 || length > MOST || frame.first().is_some_and(|&id| id > LAST_ID) {
        return Next::Neither;
    }
    let Some(message) = bytes.get(..4 + length as usize) else { return Next::Unknown };
    match Codec::new(MOST).decode(&mut BytesMut::from(message)) {
        Ok(Some(Message::Unknown { .. }) | None) | Err(_) => Next::Neither,
        Ok(Some(_)) => Next::Message(message.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::{InfoHash, PeerId};
    use peer_wire::Reserved;
    use tokio::io::AsyncWriteExt;

    const BITFIELD: &[u8] = b"\0\0\0\x05\x05\xff\xff\xff\xff";
    const EXTENSION: &[u8] = b"\0\0\0\x0b\x14\0d1:v1:xee";

    fn handshake() -> Handshake {
        Handshake { reserved: Reserved::FAST, info_hash: InfoHash([1; 20]), peer_id: PeerId([2; 20]) }
    }

    /// What is received of a peer that sends these bytes `piece` at a time and closes: the bytes before the handshake, and all
    /// that is left.
    async fn of(wire: &[u8], piece: usize, budget: Option<&ByteBudget>) -> Option<(usize, Vec<u8>)> {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        for piece in wire.chunks(piece) {
            theirs.write_all(piece).await.unwrap();
        }
        drop(theirs);
        let (mut received, mut bytes) = (BytesMut::new(), 0);
        let (found, early) = receive(&mut ours, &mut received, &mut bytes, budget).await?;
        assert_eq!((found, bytes), (handshake(), wire.len().min(bytes)));
        Some((early, received.to_vec()))
    }

    #[tokio::test]
    async fn messages_before_the_handshake_are_kept_for_after_it() {
        let shaken = handshake().encode();
        for before in [&[][..], BITFIELD, EXTENSION, &[BITFIELD, EXTENSION].concat(), b"\0\0\0\x01\x0e\0\0\0\x01\x01"] {
            let wire = [before, &shaken, b"\0\0\0\x01\x0e"].concat();
            for piece in [1, 3, 7, wire.len()] {
                let (early, left) = of(&wire, piece, None).await.unwrap();
                assert_eq!(early, before.len(), "{before:?}");
                assert!(
                    [before, b"\0\0\0\x01\x0e"].concat().starts_with(&left) && left.starts_with(before),
                    "{left:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn what_is_neither_is_no_handshake() {
        let shaken = handshake().encode();
        let large = [&(MOST + 1).to_be_bytes()[..], &[5], &[0; 100]].concat();
        let long = [&(MOST - 9).to_be_bytes()[..], &[5], &vec![0; MOST as usize - 10]].concat();
        for wire in [
            // Messages alone, and half a handshake.
            &b""[..],
            BITFIELD,
            &[BITFIELD, &shaken[..67]].concat(),
            b"\x13BitTorrent Protocol",
            &[BITFIELD, b"\x13BitTorrent Protocol", &[0; 48]].concat(),
            // A keep-alive, an unknown id, a message of the wrong length, a long one, many.
            &[&[0; 4], &shaken[..]].concat(),
            &[b"\0\0\0\x01\x18", &shaken[..]].concat(),
            &[b"\0\0\0\x02\x0e\0", &shaken[..]].concat(),
            &[&large, &shaken[..]].concat(),
            &[&long, &long, &shaken[..]].concat(),
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        ] {
            assert_eq!(of(wire, 1000, None).await, None, "{}", wire[..wire.len().min(40)].escape_ascii());
        }
        assert!(of(&[&long, &shaken[..]].concat(), 1000, None).await.is_some());
    }

    #[tokio::test]
    async fn what_comes_early_takes_of_the_memory_for_what_peers_say() {
        let long = [&50_000_u32.to_be_bytes()[..], &[5], &vec![0; 49_999], &handshake().encode()].concat();
        let (much, little) = (ByteBudget::new(1 << 20), ByteBudget::new(10_000));
        assert!(of(&long, 1000, Some(&much)).await.is_some());
        assert!(of(&long, 1000, Some(&little)).await.is_none());
        // All is given back.
        assert!(much.charge().hold(1 << 20) && little.charge().hold(10_000));
    }
}
