//! What real programs were recorded to say: the files of `fixtures/peer/programs`.

use std::fmt;

use crate::encryption::{Encryption, Mse, PLAINTEXT, RC4, Responder, Select};
use crate::handshake::{HANDSHAKE_LENGTH, PROTOCOL, reserved_in};
use crate::peer::{Id, Peer, Speaks};

/// The name of each file without its ending, and its text.
macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../fixtures/peer/programs/", $name, ".txt")))),*]
    };
}

/// Recordings of one version of a program. The format is described in `fixtures/README.md`: fields, of which the typed
/// methods here read some, and [exchanges](Exchange).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording<'a> {
    /// Names and values, in the order of the file. `note` may be there more than once.
    pub fields: Vec<(&'a str, &'a str)>,
    /// What was asked and answered. The handshake that tells what we support comes before the one that does not.
    pub exchanges: Vec<Exchange<'a>>,
}

/// One connection: a probe, and all that the program sent in the 3 s after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// What the program had of the torrent: `all`, `part` (the first 5 pieces), `nothing`, or `hidden` for all with
    /// super-seeding (BEP 16).
    pub had: &'a str,
    /// The reserved bytes of our handshake, in hex, and in words what we sent beside it.
    pub probe: &'a str,
    /// Its handshake and its messages, whole, in the order in which they came.
    pub answer: Vec<Vec<u8>>,
}

impl Recording<'static> {
    /// Every file of the folder.
    pub const FILES: &'static [(&'static str, &'static str)] = files![
        "aria2-1.36.0" "aria2-1.37.0" "biglybt-4.1.0.0" "ctorrent-dnh3.3.2" "deluge-2.0.3" "deluge-2.2.0" "deluge-2.2.1"
        "libtorrent-2.0.8" "libtorrent-2.0.11" "libtorrent-2.0.14" "libtorrent-2.1.1" "qbittorrent-4.5.2"
        "qbittorrent-5.1.0" "qbittorrent-5.3.0" "rtorrent-0.9.8" "rtorrent-0.16.17" "transmission-3.00"
        "transmission-4.1.0-beta.2" "transmission-4.1.4" "webtorrent-1.9.7" "webtorrent-2.8.5" "webtorrent-3.0.21"
    ];

    /// The recording in this file of the folder, such as `aria2-1.36.0`; `None` if there is none.
    #[must_use]
    pub fn of(file: &str) -> Option<Self> {
        Self::FILES.iter().find(|(name, _)| *name == file).and_then(|(_, text)| Self::parse(text))
    }
}

impl<'a> Recording<'a> {
    /// Reads a file; `None` if it is not of the format.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut sections = text.split("\n\n");
        let field = |line: &'a str| line.split_once(' ').map(|(name, value)| (name, value.trim_start()));
        let fields: Option<Vec<_>> = sections.next()?.lines().map(field).collect();
        let exchanges: Option<_> = sections.map(Exchange::parse).collect();
        Some(Self { fields: fields.filter(|fields| !fields.is_empty())?, exchanges: exchanges? })
    }

    /// The value of the first field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
    }

    /// The first exchange in which the program had this much of the torrent.
    #[must_use]
    pub fn exchange(&self, had: &str) -> Option<&Exchange<'a>> {
        self.exchanges.iter().find(|exchange| exchange.had == had)
    }

    /// The info-hash in hex and the number of pieces of the torrent that was asked for.
    #[must_use]
    pub fn torrent(&self) -> Option<(&'a str, u32)> {
        let (info_hash, pieces) = self.field("torrent")?.split_once(' ')?;
        Some((info_hash, pieces.parse().ok()?))
    }

    /// How its peer ids begin, and whether it draws another one for each connection.
    #[must_use]
    pub fn id(&self) -> Option<(&'a str, bool)> {
        let (prefix, kept) = self.field("peer_id")?.split_once(' ')?;
        Some((prefix, kept == "per-connection"))
    }

    /// What it does with a plaintext handshake and with Message Stream Encryption. Where the latter was not measured, it
    /// speaks none.
    fn encryption(&self) -> Encryption {
        let methods = self.field("mse").unwrap_or_default().split(' ').filter_map(|method| match method {
            "plaintext" => Some(PLAINTEXT),
            "rc4" => Some(RC4),
            _ => None,
        });
        let methods: Vec<u32> = methods.collect();
        let responder = Responder::selecting(Select::FirstOf(methods.clone()));
        let mse = if methods.is_empty() { Mse::Unknown } else { Mse::Spoken(responder) };
        Encryption { mse, ..Encryption::default() }
    }
}

impl Recording<'static> {
    /// A peer with the program's peer id, handshake and encryption, that says nothing after its handshake. All its
    /// connections have the same peer id.
    #[must_use]
    pub fn peer(&self) -> Peer {
        let default = Peer::default();
        let number = |name| self.field(name).and_then(|value| value.parse().ok());
        let closes_on = self.field("closes_on").unwrap_or_default().split(' ');
        Peer {
            id: self.id().map_or(default.id, |(prefix, _)| Id::Beginning(prefix)),
            reserved: self.exchanges.iter().find_map(Exchange::reserved).unwrap_or(default.reserved),
            encryption: self.encryption(),
            speaks: match number("speaks_after") {
                Some(0) => Speaks::OnAccept,
                Some(bytes) => Speaks::After(bytes),
                None => default.speaks,
            },
            closes_on: closes_on.filter_map(|id| id.parse().ok()).collect(),
            ..default
        }
    }
}

impl<'a> Exchange<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.lines();
        let (had, probe) = lines.next()?.split_once(' ')?;
        let answer = lines.map(|line| unescaped(line.strip_prefix("  ")?));
        Some(Self { had, probe, answer: answer.collect::<Option<_>>()? })
    }

    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.answer.concat()
    }

    /// The payload of its extension handshake (BEP 10).
    #[must_use]
    pub fn extension_handshake(&self) -> Option<&[u8]> {
        // Length, id of the message, id of the extension.
        self.answer.iter().find(|message| message.get(4..6) == Some(&[20, 0]))?.get(6..)
    }

    /// The reserved bytes of its handshake.
    fn reserved(&self) -> Option<[u8; 8]> {
        self.answer.iter().find_map(|message| reserved_in(message))
    }
}

/// Cuts what came over a connection into handshake and messages; what is no whole one is the last.
#[must_use]
pub fn cut(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let prefix = bytes.first_chunk().map_or(0, |prefix| u32::from_be_bytes(*prefix));
        let length = if bytes.starts_with(PROTOCOL) { HANDSHAKE_LENGTH } else { (prefix as usize).saturating_add(4) };
        let (message, rest) = bytes.split_at(length.min(bytes.len()));
        messages.push(message.to_vec());
        bytes = rest;
    }
    messages
}

/// The bytes that `escape_ascii` has written so.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        (bytes, rest) = match (byte, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                (bytes, after)
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(match escaped {
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b'\\' | b'\'' | b'"' => *escaped,
                    _ => return None,
                });
                (bytes, after)
            }
            (b'\\', []) => return None,
            (byte, after) => {
                bytes.push(*byte);
                (bytes, after)
            }
        };
    }
    Some(bytes)
}

/// The file as it is read.
impl fmt::Display for Recording<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.iter().try_for_each(|(name, value)| writeln!(formatter, "{name:<13}{value}"))?;
        self.exchanges.iter().try_for_each(|exchange| write!(formatter, "\n{exchange}"))
    }
}

/// A section of the file.
impl fmt::Display for Exchange<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} {}", self.had, self.probe)?;
        self.answer.iter().try_for_each(|message| writeln!(formatter, "  {}", message.escape_ascii()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Holding};
    use crate::extension::ExtensionHandshake;
    use crate::peer::Step;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_is_listed_and_written_as_it_is_read() {
        for (file, text) in Recording::FILES {
            let recording = Recording::parse(text).unwrap_or_else(|| panic!("{file}"));
            assert_eq!(recording.to_string(), *text, "{file}");
            for field in ["program", "source", "recorded"] {
                assert!(recording.field(field).is_some_and(|value| !value.is_empty()), "{file} {field}");
            }
            let ((prefix, _), (info_hash, pieces)) = (recording.id().unwrap(), recording.torrent().unwrap());
            assert!(info_hash.len() == 40 && pieces > 0);
            for exchange in &recording.exchanges {
                assert_eq!(cut(&exchange.bytes()), exchange.answer, "{file}");
                let handshake = exchange.answer.iter().find(|message| message.starts_with(PROTOCOL)).unwrap();
                assert!(handshake[48..].starts_with(prefix.as_bytes()), "{file}");
                assert_eq!(exchange.reserved(), recording.exchanges[0].reserved());
                if let Some(dictionary) = exchange.extension_handshake() {
                    let read = ExtensionHandshake::read(dictionary).unwrap_or_else(|| panic!("{file}"));
                    assert_eq!(read.dictionary(), dictionary, "{file}");
                }
            }
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/peer/programs");
        let there = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let listed = Recording::FILES.iter().map(|(file, _)| format!("{file}.txt"));
        assert_eq!(listed.collect::<BTreeSet<_>>(), there.collect());
        let table = folder.join("../../../crates/peer-session/CLIENTS.md");
        let table = std::fs::read_to_string(table).unwrap();
        assert!(Recording::FILES.iter().all(|(file, _)| table.contains(&format!("`{file}`"))));
    }

    /// All that a peer says after its handshake.
    fn said(peer: Peer) -> Vec<u8> {
        peer.after.into_iter().flat_map(|step| if let Step::Send(bytes) = step { bytes } else { Vec::new() }).collect()
    }

    #[test]
    fn clients_say_what_was_recorded() {
        for client in Client::ALL {
            let recording = client.recording();
            let (_, pieces) = recording.torrent().unwrap();
            for had in ["all", "part", "nothing", "hidden"] {
                let Some(exchange) = recording.exchange(had) else { continue };
                let dictionary = exchange.extension_handshake().unwrap_or(b"de");
                let extension = ExtensionHandshake::read(dictionary).unwrap();
                let bits = crate::message::bits(pieces, |piece| had == "all" || had == "part" && piece < 5);
                let holding = Holding { pieces, bits, metadata_size: extension.metadata_size.unwrap_or(0) };
                let peer = if had == "hidden" {
                    client.initial_seed(pieces, holding.metadata_size)
                } else {
                    client.peer(&holding)
                };
                // All but where it sees us.
                let recorded = String::from_utf8_lossy(&exchange.answer[1..].concat()).into_owned();
                let (before, after) = recorded.split_once("yourip4:").unwrap_or((&recorded, ""));
                let said = String::from_utf8_lossy(&said(peer)).into_owned();
                assert!(said.starts_with(before), "{client:?} {had}: {said:?} {recorded:?}");
                let tail = after.char_indices().nth(4).map_or("", |(at, _)| &after[at..]);
                assert!(said.ends_with(tail), "{client:?} {had}: {said:?} {recorded:?}");
            }
        }
    }

    #[test]
    fn what_is_not_of_the_format() {
        let good = "program x\n\nall 00\n  a\\x00\\\\\n";
        assert_eq!(Recording::parse(good).unwrap().exchanges[0].answer, [b"a\0\\"]);
        for wrong in [
            "",
            "program",
            "program x\n\nall",
            "program x\n\nall 00\nx",
            "program x\n\nall 00\n  \\",
            "program x\n\nall 00\n  \\x0",
        ] {
            assert_eq!(Recording::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(cut(b"\0\0\0\x01\x0e\0\0\0\x09\x01"), [b"\0\0\0\x01\x0e".to_vec(), b"\0\0\0\x09\x01".to_vec()]);
    }
}
