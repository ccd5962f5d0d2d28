//! The software that a message's `v` names.

use std::fmt;

/// The `v` of a message: usually two letters for the software and two bytes for its version. It names the DHT library, not
/// the client around it, and can be any text. `Display` has the name and the version, or the bytes with all that is not printable
/// ASCII escaped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub Box<[u8]>);

/// Software with nodes in the DHT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Software {
    /// libtorrent (Rasterbar), the library of qBittorrent and Deluge.
    Libtorrent,
    /// rTorrent, by its library, which is also named libtorrent.
    RTorrent,
    /// aria2.
    Aria2,
    /// The Rust crate `mainline`.
    Mainline,
    /// The Python package aio-btdht.
    AioBtdht,
    /// µTorrent.
    MicroTorrent,
    /// bt-handshake, this project.
    BtHandshake,
}

/// The beginning of `v` for each. Transmission, bittorrent-dht and rqbit send no `v`.
const NAMES: &[(&[u8], Software)] = &[
    (b"LT", Software::Libtorrent),
    (b"lt", Software::RTorrent),
    (b"A2", Software::Aria2),
    (b"RS", Software::Mainline),
    (b"aio-dht", Software::AioBtdht),
    (b"UT", Software::MicroTorrent),
    (b"HS", Software::BtHandshake),
];

/// The last version of rTorrent's library that is known to name peers with swapped ports, 0.16.22. Measured up to 0.16.17.
const LAST_SWAPPED: [u8; 2] = [0x10, 0x16];

impl Version {
    /// Most bytes that are kept of a message's `v`; the longest that was recorded has 7.
    pub const MAX_BYTES: usize = 16;

    /// The version, cut off after [`MAX_BYTES`](Self::MAX_BYTES).
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().take(Self::MAX_BYTES).collect())
    }

    /// The software, if it is known.
    #[must_use]
    pub fn software(&self) -> Option<Software> {
        NAMES.iter().find(|(start, _)| self.0.starts_with(start)).map(|(_, software)| *software)
    }

    /// Whether the node writes the ports of peers in little-endian order, as rTorrent does: announced 7777 (`1e 61`), named 24862
    /// (`61 1e`).
    #[must_use]
    pub fn has_swapped_ports(&self) -> bool {
        matches!(*self.0, [b'l', b't', major, minor] if [major, minor] <= LAST_SWAPPED)
    }

    /// The version as its maker spells it; `None` where the two bytes are no version of the program.
    fn number(&self) -> Option<String> {
        match *self.0 {
            [b'L', b'T', major, minor] => Some(format!("{major}.{}.{}", minor >> 4, minor & 0x0f)),
            // Since 0.15 rTorrent and its library have the same versions.
            [b'l', b't', minor @ 0x0f..=0x7f, patch] => Some(format!("0.{minor}.{patch}")),
            [b'H', b'S', major, minor] => Some(format!("{major}.{minor}")),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.software(), self.number()) {
            (Some(software), Some(number)) => write!(f, "{software} {number}"),
            (Some(software), None) => software.fmt(f),
            (None, _) => self.0.escape_ascii().fmt(f),
        }
    }
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Libtorrent => "libtorrent",
            Self::RTorrent => "rTorrent",
            Self::Aria2 => "aria2",
            Self::Mainline => "mainline",
            Self::AioBtdht => "aio-btdht",
            Self::MicroTorrent => "µTorrent",
            Self::BtHandshake => "bt-handshake",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_shown_as_their_makers_spell_them() {
        for (bytes, shown) in [
            (&b"LT\x02\x11"[..], "libtorrent 2.1.1"),
            (b"LT\x02\x0e", "libtorrent 2.0.14"),
            (b"LT", "libtorrent"),
            (b"lt\x10\x11", "rTorrent 0.16.17"),
            (b"lt\x0d\x80", "rTorrent"),
            (b"A2\x00\x03", "aria2"),
            (b"RS\x00\x05", "mainline"),
            (b"aio-dht", "aio-btdht"),
            (b"UT\xb6\x34", "µTorrent"),
            (b"HS\x01\x00", "bt-handshake 1.0"),
            (b"XY\x1b[", r"XY\x1b["),
            (b"", ""),
            ("é\u{202e}".as_bytes(), r"\xc3\xa9\xe2\x80\xae"),
            (b"aaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"),
        ] {
            assert_eq!(Version::new(bytes).to_string(), shown);
        }
    }

    #[test]
    fn only_rtorrent_up_to_a_version_has_swapped_ports() {
        for (bytes, swapped) in [
            (&b"lt\x0d\x80"[..], true),
            (b"lt\x10\x11", true),
            (b"lt\x10\x16", true),
            (b"lt\x10\x17", false),
            (b"lt\x11\x00", false),
            (b"lt", false),
            (b"lt\x10\x11\x00", false),
            (b"LT\x02\x0e", false),
        ] {
            assert_eq!(Version::new(bytes).has_swapped_ports(), swapped, "{}", bytes.escape_ascii());
        }
    }
}
