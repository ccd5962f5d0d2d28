//! The bytes on the wire, independent of our crates: neither the reference client nor the server uses them.

/// Pieces of the torrent.
pub(crate) const PIECES: usize = 160;
/// A handshake (BEP 3).
pub(crate) const LENGTH: usize = 68;
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

pub(crate) fn handshake(reserved: [u8; 8], info_hash: &[u8; 20], peer_id: &[u8; 20]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[..20].copy_from_slice(PROTOCOL);
    bytes[20..28].copy_from_slice(&reserved);
    bytes[28..48].copy_from_slice(info_hash);
    bytes[48..].copy_from_slice(peer_id);
    bytes
}

/// The answer of a good peer: with the info-hash of the handshake it got and, of its reserved bits, the extension protocol and
/// Fast. If both are set, `introduction` follows the 68 bytes in the same write, as Transmission does.
pub(crate) fn answer(theirs: &[u8; LENGTH], introduction: &[u8], out: &mut Vec<u8>) {
    const EXTENSION_PROTOCOL: u8 = 0x10;
    const FAST: u8 = 0x04;
    let mut reserved = [0; 8];
    reserved[5] = theirs[25] & EXTENSION_PROTOCOL;
    reserved[7] = theirs[27] & FAST;
    let mut info_hash = [0; 20];
    info_hash.copy_from_slice(&theirs[28..48]);
    out.clear();
    out.extend_from_slice(&handshake(reserved, &info_hash, b"-BN0100-goodgoodgood"));
    if reserved[5] != 0 && reserved[7] != 0 {
        out.extend_from_slice(introduction);
    }
}

/// An extension handshake (BEP 10) and `have_all` (BEP 6).
pub(crate) fn introduction() -> Vec<u8> {
    const DICTIONARY: &[u8] =
        b"d1:ei0e1:md11:ut_metadatai3e6:ut_pexi1ee1:pi51413e4:reqqi512e11:upload_onlyi1e1:v9:bench 1.0e";
    [&extension_handshake(DICTIONARY)[..], &[0, 0, 0, 1, 0x0e]].concat()
}

/// An extension handshake, and a bitfield (BEP 3) of half of the [`PIECES`].
pub(crate) fn introduction_of_half() -> Vec<u8> {
    const DICTIONARY: &[u8] = b"d1:ei0e1:md11:ut_metadatai3e6:ut_pexi1ee1:pi51413e4:reqqi512e1:v9:bench 1.0e";
    let mut bitfield = vec![0; PIECES.div_ceil(8)];
    bitfield[..PIECES / 16].fill(0xff);
    [&extension_handshake(DICTIONARY)[..], &length(1 + bitfield.len()), &[5], &bitfield].concat()
}

fn extension_handshake(dictionary: &[u8]) -> Vec<u8> {
    [&length(2 + dictionary.len())[..], &[20, 0], dictionary].concat()
}

fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).expect("a short one").to_be_bytes()
}

/// Whether `part`, at this offset of a handshake for this torrent, is valid.
pub(crate) fn is_part_of_an_answer(part: &[u8], at: usize, info_hash: &[u8; 20]) -> bool {
    let Some(end) = at.checked_add(part.len()).filter(|&end| end <= LENGTH) else { return false };
    if at == 0 && end == LENGTH {
        return part[..20] == *PROTOCOL && part[28..48] == *info_hash;
    }
    let expected = handshake([0; 8], info_hash, &[0; 20]);
    let is_free = |place: usize| (20..28).contains(&place) || place >= 48;
    (at..end).all(|place| is_free(place) || part[place - at] == expected[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_recognised_in_any_pieces() {
        let (ours, mut answered) = (handshake([0; 8], &[7; 20], &[1; 20]), Vec::new());
        answer(&ours, &introduction(), &mut answered);
        assert_eq!(answered.len(), LENGTH);
        for at in 0..=LENGTH {
            let (head, tail) = answered.split_at(at);
            assert!(is_part_of_an_answer(head, 0, &[7; 20]) && is_part_of_an_answer(tail, at, &[7; 20]));
        }
        assert!(!is_part_of_an_answer(&answered, 0, &[8; 20]));
        assert!(!is_part_of_an_answer(&answered, 1, &[7; 20]));
    }

    #[test]
    fn who_speaks_extensions_is_told_more() {
        let ours = handshake([0, 0, 0, 0, 0, 0x10, 0, 4], &[7; 20], &[1; 20]);
        let mut answered = Vec::new();
        answer(&ours, &introduction(), &mut answered);
        assert_eq!(answered[20..28], [0, 0, 0, 0, 0, 0x10, 0, 4]);
        assert_eq!(answered[LENGTH..], introduction());
    }
}
