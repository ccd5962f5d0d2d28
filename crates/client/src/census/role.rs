//! Concludes a peer's role from what it said.

use peer_session::{Advertised, MOST_HOLES, Pieces, Silence, may_be_lazy};
use report::{Role, RoleFrom};

/// The role of a peer of a torrent with `pieces` pieces, by what it said alone. Whether it is a likely seed depends on the other
/// peers: see `scattered_holes`.
///
/// While the number of pieces is unknown, only what is certain gives a role: a seed has said that it has all pieces, and a leecher
/// has holes that neither spare bits nor a lazy bitfield can explain. Others are unknown, also those that want no more pieces:
/// they may have all there are.
pub(crate) fn conclude(said: &Advertised, silence: Option<Silence>, pieces: Option<u32>) -> (Role, RoleFrom) {
    let from = from_of(&said.pieces);
    match &said.pieces {
        has if has.is_all(pieces) => (Role::Seed, from),
        Pieces::Some { bitfield, .. } if bitfield.count_ones() > 0 => match pieces {
            // There are no pieces to compare its holes by with those of others.
            None if said.pieces.holes(None) == 0 || may_be_lazy(said, None) => (Role::Unknown, from),
            _ if said.is_upload_only() => (Role::PartialSeed, RoleFrom::UploadOnly),
            _ if reveals(said) => (Role::SuperSeed, RoleFrom::NoneAndUnchoke),
            _ => (Role::Leech, from),
        },
        Pieces::Unknown => match silence {
            Some(Silence::Empty) => (Role::Leech, from),
            Some(Silence::EmptyOrHidden) | None => (Role::Unknown, from),
        },
        _ => conclude_of_nothing(said, from),
    }
}

/// The role of a peer that says it has nothing. An initial seed (BEP 16) says so too, and does not say what it wants.
fn conclude_of_nothing(said: &Advertised, from: RoleFrom) -> (Role, RoleFrom) {
    let upload_only = said.extension.as_ref().and_then(|extension| extension.upload_only);
    match upload_only {
        None if said.unchoked => (Role::SuperSeed, RoleFrom::NoneAndUnchoke),
        None | Some(false) => (Role::Leech, from),
        Some(true) => (Role::Unknown, from),
    }
}

/// Pieces that a super-seeding peer has named by the time we leave: one, and the next when that has spread (BEP 16).
const MOST_REVEALED: u32 = 2;

/// Whether a peer names its pieces one at a time, as super-seeding does: it began with none, would send us some, and has named hardly
/// any. A leecher with pieces begins with a bitfield.
fn reveals(said: &Advertised) -> bool {
    let Pieces::Some { bitfield, by_bitfield: false, .. } = &said.pieces else { return false };
    let upload_only = said.extension.as_ref().and_then(|extension| extension.upload_only);
    said.unchoked && upload_only.is_none() && bitfield.count_ones() <= MOST_REVEALED
}

/// Whether a peer may have everything and hide it, for all that is known: its client says nothing of pieces when it has none
/// and when it is the initial seed (BEP 16), or it says that it neither has nor wants any.
pub(crate) fn may_hide(role: Role, said: &Advertised, silence: Option<Silence>) -> bool {
    let says_none = match &said.pieces {
        Pieces::None => true,
        Pieces::Some { bitfield, .. } => bitfield.count_ones() == 0,
        Pieces::All | Pieces::Unknown => false,
    };
    role == Role::Unknown && (says_none || silence == Some(Silence::EmptyOrHidden))
}

/// Fewest holes that a lazy bitfield is left with: µTorrent leaves out 10 to 32 and then tells some.
const FEWEST_HOLES: u32 = 3;
/// The holes are at most this part of the pieces: a peer that lacks more is on its way.
const HOLES_IN: u32 = 4;

/// The holes of a peer that may be a seed: few, and in several places. A leecher that takes the pieces in order has its
/// holes in one.
pub(crate) fn scattered_holes(said: &Advertised, pieces: u32) -> Option<Vec<u32>> {
    let Pieces::Some { bitfield, by_bitfield: true, .. } = &said.pieces else { return None };
    let missing = pieces - bitfield.count_ones();
    if !(FEWEST_HOLES..=MOST_HOLES).contains(&missing) || missing > pieces / HOLES_IN {
        return None;
    }
    let holes: Vec<u32> = bitfield.holes().collect();
    let places = 1 + holes.windows(2).filter(|pair| matches!(pair, [a, b] if a + 1 < *b)).count();
    (places >= FEWEST_HOLES as usize).then_some(holes)
}

fn from_of(pieces: &Pieces) -> RoleFrom {
    match pieces {
        Pieces::Unknown => RoleFrom::Nothing,
        Pieces::All => RoleFrom::HaveAll,
        Pieces::None => RoleFrom::HaveNone,
        Pieces::Some { by_bitfield: false, .. } => RoleFrom::Haves,
        Pieces::Some { by_have: 0, .. } => RoleFrom::Bitfield,
        Pieces::Some { .. } => RoleFrom::BitfieldAndHaves,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use peer_wire::Message;

    const PIECES: u32 = 160;

    fn lacking(holes: &[u32], haves: &[u32]) -> Advertised {
        let mut bytes = vec![0xff; 20];
        holes.iter().for_each(|&hole| bytes[hole as usize / 8] &= !(0x80 >> (hole % 8)));
        said([Message::Bitfield(bytes.into())].into_iter().chain(haves.iter().map(|&piece| Message::Have(piece))))
    }

    fn said(messages: impl IntoIterator<Item = Message>) -> Advertised {
        let mut said = Advertised::default();
        messages.into_iter().for_each(|message| said.take(&message, Some(PIECES)).unwrap());
        said
    }

    fn extension(payload: &'static [u8]) -> Message {
        Message::Extended { id: 0, payload: Bytes::from_static(payload) }
    }

    fn upload_only() -> Message {
        extension(b"d11:upload_onlyi1ee")
    }

    #[test]
    fn roles_by_what_was_said() {
        for (said, role, from) in [
            (said([]), Role::Unknown, RoleFrom::Nothing),
            (said([upload_only()]), Role::Unknown, RoleFrom::Nothing),
            (said([Message::HaveAll]), Role::Seed, RoleFrom::HaveAll),
            (said([Message::HaveNone]), Role::Leech, RoleFrom::HaveNone),
            (said([Message::HaveNone, extension(b"d11:upload_onlyi0ee")]), Role::Leech, RoleFrom::HaveNone),
            (
                said([Message::HaveNone, extension(b"d11:upload_onlyi0ee"), Message::Unchoke]),
                Role::Leech,
                RoleFrom::HaveNone,
            ),
            (said([Message::HaveNone, upload_only()]), Role::Unknown, RoleFrom::HaveNone),
            (said([Message::HaveNone, upload_only(), Message::Unchoke]), Role::Unknown, RoleFrom::HaveNone),
            (
                said([extension(b"d1:v1:xe"), Message::HaveNone, Message::Unchoke]),
                Role::SuperSeed,
                RoleFrom::NoneAndUnchoke,
            ),
            (said([Message::HaveNone, Message::Unchoke, Message::Choke]), Role::SuperSeed, RoleFrom::NoneAndUnchoke),
            (said([Message::HaveNone, Message::Unchoke, Message::Have(3)]), Role::SuperSeed, RoleFrom::NoneAndUnchoke),
            (said([Message::HaveNone, Message::Have(3)]), Role::Leech, RoleFrom::Haves),
            (said([Message::Unchoke]), Role::Unknown, RoleFrom::Nothing),
            (lacking(&(0..160).collect::<Vec<_>>(), &[]), Role::Leech, RoleFrom::Bitfield),
            (said([Message::HaveNone, Message::Have(1)]), Role::Leech, RoleFrom::Haves),
            (lacking(&[], &[]), Role::Seed, RoleFrom::Bitfield),
            (lacking(&[7], &[7]), Role::Seed, RoleFrom::BitfieldAndHaves),
            (lacking(&[7, 9], &[7]), Role::Leech, RoleFrom::BitfieldAndHaves),
            (lacking(&[159], &[]), Role::Leech, RoleFrom::Bitfield),
            (said([upload_only(), Message::Have(1)]), Role::PartialSeed, RoleFrom::UploadOnly),
            (said([upload_only(), Message::HaveAll]), Role::Seed, RoleFrom::HaveAll),
        ] {
            assert_eq!(conclude(&said, None, Some(PIECES)), (role, from), "{said:?}");
        }
        for (silence, role) in [(Silence::Empty, Role::Leech), (Silence::EmptyOrHidden, Role::Unknown)] {
            assert_eq!(conclude(&said([]), Some(silence), Some(PIECES)), (role, RoleFrom::Nothing));
        }
    }

    #[test]
    fn what_leaves_it_open_whether_everything_is_hidden() {
        let rtorrent = Some(Silence::EmptyOrHidden);
        for (said, silence, expected) in [
            (said([]), rtorrent, true),
            (said([]), Some(Silence::Empty), false),
            (said([]), None, false),
            (said([Message::HaveNone, upload_only()]), None, true),
            (said([Message::HaveNone]), None, false),
            (said([Message::HaveNone, Message::Unchoke]), None, false),
            (said([Message::HaveAll]), None, false),
            (said([Message::Have(1)]), None, false),
        ] {
            let (role, _) = conclude(&said, silence, Some(PIECES));
            assert_eq!(may_hide(role, &said, silence), expected, "{said:?}");
        }
    }

    #[test]
    fn roles_while_the_number_of_pieces_is_unknown() {
        let of = |messages: Vec<Message>| {
            let mut said = Advertised::default();
            messages.iter().for_each(|message| said.take(message, None).unwrap());
            conclude(&said, None, None)
        };
        // A thousand bits, all set but for `middle` in the middle and `end` at the end.
        let bits = |middle: u32, end: u32| {
            let is_set = |bit: u32| !(400..400 + middle).contains(&bit) && bit < 1000 - end;
            let byte = |at: u32| (0..8).fold(0, |byte, bit| byte << 1 | u8::from(is_set(at * 8 + bit)));
            Message::Bitfield((0..125).map(byte).collect::<Vec<u8>>().into())
        };
        let haves = |pieces: &[u32]| pieces.iter().map(|&piece| Message::Have(piece)).collect::<Vec<_>>();
        for (messages, role, from) in [
            (vec![], Role::Unknown, RoleFrom::Nothing),
            (vec![upload_only()], Role::Unknown, RoleFrom::Nothing),
            (vec![Message::HaveAll], Role::Seed, RoleFrom::HaveAll),
            (vec![Message::HaveNone], Role::Leech, RoleFrom::HaveNone),
            (vec![Message::HaveNone, Message::Unchoke], Role::SuperSeed, RoleFrom::NoneAndUnchoke),
            (vec![Message::HaveNone, upload_only()], Role::Unknown, RoleFrom::HaveNone),
            (vec![bits(0, 0)], Role::Seed, RoleFrom::Bitfield),
            (vec![bits(1, 0), Message::Have(400)], Role::Seed, RoleFrom::BitfieldAndHaves),
            // Spare bits explain seven, and a lazy bitfield 32 more.
            (vec![bits(0, 7)], Role::Unknown, RoleFrom::Bitfield),
            (vec![bits(0, 7), upload_only()], Role::Unknown, RoleFrom::Bitfield),
            (vec![bits(32, 7)], Role::Unknown, RoleFrom::Bitfield),
            (vec![bits(32, 7), upload_only()], Role::Unknown, RoleFrom::Bitfield),
            (vec![bits(33, 7)], Role::Leech, RoleFrom::Bitfield),
            (vec![bits(32, 8)], Role::Leech, RoleFrom::Bitfield),
            (vec![bits(33, 7), upload_only()], Role::PartialSeed, RoleFrom::UploadOnly),
            (vec![bits(0, 1000)], Role::Leech, RoleFrom::Bitfield),
            // No peer hides more pieces than it shows.
            (vec![Message::Bitfield(Bytes::from_static(b"\xf0\x80"))], Role::Unknown, RoleFrom::Bitfield),
            (vec![Message::Bitfield(Bytes::from_static(b"\xe0\x80"))], Role::Leech, RoleFrom::Bitfield),
            (haves(&[0, 1, 2]), Role::Unknown, RoleFrom::Haves),
            (haves(&[0, 2]), Role::Leech, RoleFrom::Haves),
        ] {
            assert_eq!(of(messages.clone()), (role, from), "{messages:?}");
        }
    }

    #[test]
    fn a_few_holes_may_be_filled_in_a_moment() {
        for (said, lazy) in [
            (lacking(&[1], &[]), true),
            (lacking(&[1, 2], &[1]), true),
            (lacking(&[1, 2], &[1, 2]), false),
            (lacking(&(0..32).collect::<Vec<_>>(), &[]), true),
            (lacking(&(0..33).collect::<Vec<_>>(), &[]), false),
            (said([Message::HaveAll]), false),
            (said([Message::Have(1)]), false),
        ] {
            assert_eq!(may_be_lazy(&said, Some(PIECES)), lazy, "{said:?}");
        }
    }

    #[test]
    fn holes_of_a_lazy_bitfield_are_several_and_in_several_places() {
        let every_fifth: Vec<u32> = (0..32).map(|n| n * 5).collect();
        for (holes, haves, scattered) in [
            (vec![1, 50, 100], vec![], true),
            (every_fifth.clone(), vec![], true),
            (every_fifth, (5..32).map(|n| n * 5).collect(), true),
            (vec![1, 50], vec![], false),
            (vec![1], vec![], false),
            ((100..120).collect(), vec![], false),
            ((0..33).map(|n| n * 3).collect(), vec![], false),
        ] {
            assert_eq!(scattered_holes(&lacking(&holes, &haves), PIECES).is_some(), scattered, "{holes:?}");
        }
        assert_eq!(scattered_holes(&said([Message::HaveAll]), PIECES), None);
        // A quarter of a torrent of 20 pieces is five.
        for (bytes, holes) in [(b"\x7d\xf7\xd0", Some(vec![0, 6, 12, 18])), (b"\x55\x75\xf0", None)] {
            let mut small = Advertised::default();
            small.take(&Message::Bitfield(Bytes::from_static(bytes)), Some(20)).unwrap();
            assert_eq!(scattered_holes(&small, 20), holes);
        }
    }
}
