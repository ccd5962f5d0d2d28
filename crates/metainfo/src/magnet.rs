//! Magnet links (BEP 9, "magnet URI format").

mod error;
mod peer;
mod text;
mod topic;

pub use error::MagnetError;
pub use peer::MagnetPeer;

use crate::diagnostic::Diagnostics;
use crate::error::Problem;
use crate::hashes::Hashes;
use crate::trackers::Tracker;
use percent_encoding::percent_decode_str;
use text::{decoded, without_number, without_prefix};
use topic::Topics;

/// The contents of a magnet link, as libtorrent 2.1 reads it; differences are stated at the fields and at
/// [`parse`](Self::parse). More fields may be added.
///
/// A link identifies a torrent; it tells neither its size nor whether it is private (BEP 27). The files to download (`so`,
/// BEP 53) are ignored, because nothing is downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Magnet {
    /// `xt`: the info-hash, or both of a hybrid.
    pub hashes: Hashes,
    /// `dn`: the name to show until the torrent's own is known: any text that is not empty, with what is not UTF-8 replaced. If
    /// there are several, the last; a `+` is a space; both as in libtorrent.
    pub name: Option<String>,
    /// `tr`: trackers in the link's order, including duplicate and unusable ones. BEP 9 has no tiers; libtorrent puts each in
    /// its own. A `+` is a `+`; libtorrent reads it as a space, and then drops the URL.
    pub trackers: Vec<Tracker>,
    /// `x.pe`: peers in the link's order, including duplicates. libtorrent accepts neither the host names of BEP 9 nor `%3A` for
    /// a colon.
    pub peers: Vec<MagnetPeer>,
    /// `ws`: web seeds (BEP 19), each once.
    pub web_seeds: Vec<String>,
    /// Fields that were ignored; offsets are in bytes of the link.
    pub diagnostics: Diagnostics,
}

impl Magnet {
    /// How every link begins, in upper or lower case. libtorrent accepts lower case only; RFC 3986, 3.1: "schemes are
    /// case-insensitive".
    pub const PREFIX: &str = "magnet:?";
    /// Longest link accepted, in bytes. Links with all the public trackers of the usual lists have a few KiB.
    pub const MAX_BYTES: usize = 64 << 10;
    /// Most trackers: several times as many as the longest of those lists has.
    pub const MAX_TRACKERS: usize = 1024;
    /// Most peers. Real links have one or two, and a link must not aim us at a whole network.
    pub const MAX_PEERS: usize = 1024;
    /// Most web seeds.
    pub const MAX_WEB_SEEDS: usize = 1024;

    /// Reads a link. Whitespace around it and unknown fields are ignored. Names of fields may have a number, such as `tr.1`,
    /// and may be in upper or lower case. A tracker, peer or web seed that is invalid is ignored and noted in
    /// [`diagnostics`](Self::diagnostics). `&amp;` instead of `&`, as in HTML, is accepted and noted; a link that was
    /// percent-encoded as a whole is decoded first.
    ///
    /// # Errors
    /// Text that is not a magnet link, or not one of a torrent; an invalid info-hash; two torrents in one link; a limit that is
    /// exceeded.
    pub fn parse(link: &str) -> Result<Self, MagnetError> {
        if link.len() > Self::MAX_BYTES {
            return Err(MagnetError::TooLong { max: Self::MAX_BYTES });
        }
        if is_encoded_whole(link.trim_start()) {
            let decoded = percent_decode_str(link).decode_utf8_lossy();
            return if is_encoded_whole(&decoded) { Err(MagnetError::NotAMagnet) } else { Self::parse(&decoded) };
        }
        let begun = link.trim_start();
        let fields = without_prefix(begun, Self::PREFIX).ok_or(MagnetError::NotAMagnet)?;
        let mut reader = Reader::default();
        let mut offset = link.len() - fields.len();
        for field in fields.trim_end().split('&') {
            reader.read(field, offset)?;
            offset += field.len() + 1;
        }
        let Reader { topics, name, trackers, peers, web_seeds, diagnostics } = reader;
        let hashes = topics.hashes()?;
        Ok(Self { hashes, name, trackers, peers, web_seeds, diagnostics })
    }
}

/// The fields read so far.
#[derive(Default)]
struct Reader {
    topics: Topics,
    name: Option<String>,
    trackers: Vec<Tracker>,
    peers: Vec<MagnetPeer>,
    web_seeds: Vec<String>,
    diagnostics: Diagnostics,
}

impl Reader {
    /// Reads `NAME=VALUE`, which begins at `offset` in the link.
    fn read(&mut self, field: &str, offset: usize) -> Result<(), MagnetError> {
        let mut field = field;
        while let Some(rest) = HTML_AMPERSANDS.iter().find_map(|ampersand| without_prefix(field, ampersand)) {
            field = rest;
            self.diagnostics.html_ampersand(offset);
        }
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let name = without_number(name).to_ascii_lowercase();
        match name.as_str() {
            "xt" => return self.topics.add(&percent_decode_str(value).decode_utf8_lossy()),
            "dn" => {
                let shown = value.replace('+', " ");
                let shown = percent_decode_str(&shown).decode_utf8_lossy();
                self.name = Some(shown.into_owned()).filter(|name| !name.is_empty());
            }
            "tr" => {
                let read = decoded(value).and_then(|url| Tracker::new(&url).ok_or(Problem::Empty));
                let too_many = MagnetError::TooManyTrackers { max: Magnet::MAX_TRACKERS };
                let read = self.or_note(&name, read, offset);
                return push(&mut self.trackers, read, Magnet::MAX_TRACKERS, too_many);
            }
            "x.pe" => {
                let read = decoded(value).and_then(|peer| peer.parse().map_err(|_| Problem::NotAPeer));
                let too_many = MagnetError::TooManyPeers { max: Magnet::MAX_PEERS };
                let read = self.or_note(&name, read, offset);
                return push(&mut self.peers, read, Magnet::MAX_PEERS, too_many);
            }
            "ws" => {
                let too_many = MagnetError::TooManyWebSeeds { max: Magnet::MAX_WEB_SEEDS };
                let read = self.or_note(&name, decoded(value), offset).filter(|url| !self.web_seeds.contains(url));
                return push(&mut self.web_seeds, read, Magnet::MAX_WEB_SEEDS, too_many);
            }
            _ => {}
        }
        Ok(())
    }

    /// The value, or `None` and a diagnostic.
    fn or_note<T>(&mut self, name: &str, read: Result<T, Problem>, offset: usize) -> Option<T> {
        read.map_err(|problem| self.diagnostics.ignored(|| name.to_owned(), problem, offset)).ok()
    }
}

/// The text after the `&` of an HTML-escaped ampersand.
const HTML_AMPERSANDS: [&str; 3] = ["amp;", "#38;", "#x26;"];

/// Whether the whole link is percent-encoded, as it is inside another URL.
fn is_encoded_whole(link: &str) -> bool {
    let fields = without_prefix(link, Magnet::PREFIX);
    let names = |fields: &str| !fields.contains('=') && fields.to_ascii_lowercase().contains("%3d");
    without_prefix(link, "magnet%3a").is_some() || fields.is_some_and(names)
}

/// Adds an entry to a list of at most `max`.
fn push<T>(list: &mut Vec<T>, entry: Option<T>, max: usize, too_many: MagnetError) -> Result<(), MagnetError> {
    if entry.is_some() && list.len() >= max {
        return Err(too_many);
    }
    list.extend(entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINK: &str = "magnet:?xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c32";

    #[test]
    fn exceeding_each_limit_by_one_is_an_error_of_its_own() {
        let with = |field: &dyn Fn(usize) -> String, count: usize| {
            Magnet::parse(&(LINK.to_owned() + &(0..count).map(field).collect::<String>())).err()
        };
        let tracker = |_: usize| "&tr=http://t".to_owned();
        let peer = |n: usize| format!("&x.pe=1.2.3.4:{}", n + 1);
        let web_seed = |n: usize| format!("&ws=http://w{n}");
        for (field, max, error) in [
            (&tracker as &dyn Fn(usize) -> String, Magnet::MAX_TRACKERS, MagnetError::TooManyTrackers { max: 1024 }),
            (&peer, Magnet::MAX_PEERS, MagnetError::TooManyPeers { max: 1024 }),
            (&web_seed, Magnet::MAX_WEB_SEEDS, MagnetError::TooManyWebSeeds { max: 1024 }),
        ] {
            assert_eq!((with(field, max), with(field, max + 1)), (None, Some(error)));
        }
        let longest = format!("{LINK}&dn={}", "x".repeat(Magnet::MAX_BYTES - LINK.len() - 4));
        assert_eq!(longest.len(), Magnet::MAX_BYTES);
        assert!(Magnet::parse(&longest).is_ok());
        assert_eq!(Magnet::parse(&(longest + "x")), Err(MagnetError::TooLong { max: 65536 }));
    }

    #[test]
    fn invalid_fields_are_ignored_and_noted() {
        let link =
            format!(" {LINK}&tr=%FF&tr=&x.pe=1.2.3.4&ws=http://w/%4&tr=http://t/%&x.pe.7=:1&so=0-2&dn=%&tr=http://t");
        let magnet = Magnet::parse(&link).unwrap();
        let notes: Vec<String> = magnet.diagnostics.first().iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "tr: not UTF-8, ignored (at byte 62)",
                "tr: empty, ignored (at byte 69)",
                "x.pe: not a host and a port, ignored (at byte 73)",
                "ws: broken percent-encoding, ignored (at byte 86)",
                "tr: broken percent-encoding, ignored (at byte 101)",
                "x.pe: not a host and a port, ignored (at byte 115)",
            ]
        );
        assert_eq!(link.get(115..121), Some("x.pe.7"));
        assert_eq!((magnet.trackers.len(), magnet.peers.len(), magnet.web_seeds.len()), (1, 0, 0));
        assert_eq!(magnet.name.as_deref(), Some("%"));
    }

    proptest! {
        #[test]
        fn arbitrary_strings_never_panic(link: String) {
            let _ = Magnet::parse(&link);
        }

        #[test]
        fn arbitrary_fields_never_panic(
            fields in proptest::collection::vec(
                ("(xt|tr|x\\.pe|ws|dn|)(\\.[0-9]?)?", "(urn:bt[im]h:|1220|%[0-9a-f]{0,2}|[a-z0-9:\\[\\]./+=é]){0,9}"),
                0..9,
            )
        ) {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = Magnet::parse(&format!("magnet:?{}", fields.join("&")));
            let _ = Magnet::parse(&format!("{LINK}&{}", fields.join("&")));
        }
    }
}
