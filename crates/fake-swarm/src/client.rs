//! Real clients, imitated from recordings of what they say to an unknown peer.

use std::net::Ipv4Addr;

use crate::extension::ExtensionHandshake;
use crate::message;
use crate::peer::Peer;
use crate::recording::Recording;

/// The bit of the fast extension in the last reserved byte (BEP 6).
const FAST: u8 = 0x04;

/// A client, in the version that Debian 12 or npm has, with the settings it comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// aria2 1.36.0.
    Aria2,
    /// ctorrent dnh3.3.2, which speaks first and knows no extension.
    Ctorrent,
    /// Deluge 2.0.3.
    Deluge,
    /// libtorrent 2.0.8, by its Python binding.
    Libtorrent,
    /// qBittorrent 4.5.2.
    Qbittorrent,
    /// rtorrent 0.9.8, on libTorrent 0.13.8.
    Rtorrent,
    /// Transmission 3.00.
    Transmission,
    /// webtorrent 1.9.7, which does not say in its extension handshake what it is.
    Webtorrent,
}

/// What a client has of a torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// How many pieces the torrent has.
    pub pieces: u32,
    /// Its [bits](message::bits); [`full`](Self::full) and [`empty`](Self::empty) make the common ones.
    pub bits: Vec<u8>,
    /// The length of the info dictionary in bytes.
    pub metadata_size: u32,
}

impl Holding {
    /// A seed's.
    #[must_use]
    pub fn full(pieces: u32, metadata_size: u32) -> Self {
        Self { pieces, bits: message::bits(pieces, |_| true), metadata_size }
    }

    /// Of a leecher that has nothing yet. libtorrent says the same when it is the initial seed (BEP 16), and an `unchoke`
    /// after all else; see [`Client::initial_seed`].
    #[must_use]
    pub fn empty(pieces: u32, metadata_size: u32) -> Self {
        Self { pieces, bits: message::bits(pieces, |_| false), metadata_size }
    }

    fn is_full(&self) -> bool {
        self.bits == message::bits(self.pieces, |_| true)
    }

    fn is_empty(&self) -> bool {
        self.bits.iter().all(|byte| *byte == 0)
    }

    /// What a peer that has this says where another one said this message; `has_fast` is whether it knows the fast extension.
    fn in_place_of(&self, message: &[u8], has_fast: bool) -> Option<Vec<u8>> {
        match *message {
            // A bitfield, `have_all` or `have_none`.
            [_, _, _, _, 5 | 14 | 15, ..] => {
                if has_fast {
                    self.fast()
                } else {
                    self.plain()
                }
            }
            // `allowed_fast`, of a piece that this torrent may not have.
            [_, _, _, _, 17, ref piece @ ..] => {
                let piece = piece.try_into().map_or(u32::MAX, u32::from_be_bytes);
                (piece < self.pieces).then(|| message.to_vec())
            }
            // The extension handshake.
            [_, _, _, _, 20, 0, ref dictionary @ ..] => {
                let recorded = ExtensionHandshake::read(dictionary)?;
                let yourip = recorded.yourip.map(|_| Ipv4Addr::LOCALHOST.into());
                let metadata_size = recorded.metadata_size.map(|_| self.metadata_size);
                Some(ExtensionHandshake { yourip, metadata_size, ..recorded }.message())
            }
            _ => Some(message.to_vec()),
        }
    }

    /// What a client says of its pieces that knows the fast extension (BEP 6).
    fn fast(&self) -> Option<Vec<u8>> {
        match (self.is_full(), self.is_empty()) {
            (true, _) => Some(message::have_all()),
            (_, true) => Some(message::have_none()),
            _ => self.plain(),
        }
    }

    /// What a client says that does not: nothing if it has nothing.
    fn plain(&self) -> Option<Vec<u8>> {
        (!self.is_empty()).then(|| message::bitfield(&self.bits))
    }
}

impl Client {
    /// Every client.
    pub const ALL: [Self; 8] = [
        Self::Aria2,
        Self::Ctorrent,
        Self::Deluge,
        Self::Libtorrent,
        Self::Qbittorrent,
        Self::Rtorrent,
        Self::Transmission,
        Self::Webtorrent,
    ];

    /// What it was recorded to say to an initiator that knows the extension protocol and the fast extension, with these
    /// pieces in the place of the recorded ones. All answer at once here; give Transmission and aria2 a
    /// [`delay`](Peer::delay) of up to 500 ms and 1 s for theirs. Those that tell us our address tell us 127.0.0.1.
    #[must_use]
    pub fn peer(self, holding: &Holding) -> Peer {
        let recording = self.recording();
        let peer = recording.peer();
        let has_fast = peer.reserved[7] & FAST != 0;
        let had = if holding.is_full() {
            "all"
        } else if holding.is_empty() {
            "nothing"
        } else {
            "part"
        };
        // WebTorrent was recorded with all pieces only, and its other messages do not depend on them.
        let recorded = recording.exchange(had).or(recording.exchange("all"));
        let said = recorded.iter().flat_map(|exchange| &exchange.answer).skip(1);
        peer.sending(said.filter_map(|message| holding.in_place_of(message, has_fast)))
    }

    /// What the initial seed (BEP 16) says, of those that can be one: that it has nothing. libtorrent and what is built on it
    /// can be told from peers that have nothing by an `unchoke`.
    #[must_use]
    pub fn initial_seed(self, pieces: u32, metadata_size: u32) -> Peer {
        let peer = self.peer(&Holding::empty(pieces, metadata_size));
        let is_libtorrent = matches!(self, Self::Deluge | Self::Libtorrent | Self::Qbittorrent);
        peer.sending(is_libtorrent.then(message::unchoke))
    }

    /// How its peer ids begin.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.recording().id().map_or("", |(prefix, _)| prefix)
    }

    /// What it was recorded to say.
    #[must_use]
    pub fn recording(self) -> Recording<'static> {
        let file = match self {
            Self::Aria2 => "aria2-1.36.0",
            Self::Ctorrent => "ctorrent-dnh3.3.2",
            Self::Deluge => "deluge-2.0.3",
            Self::Libtorrent => "libtorrent-2.0.8",
            Self::Qbittorrent => "qbittorrent-4.5.2",
            Self::Rtorrent => "rtorrent-0.9.8",
            Self::Transmission => "transmission-3.00",
            Self::Webtorrent => "webtorrent-1.9.7",
        };
        // A test reads them all.
        Recording::of(file).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Step;

    /// What a client says after its handshake.
    fn said(client: Client, holding: &Holding) -> Vec<u8> {
        let steps = client.peer(holding).after.into_iter();
        steps.flat_map(|step| if let Step::Send(bytes) = step { bytes } else { Vec::new() }).collect()
    }

    #[test]
    fn what_is_said_of_pieces() {
        let some = Holding { bits: vec![0xf8, 0], ..Holding::full(13, 332) };
        for (holding, fast, plain) in [
            (Holding::full(13, 332), b"\0\0\0\x01\x0e".as_slice(), b"\0\0\0\x03\x05\xff\xf8".as_slice()),
            (Holding::empty(13, 332), b"\0\0\0\x01\x0f", b""),
            (some, b"\0\0\0\x03\x05\xf8\0", b"\0\0\0\x03\x05\xf8\0"),
        ] {
            assert!(said(Client::Webtorrent, &holding).ends_with(fast));
            assert_eq!(said(Client::Ctorrent, &holding), plain);
        }
    }

    #[test]
    fn every_client_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Client::ALL.iter().map(|client| client.id()).collect();
        assert_eq!(names.len(), Client::ALL.len());
    }
}
