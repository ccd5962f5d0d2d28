//! What a peer says of itself after its handshake: which pieces it has (BEP 3, 6) and what it is (BEP 10).

use peer_wire::{Bitfield, BitfieldError, CodecError, ExtensionHandshake, ExtensionHandshakeError, Message, Reserved};

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
        /// Which.
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
    /// BEP 6 allows one of bitfield, have all and have none, once.
    #[error("it says twice which pieces it has")]
    PiecesTwice,
}

impl Said {
    /// Takes in one message of a peer of a torrent with so many pieces. What does not say anything of the peer is passed
    /// over.
    ///
    /// # Errors
    /// What the message breaks; what was said before stays said.
    pub fn take(&mut self, message: &Message, pieces: u32) -> Result<(), Violation> {
        self.messages += 1;
        match message {
            Message::Bitfield(bytes) => {
                let bitfield = Bitfield::new(bytes, pieces)?;
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

    fn add(&mut self, piece: u32, pieces: u32) -> Result<(), Violation> {
        let by_bitfield = match self {
            Self::Some { bitfield, by_have, .. } => {
                *by_have += u32::from(bitfield.set(piece)?);
                return Ok(());
            }
            Self::All if piece < pieces => return Ok(()),
            Self::All => return Err(BitfieldError::NoSuchPiece { piece, pieces }.into()),
            Self::None | Self::Unsaid => false,
        };
        let mut bitfield = Bitfield::empty(pieces);
        bitfield.set(piece)?;
        *self = Self::Some { bitfield, by_have: 1, by_bitfield };
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn said(messages: &[Message]) -> (Said, Option<Violation>) {
        let mut said = Said::default();
        let violation = messages.iter().find_map(|message| said.take(message, 12).err());
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
