//! What a peer says of itself after its handshake: which pieces it has (BEP 3, 6) and what it is (BEP 10).

use peer_wire::{
    Bitfield, BitfieldError, Codec, CodecError, ExtensionHandshake, ExtensionHandshakeError, Message, Reserved,
};

/// Most pieces a torrent has whose number is not known: as many as the largest bitfield has bits that the codec takes.
const MOST_PIECES: u32 = (Codec::MAX_FRAME - 1) * 8;

/// What a peer has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The pieces it has.
    pub pieces: Pieces,
    /// Its extension handshake; a later one adds to an earlier one.
    pub extension: Option<Box<ExtensionHandshake>>,
    /// Messages it has sent, keep-alives included.
    pub messages: usize,
}

/// The pieces a peer says it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pieces {
    /// It has not said.
    #[default]
    Unsaid,
    /// BEP 6: `have_all`.
    All,
    /// BEP 6: `have_none`.
    None,
    /// Some, told one by one.
    Some {
        /// Which. When the number of pieces is not known, it has one for each bit that has come, spare bits included, or
        /// some more than the last piece of a `have`.
        bitfield: Bitfield,
        /// Those among them that came by `have` alone.
        by_have: u32,
        /// Whether a bitfield came, or only `have` messages.
        by_bitfield: bool,
    },
}

/// Why a peer was not listened to any longer: it breaks the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Bytes that are no message.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A bitfield or a piece of another torrent.
    #[error(transparent)]
    Bitfield(#[from] BitfieldError),
    /// An extension handshake that is none.
    #[error(transparent)]
    Extension(#[from] ExtensionHandshakeError),
    /// A bitfield of no bits: every torrent has a piece.
    #[error("bitfield of 0 bytes")]
    EmptyBitfield,
    /// BEP 6 allows one of bitfield, have all and have none, once.
    #[error("it says twice which pieces it has")]
    PiecesTwice,
}

impl Said {
    /// Takes in one message of a peer of a torrent with so many pieces, or with an unknown number of them. What does not say
    /// anything of the peer is passed over.
    ///
    /// # Errors
    /// What the message breaks; what was said before stays said.
    pub fn take(&mut self, message: &Message, pieces: Option<u32>) -> Result<(), Violation> {
        self.messages += 1;
        match message {
            Message::Bitfield(bytes) => {
                let bitfield = match pieces {
                    Some(pieces) => Bitfield::new(bytes, pieces)?,
                    None => of_unknown_length(bytes)?,
                };
                self.pieces.begin(Pieces::Some { bitfield, by_have: 0, by_bitfield: true })
            }
            Message::HaveAll => self.pieces.begin(Pieces::All),
            Message::HaveNone => self.pieces.begin(Pieces::None),
            Message::Have(piece) => self.pieces.add(*piece, pieces),
            Message::Extended { id: 0, payload } => {
                let theirs = ExtensionHandshake::decode(payload)?;
                match &mut self.extension {
                    Some(extension) => extension.update(theirs),
                    None => self.extension = Some(Box::new(theirs)),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether everything has come that a peer with these bits will say at once. A bit that is missing means that the
    /// thing will not come; without Fast (BEP 6) a peer without pieces may leave its bitfield out.
    #[must_use]
    pub fn is_all_of(&self, reserved: Reserved) -> bool {
        let waits_for_extension = reserved.contains(Reserved::EXTENSION_PROTOCOL) && self.extension.is_none();
        !waits_for_extension && self.pieces != Pieces::Unsaid
    }

    /// Whether it wants no pieces (BEP 21).
    #[must_use]
    pub fn is_upload_only(&self) -> bool {
        self.extension.as_ref().is_some_and(|extension| extension.upload_only == Some(true))
    }
}

impl Pieces {
    /// Takes the one message that says it all.
    fn begin(&mut self, said: Self) -> Result<(), Violation> {
        if *self != Self::Unsaid {
            return Err(Violation::PiecesTwice);
        }
        *self = said;
        Ok(())
    }

    fn add(&mut self, piece: u32, pieces: Option<u32>) -> Result<(), Violation> {
        let most = pieces.unwrap_or(MOST_PIECES);
        if piece >= most {
            return Err(BitfieldError::NoSuchPiece { piece, pieces: most }.into());
        }
        match self {
            Self::All => {}
            Self::Some { bitfield, by_have, by_bitfield } => {
                // A bitfield has a bit for every piece: one that it has no bit for is none of its torrent's.
                if !*by_bitfield && piece >= bitfield.pieces() {
                    *bitfield = with_room_for(piece, bitfield.as_bytes())?;
                }
                *by_have += u32::from(bitfield.set(piece)?);
            }
            Self::None | Self::Unsaid => {
                let mut bitfield = match pieces {
                    Some(pieces) => Bitfield::empty(pieces),
                    None => with_room_for(piece, &[])?,
                };
                bitfield.set(piece)?;
                *self = Self::Some { bitfield, by_have: 1, by_bitfield: false };
            }
        }
        Ok(())
    }

    /// Whether it has said to have every one of `pieces`.
    ///
    /// Of an unknown number this is certain when every bit of a bitfield is set: spare bits are zero (BEP 3), so there are
    /// none. Who tells its pieces one by one may always have more to tell.
    #[must_use]
    pub fn is_all(&self, pieces: Option<u32>) -> bool {
        match self {
            Self::All => true,
            Self::Some { bitfield, by_bitfield, .. } => bitfield.is_complete() && (pieces.is_some() || *by_bitfield),
            Self::Unsaid | Self::None => false,
        }
    }

    /// The pieces that it lacks for certain, when it has said which it has: all it has not named, and when the number of
    /// pieces is not known, those that are pieces for certain.
    #[must_use]
    pub fn holes(&self, pieces: Option<u32>) -> u32 {
        match self {
            Self::Some { bitfield, by_bitfield, .. } => {
                let there_are = pieces.unwrap_or_else(|| fewest_pieces(bitfield, *by_bitfield));
                there_are.saturating_sub(bitfield.count_ones())
            }
            Self::Unsaid | Self::All | Self::None => 0,
        }
    }

    /// Whether it has said to have a piece.
    pub(crate) fn is_some(&self) -> bool {
        match self {
            Self::All => true,
            Self::Some { bitfield, .. } => bitfield.count_ones() > 0,
            Self::Unsaid | Self::None => false,
        }
    }

    /// How many of `pieces` it has, as far as it has said.
    #[must_use]
    pub fn count(&self, pieces: u32) -> Option<u32> {
        match self {
            Self::Unsaid => None,
            Self::All => Some(pieces),
            Self::None => Some(0),
            Self::Some { bitfield, .. } => Some(bitfield.count_ones()),
        }
    }

    /// Bytes of memory it takes beyond itself.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Some { bitfield, .. } => bitfield.as_bytes().len(),
            _ => 0,
        }
    }
}

/// The pieces of a bitfield when nobody knows how many there are.
fn of_unknown_length(bytes: &[u8]) -> Result<Bitfield, Violation> {
    if bytes.is_empty() {
        return Err(Violation::EmptyBitfield);
    }
    let bits = u32::try_from(bytes.len().saturating_mul(8)).unwrap_or(u32::MAX);
    Ok(Bitfield::new(bytes, bits.min(MOST_PIECES))?)
}

/// The pieces told so far, with room for one more. Twice as many bytes each time: a peer that names one piece after the
/// other does not have us copy all of them for each.
fn with_room_for(piece: u32, told: &[u8]) -> Result<Bitfield, Violation> {
    let length = (piece / 8 + 1).next_power_of_two();
    let mut bytes = vec![0; length as usize];
    bytes.iter_mut().zip(told).for_each(|(to, from)| *to = *from);
    Ok(Bitfield::new(&bytes, 8 * length)?)
}

/// The pieces there are at least. In a bitfield the last byte holds one or more (BEP 3), and of its bits those up to the last
/// that is set are pieces; beyond that nobody can tell pieces that are missing from spare bits. A `have` shows that there
/// are pieces up to its own.
fn fewest_pieces(bitfield: &Bitfield, by_bitfield: bool) -> u32 {
    let bytes = bitfield.as_bytes();
    let last_set = bytes.iter().rposition(|&byte| byte != 0).and_then(|at| Some((at, bytes.get(at)?)));
    let told = last_set.map_or(0, |(at, byte)| at * 8 + 8 - byte.trailing_zeros() as usize);
    let shown = if by_bitfield { (bytes.len() * 8).saturating_sub(7) } else { 0 };
    u32::try_from(told.max(shown)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn said(messages: &[Message]) -> (Said, Option<Violation>) {
        let mut said = Said::default();
        let violation = messages.iter().find_map(|message| said.take(message, Some(12)).err());
        (said, violation)
    }

    fn bitfield(bytes: &'static [u8]) -> Message {
        Message::Bitfield(Bytes::from_static(bytes))
    }

    #[test]
    fn pieces_are_counted_however_they_are_told() {
        for (messages, count) in [
            (vec![], None),
            (vec![Message::Unchoke], None),
            (vec![Message::HaveAll], Some(12)),
            (vec![Message::HaveAll, Message::Have(3)], Some(12)),
            (vec![Message::HaveNone], Some(0)),
            (vec![Message::HaveNone, Message::Have(3), Message::Have(3)], Some(1)),
            (vec![Message::Have(0)], Some(1)),
            (vec![bitfield(b"\xff\xf0")], Some(12)),
            (vec![bitfield(b"\xff\xe0"), Message::Have(11)], Some(12)),
            (vec![bitfield(b"\x00\x00")], Some(0)),
        ] {
            let (said, violation) = said(&messages);
            assert_eq!((said.pieces.count(12), violation), (count, None), "{messages:?}");
        }
    }

    #[test]
    fn a_have_that_fills_a_hole_is_told_from_one_that_repeats() {
        let (said, _) = said(&[bitfield(b"\xff\xe0"), Message::Have(0), Message::Have(11)]);
        assert!(matches!(said.pieces, Pieces::Some { by_have: 1, by_bitfield: true, .. }), "{said:?}");
    }

    #[test]
    fn what_breaks_the_protocol_is_said_and_what_came_before_is_kept() {
        for (messages, text) in [
            (vec![bitfield(b"\xff")], "bitfield of 1 bytes, expected 2 for 12 pieces"),
            (vec![bitfield(b"\xff\xf8")], "bitfield with bits set past the last of 12 pieces"),
            (vec![Message::HaveAll, Message::Have(12)], "piece 12 of a torrent with 12 pieces"),
            (vec![Message::Have(12)], "piece 12 of a torrent with 12 pieces"),
            (vec![Message::HaveAll, Message::HaveNone], "it says twice which pieces it has"),
            (vec![Message::Have(1), bitfield(b"\xff\xf0")], "it says twice which pieces it has"),
        ] {
            let (_, violation) = said(&messages);
            assert_eq!(violation.map(|violation| violation.to_string()).as_deref(), Some(text), "{messages:?}");
        }
        let (said, _) = said(&[Message::HaveAll, Message::HaveNone]);
        assert_eq!(said.pieces, Pieces::All);
    }

    /// What these messages say of a torrent of an unknown number of pieces: whether all are there, the holes, the violation.
    fn unsized_said(messages: &[Message]) -> (bool, u32, Option<String>) {
        let mut said = Said::default();
        let violation = messages.iter().find_map(|message| said.take(message, None).err());
        (said.pieces.is_all(None), said.pieces.holes(None), violation.map(|violation| violation.to_string()))
    }

    #[test]
    fn of_an_unknown_number_of_pieces_only_what_is_certain_is_said() {
        let have = Message::Have;
        for (messages, all, holes) in [
            (vec![], false, 0),
            (vec![Message::HaveAll], true, 0),
            (vec![Message::HaveAll, have(MOST_PIECES - 1)], true, 0),
            (vec![Message::HaveNone], false, 0),
            // Every bit is a piece, and there.
            (vec![bitfield(b"\xff\xff")], true, 0),
            (vec![bitfield(b"\xff\xfe"), have(15)], true, 0),
            // The last seven may be spare bits, the first of the byte is a piece.
            (vec![bitfield(b"\xff\xfe")], false, 0),
            (vec![bitfield(b"\xff\x80")], false, 0),
            (vec![bitfield(b"\xff\x00")], false, 1),
            (vec![bitfield(b"\x00")], false, 1),
            // What stands before a piece is a piece.
            (vec![bitfield(b"\xff\xf2")], false, 2),
            (vec![bitfield(b"\xff\xf0"), have(15)], false, 3),
            (vec![bitfield(b"\xfe\xf0")], false, 1),
            // Told one by one.
            (vec![have(0)], false, 0),
            (vec![Message::HaveNone, have(2), have(0)], false, 1),
            ((0..8).map(have).collect(), false, 0),
            (vec![have(0), have(1000)], false, 999),
            (vec![have(MOST_PIECES - 1), have(0)], false, MOST_PIECES - 2),
        ] {
            assert_eq!(unsized_said(&messages), (all, holes, None), "{messages:?}");
        }
    }

    #[test]
    fn what_breaks_the_protocol_of_any_torrent_is_said() {
        let largest = Message::Bitfield(vec![0xff; MOST_PIECES as usize / 8].into());
        let larger = Message::Bitfield(vec![0xff; MOST_PIECES as usize / 8 + 1].into());
        assert_eq!(unsized_said(&[largest]), (true, 0, None));
        for (messages, text) in [
            (vec![bitfield(b"")], "bitfield of 0 bytes"),
            (vec![larger], "bitfield of 262145 bytes, expected 262144 for 2097152 pieces"),
            (vec![Message::Have(MOST_PIECES)], "piece 2097152 of a torrent with 2097152 pieces"),
            (vec![Message::HaveAll, Message::Have(u32::MAX)], "piece 4294967295 of a torrent with 2097152 pieces"),
            // It has said itself that there are no more than eight.
            (vec![bitfield(b"\xf0"), Message::Have(8)], "piece 8 of a torrent with 8 pieces"),
        ] {
            assert_eq!(unsized_said(&messages).2.as_deref(), Some(text));
        }
    }

    #[test]
    fn a_piece_takes_no_more_memory_than_its_index_asks_for() {
        let mut said = Said::default();
        for (piece, bytes) in [(0, 1), (7, 1), (8, 2), (100, 16), (5, 16), (MOST_PIECES - 1, 1 << 18)] {
            said.take(&Message::Have(piece), None).unwrap();
            assert_eq!(said.pieces.bytes(), bytes, "{piece}");
        }
        assert_eq!(said.pieces.count(MOST_PIECES), Some(6));
    }

    #[test]
    fn what_a_missing_bit_announces_is_not_waited_for() {
        let extension = Message::Extended { id: 0, payload: Bytes::from_static(b"d1:v1:xe") };
        let (both, _) = said(&[extension.clone(), Message::HaveAll]);
        let (pieces, _) = said(&[Message::HaveAll]);
        let bits = Reserved::EXTENSION_PROTOCOL | Reserved::FAST;
        assert!(both.is_all_of(bits) && !pieces.is_all_of(bits) && pieces.is_all_of(Reserved::FAST));
        assert!(!said(&[extension]).0.is_all_of(bits));
    }
}
