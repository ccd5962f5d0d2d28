//! What a peer says about itself after its handshake: which pieces it has (BEP 3, 6), and its extension handshake (BEP 10).

use crate::habits::{Silence, silence};
use crate::oddity::{Oddities, Oddity};
use ids::PeerId;
use peer_wire::{
    Bitfield, BitfieldError, Codec, CodecError, Extension, ExtensionHandshake, ExtensionHandshakeError, Handshake,
    Message, Reserved,
};

/// Most pieces a torrent has whose number is not known: as many as the largest bitfield has bits that the codec takes.
const MOST_PIECES: u32 = (Codec::MAX_FRAME - 1) * 8;

/// What a peer has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    /// The pieces it has.
    pub pieces: Pieces,
    /// Its extension handshake; a later one adds to an earlier one.
    pub extension: Option<Box<ExtensionHandshake>>,
    /// Messages it has sent, keep-alives included.
    pub messages: usize,
    /// Whether it would give us pieces now: it has sent `unchoke`.
    pub unchoked: bool,
    /// The port of its node in the DHT (BEP 5); the last one, if it said several.
    pub dht_port: Option<u16>,
    /// What it did against the protocol, without harm.
    pub oddities: Oddities,
    /// Whether it has sent a bitfield, `have_all` or `have_none`.
    has_stated_all: bool,
}

/// The pieces a peer says it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pieces {
    /// It has not said.
    #[default]
    Unknown,
    /// BEP 6: `have_all`.
    All,
    /// BEP 6: `have_none`.
    None,
    /// Some.
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
    /// A message that an extension cannot read.
    #[error("message of the extension {extension} that cannot be read")]
    ExtensionMessage {
        /// The name of the extension.
        extension: &'static str,
    },
}

impl Advertised {
    /// Takes in one message of a peer, of a torrent with `pieces` pieces if that is known. Messages that say nothing about the
    /// peer are ignored.
    ///
    /// # Errors
    /// What the message breaks; what was said before stays said.
    pub fn take(&mut self, message: &Message, pieces: Option<u32>) -> Result<(), Violation> {
        self.messages += 1;
        match message {
            Message::Bitfield(bytes) => {
                let (bitfield, spare_bits) = match pieces {
                    Some(pieces) => Bitfield::new_lenient(bytes, pieces)?,
                    None => (of_unknown_length(bytes)?, false),
                };
                if spare_bits {
                    self.oddities.add(Oddity::SpareBits);
                }
                self.begin(Pieces::Some { bitfield, by_have: 0, by_bitfield: true });
                Ok(())
            }
            Message::HaveAll => {
                self.begin(Pieces::All);
                Ok(())
            }
            Message::HaveNone => {
                self.begin(Pieces::None);
                Ok(())
            }
            Message::Have(piece) => self.pieces.add(*piece, pieces),
            Message::Unchoke => {
                self.unchoked = true;
                Ok(())
            }
            Message::Port(port) => {
                self.dht_port = Some(*port);
                Ok(())
            }
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

    /// Judges again what was said of the pieces before their number was known; afterwards it is as if the number had been known
    /// from the beginning. Does nothing where that is so.
    ///
    /// # Errors
    /// What was said belongs to another torrent: a bitfield of another length, or a piece that this one does not have.
    pub fn settle(&mut self, pieces: u32) -> Result<(), Violation> {
        let Pieces::Some { bitfield, by_bitfield, .. } = &mut self.pieces else { return Ok(()) };
        if bitfield.pieces() == pieces {
            return Ok(());
        }
        if *by_bitfield {
            let (settled, spare_bits) = Bitfield::new_lenient(bitfield.as_bytes(), pieces)?;
            *bitfield = settled;
            if spare_bits {
                self.oddities.add(Oddity::SpareBits);
            }
        } else {
            let mut settled = Bitfield::empty(pieces);
            for piece in bitfield.ones() {
                settled.set(piece)?;
            }
            *bitfield = settled;
        }
        Ok(())
    }

    /// Takes in the one message that states all pieces; what was said of them before is forgotten.
    fn begin(&mut self, pieces: Pieces) {
        if self.has_stated_all {
            self.oddities.add(Oddity::PiecesTwice);
        } else if self.pieces != Pieces::Unknown {
            self.oddities.add(Oddity::HaveBeforeBitfield);
        }
        (self.pieces, self.has_stated_all) = (pieces, true);
    }

    /// Whether everything has come that a peer with this handshake will send at once. What its reserved bits do not offer will
    /// not come; without Fast (BEP 6) a peer without pieces may leave its bitfield out.
    #[must_use]
    pub fn is_all_of(&self, theirs: &Handshake) -> bool {
        let waits_for_extension = theirs.reserved.contains(Reserved::EXTENSION_PROTOCOL) && self.extension.is_none();
        let said = self.pieces != Pieces::Unknown || self.silence(theirs.peer_id).is_some();
        !waits_for_extension && said
    }

    /// What it means that it has not said anything of its pieces; `None` when that may come, or has.
    #[must_use]
    pub fn silence(&self, peer_id: PeerId) -> Option<Silence> {
        // It says everything in one go, and this has come.
        let extension = self.extension.as_ref().filter(|_| self.pieces == Pieces::Unknown)?;
        // It takes the metadata from others, and does not offer them (BEP 9): it knows no piece. Private torrents have
        // neither.
        let lacks_metadata =
            extension.extension_id(Extension::UtMetadata).is_some() && extension.metadata_size.is_none();
        silence(peer_id).or(lacks_metadata.then_some(Silence::Empty))
    }

    /// Whether it wants no pieces (BEP 21).
    #[must_use]
    pub fn is_upload_only(&self) -> bool {
        self.extension.as_ref().is_some_and(|extension| extension.upload_only == Some(true))
    }
}

impl Pieces {
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
            Self::None | Self::Unknown => {
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
    /// none. A peer that names its pieces one by one may always name more.
    #[must_use]
    pub fn is_all(&self, pieces: Option<u32>) -> bool {
        match self {
            Self::All => true,
            Self::Some { bitfield, by_bitfield, .. } => bitfield.is_complete() && (pieces.is_some() || *by_bitfield),
            Self::Unknown | Self::None => false,
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
            Self::Unknown | Self::All | Self::None => 0,
        }
    }

    /// Whether it has said to have a piece.
    #[must_use]
    pub fn is_some(&self) -> bool {
        match self {
            Self::All => true,
            Self::Some { bitfield, .. } => bitfield.count_ones() > 0,
            Self::Unknown | Self::None => false,
        }
    }

    /// How many of `pieces` it has, as far as it has said.
    #[must_use]
    pub fn count(&self, pieces: u32) -> Option<u32> {
        match self {
            Self::Unknown => None,
            Self::All => Some(pieces),
            Self::None => Some(0),
            Self::Some { bitfield, .. } => Some(bitfield.count_ones()),
        }
    }

    /// Bytes of memory it takes beyond itself.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Some { bitfield, .. } => bitfield.as_bytes().len(),
            _ => 0,
        }
    }
}

/// The pieces of a bitfield when their number is unknown.
fn of_unknown_length(bytes: &[u8]) -> Result<Bitfield, Violation> {
    if bytes.is_empty() {
        return Err(Violation::EmptyBitfield);
    }
    let bits = u32::try_from(bytes.len().saturating_mul(8)).unwrap_or(u32::MAX);
    Ok(Bitfield::new(bytes, bits.min(MOST_PIECES))?)
}

/// The pieces so far, with room for one more. The size doubles each time, so that a peer that names its pieces in order does not
/// make us copy them for each.
fn with_room_for(piece: u32, told: &[u8]) -> Result<Bitfield, Violation> {
    let length = (piece / 8 + 1).next_power_of_two();
    let mut bytes = vec![0; length as usize];
    bytes.iter_mut().zip(told).for_each(|(to, from)| *to = *from);
    Ok(Bitfield::new(&bytes, 8 * length)?)
}

/// The pieces there are at least. In a bitfield the last byte holds one or more (BEP 3), and of its bits those up to the last
/// that is set are pieces; beyond that missing pieces and spare bits look the same. A `have` shows that there
/// are pieces up to its own.
fn fewest_pieces(bitfield: &Bitfield, by_bitfield: bool) -> u32 {
    let bytes = bitfield.as_bytes();
    let last_set = bytes.iter().rposition(|&byte| byte != 0).and_then(|at| Some((at, bytes.get(at)?)));
    let told = last_set.map_or(0, |(at, byte)| at * 8 + 8 - byte.trailing_zeros() as usize);
    let shown = if by_bitfield { (bytes.len() * 8).saturating_sub(7) } else { 0 };
    u32::try_from(told.max(shown)).unwrap_or(u32::MAX)
}

/// Most holes of a lazy bitfield: µTorrent leaves out 10 to 32 and then tells some.
pub const MOST_HOLES: u32 = 32;

/// Whether a bitfield may be a lazy one, whose holes are filled by `have` messages in a moment: it has more pieces than
/// holes, and no more holes than such a bitfield has.
#[must_use]
pub fn may_be_lazy(said: &Advertised, pieces: Option<u32>) -> bool {
    let Pieces::Some { bitfield, by_bitfield: true, .. } = &said.pieces else { return false };
    let missing = said.pieces.holes(pieces);
    (1..=MOST_HOLES).contains(&missing) && missing < bitfield.count_ones()
}

#[cfg(test)]
mod tests;
