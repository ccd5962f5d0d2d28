//! Real clients as a stranger meets them.

use std::net::Ipv4Addr;

use crate::encryption::{Encryption, Mse, PLAINTEXT, RC4, Responder, Select};
use crate::handshake::{HANDSHAKE_LENGTH, RESERVED, UP_TO_INFO_HASH};
use crate::{ExtensionHandshake, Id, Peer, Speaks, message};

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

/// libtorrent's ids for extensions, without `ut_pex`, which some of the clients built on it have turned off.
const LIBTORRENT: &[(&str, u8)] =
    &[("lt_donthave", 7), ("share_mode", 8), ("upload_only", 3), ("ut_holepunch", 4), ("ut_metadata", 2)];
/// And with it.
const LIBTORRENT_WITH_PEX: &[(&str, u8)] = &[
    ("lt_donthave", 7),
    ("share_mode", 8),
    ("upload_only", 3),
    ("ut_holepunch", 4),
    ("ut_metadata", 2),
    ("ut_pex", 1),
];
/// The port that clients name which name one.
const PORT: u16 = 51413;

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

    /// What it says to an initiator that knows the extension protocol and the fast extension. All answer at once here;
    /// give Transmission and aria2 a [`delay`](Peer::delay) of up to 500 ms and 1 s for theirs. Those that tell us our
    /// address tell us 127.0.0.1.
    #[must_use]
    pub fn peer(self, holding: &Holding) -> Peer {
        let peer = Peer {
            id: Id::Beginning(self.id()),
            reserved: self.reserved(),
            encryption: self.encryption(),
            speaks: self.speaks(),
            // It takes the fast extension, which it did not ask for, for a violation.
            closes_on: if self == Self::Rtorrent { vec![13, 14, 15, 16, 17] } else { Vec::new() },
            ..Peer::default()
        };
        peer.sending(self.introduction(holding).map(|handshake| handshake.message()))
            .sending(if self.is_fast() { holding.fast() } else { holding.plain() })
            .sending(self.last_words(holding))
    }

    /// What the initial seed (BEP 16) says, of those that can be one: that it has nothing. libtorrent and what is built on it
    /// betray themselves by an `unchoke`.
    #[must_use]
    pub fn initial_seed(self, pieces: u32, metadata_size: u32) -> Peer {
        let peer = self.peer(&Holding::empty(pieces, metadata_size));
        let is_libtorrent = matches!(self, Self::Deluge | Self::Libtorrent | Self::Qbittorrent);
        peer.sending(is_libtorrent.then(message::unchoke))
    }

    /// How its peer ids begin.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Aria2 => "A2-1-36-0-",
            Self::Ctorrent => "-CD0303-",
            Self::Deluge => "-DE203s-",
            Self::Libtorrent => "-LT2080-",
            Self::Qbittorrent => "-qB4520-",
            Self::Rtorrent => "-lt0D80-",
            Self::Transmission => "-TR3000-",
            Self::Webtorrent => "-WW0109-",
        }
    }

    /// Whether it knows the fast extension.
    fn is_fast(self) -> bool {
        !matches!(self, Self::Ctorrent | Self::Rtorrent)
    }

    fn reserved(self) -> [u8; 8] {
        match self {
            Self::Ctorrent => [0; 8],
            Self::Rtorrent => [0, 0, 0, 0, 0, 0x10, 0, 0],
            Self::Aria2 | Self::Transmission => [0, 0, 0, 0, 0, 0x10, 0, 0x04],
            Self::Deluge | Self::Libtorrent | Self::Qbittorrent | Self::Webtorrent => RESERVED,
        }
    }

    fn speaks(self) -> Speaks {
        match self {
            Self::Ctorrent => Speaks::OnAccept,
            Self::Webtorrent => Speaks::After(HANDSHAKE_LENGTH),
            _ => Speaks::After(UP_TO_INFO_HASH),
        }
    }

    fn encryption(self) -> Encryption {
        let methods: &[u32] = match self {
            Self::Ctorrent | Self::Webtorrent => return Encryption::default(),
            Self::Aria2 | Self::Libtorrent => &[PLAINTEXT, RC4],
            Self::Deluge | Self::Rtorrent => &[RC4, PLAINTEXT],
            Self::Qbittorrent | Self::Transmission => &[RC4],
        };
        let responder = Responder::selecting(Select::FirstOf(methods.to_vec()));
        Encryption { mse: Mse::Spoken(responder), ..Encryption::default() }
    }

    /// Its extension handshake, if it knows the extension protocol.
    fn introduction(self, holding: &Holding) -> Option<ExtensionHandshake<'static>> {
        let common = ExtensionHandshake { metadata_size: Some(holding.metadata_size), ..Default::default() };
        let upload_only = holding.is_full().then_some(true);
        let libtorrents = |v, m| libtorrents_introduction(v, m, ExtensionHandshake { upload_only, ..common.clone() });
        Some(match self {
            Self::Ctorrent => return None,
            Self::Aria2 => {
                ExtensionHandshake { v: Some("aria2/1.36.0"), p: Some(PORT), m: &[("ut_metadata", 9)], ..common }
            }
            Self::Deluge => libtorrents("Deluge/2.0.3 libtorrent/2.0.8.0", LIBTORRENT),
            Self::Libtorrent => libtorrents("libtorrent/2.0.8.0", LIBTORRENT_WITH_PEX),
            Self::Qbittorrent => libtorrents("qBittorrent/4.5.2", LIBTORRENT),
            Self::Rtorrent => ExtensionHandshake {
                v: Some("libTorrent 0.13.8"),
                p: Some(PORT),
                reqq: Some(2048),
                e: Some(false),
                m: &[("ut_metadata", 2), ("ut_pex", 0)],
                ..common
            },
            Self::Transmission => ExtensionHandshake {
                v: Some("Transmission 3.00"),
                p: Some(PORT),
                reqq: Some(512),
                e: Some(true),
                m: &[("ut_metadata", 3)],
                upload_only,
                ..common
            },
            Self::Webtorrent => {
                ExtensionHandshake { m: &[("lt_donthave", 3), ("ut_metadata", 1), ("ut_pex", 2)], ..common }
            }
        })
    }

    /// What it says after its pieces.
    fn last_words(self, holding: &Holding) -> Vec<Vec<u8>> {
        match self {
            Self::Aria2 => (0..holding.pieces.min(10)).map(message::allowed_fast).collect(),
            Self::Qbittorrent if !holding.is_empty() => vec![message::unchoke(), message::choke()],
            Self::Deluge | Self::Libtorrent if !holding.is_empty() => vec![message::unchoke()],
            _ => Vec::new(),
        }
    }
}

/// What libtorrent says beside this for the client that is built on it.
fn libtorrents_introduction<'a>(
    v: &'a str,
    m: &'a [(&'a str, u8)],
    common: ExtensionHandshake<'a>,
) -> ExtensionHandshake<'a> {
    let yourip = Some(Ipv4Addr::LOCALHOST.into());
    ExtensionHandshake { v: Some(v), m, reqq: Some(2000), complete_ago: Some(-1), yourip, ..common }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    /// What a client says after its handshake.
    fn said(client: Client, holding: &Holding) -> Vec<u8> {
        let steps = client.peer(holding).after.into_iter();
        steps.flat_map(|step| if let Step::Send(bytes) = step { bytes } else { Vec::new() }).collect()
    }

    #[test]
    fn recorded_words() {
        let full = Holding::full(13, 332);
        assert_eq!(
            said(Client::Rtorrent, &full),
            b"\0\0\0\x6d\x14\0d1:ei0e1:md11:ut_metadatai2e6:ut_pexi0ee13:metadata_sizei332e1:pi51413e4:reqqi2048e\
                1:v17:libTorrent 0.13.8e\0\0\0\x03\x05\xff\xf8"
        );
        assert_eq!(
            said(Client::Qbittorrent, &full),
            b"\0\0\0\xc8\x14\0d12:complete_agoi-1e1:md11:lt_donthavei7e10:share_modei8e11:upload_onlyi3e\
                12:ut_holepunchi4e11:ut_metadatai2ee13:metadata_sizei332e4:reqqi2000e11:upload_onlyi1e\
                1:v17:qBittorrent/4.5.26:yourip4:\x7f\0\0\x01e\0\0\0\x01\x0e\0\0\0\x01\x01\0\0\0\x01\0"
                .as_slice()
        );
        assert_eq!(said(Client::Ctorrent, &full), b"\0\0\0\x03\x05\xff\xf8");
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
