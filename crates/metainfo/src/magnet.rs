//! What a magnet link says (BEP 9, "magnet URI format").

mod peer;
mod topic;

pub use peer::MagnetPeer;

use crate::diagnostic::Diagnostics;
use crate::error::Problem;
use crate::hash_text::HashError;
use crate::hashes::Hashes;
use crate::trackers::Tracker;
use percent_encoding::percent_decode_str;
use topic::Topics;

/// What a magnet link says. It is read as libtorrent 2.1 reads it, but for what is said at the fields and at
/// [`parse`](Self::parse).
///
/// A link names a torrent and says neither how large it is nor whether it is private (BEP 27). Which of the files are
/// wanted (`so`, BEP 53) is not read: whoever shakes hands with a swarm wants none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Magnet {
    /// `xt`: the info-hash, or both of a hybrid.
    pub hashes: Hashes,
    /// `dn`: the name to show until the torrent's own is known; any text that is not empty, what is not UTF-8 replaced. Of
    /// several the last, as in libtorrent, and as there a `+` is a blank.
    pub name: Option<String>,
    /// `tr`: trackers in the link's order, repeated and unusable ones too. BEP 9 knows no tiers; libtorrent has each in one
    /// of its own. A `+` is a `+`; libtorrent makes a blank of it, and then drops the URL.
    pub trackers: Vec<Tracker>,
    /// `x.pe`: peers in the link's order, repeated ones too. libtorrent takes no host names, though BEP 9 has them, and no
    /// `%3A` for a colon.
    pub peers: Vec<MagnetPeer>,
    /// `ws`: web seeds (BEP 19), each once.
    pub web_seeds: Vec<String>,
    /// Entries that were left out, by field; offsets are bytes of the link.
    pub diagnostics: Diagnostics,
}

/// Why text is not a magnet link of a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MagnetError {
    /// Not a magnet link at all.
    #[error("does not begin with `magnet:?`")]
    NotAMagnet,
    /// A link of more than [`Magnet::MAX_BYTES`].
    #[error("longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// No `xt`.
    #[error("names no torrent: neither `xt=urn:btih:` nor `xt=urn:btmh:`")]
    NoInfoHash,
    /// An `xt`, but only of another network.
    #[error("names no torrent: its `xt` is of another network, neither `urn:btih:` nor `urn:btmh:`")]
    OtherNetwork,
    /// A v1 info-hash that is none.
    #[error("expected 40 hexadecimal or 32 base32 digits after `urn:btih:`, found {0}")]
    BadInfoHash(HashError),
    /// A v2 info-hash that is none.
    #[error("expected 1220 and 64 hexadecimal digits after `urn:btmh:`, found {0}")]
    BadInfoHashV2(HashError),
    /// A v2 info-hash where a v1 one belongs.
    #[error("a v2 info-hash stands after `urn:btih:`, where a v1 one belongs; it belongs after `urn:btmh:1220`")]
    V2UnderBtih,
    /// A v1 info-hash where a v2 one belongs.
    #[error("a v1 info-hash stands after `urn:btmh:`, where a v2 one belongs; it belongs after `urn:btih:`")]
    V1UnderBtmh,
    /// Two torrents in one link. libtorrent takes the last; here nobody shall have to guess.
    #[error("two different v1 info-hashes")]
    TwoInfoHashes,
    /// Two torrents in one link.
    #[error("two different v2 info-hashes")]
    TwoInfoHashesV2,
    /// More than [`Magnet::MAX_TRACKERS`].
    #[error("more than {max} trackers")]
    TooManyTrackers {
        /// The limit.
        max: usize,
    },
    /// More than [`Magnet::MAX_PEERS`].
    #[error("more than {max} peers")]
    TooManyPeers {
        /// The limit.
        max: usize,
    },
    /// More than [`Magnet::MAX_WEB_SEEDS`].
    #[error("more than {max} web seeds")]
    TooManyWebSeeds {
        /// The limit.
        max: usize,
    },
}

impl Magnet {
    /// What every link begins with, in any case. libtorrent knows it in lower case only; RFC 3986, 3.1: "schemes are
    /// case-insensitive".
    pub const PREFIX: &str = "magnet:?";
    /// Longest link accepted, in bytes. Those with all the public trackers that lists recommend have some KiB.
    pub const MAX_BYTES: usize = 64 << 10;
    /// Most trackers: several times what the longest such lists have.
    pub const MAX_TRACKERS: usize = 1024;
    /// Most peers. Who shares a link names one or two, and a link shall not aim us at a network.
    pub const MAX_PEERS: usize = 1024;
    /// Most web seeds.
    pub const MAX_WEB_SEEDS: usize = 1024;

    /// Reads a link. Blanks around it are ignored, and so are fields of other names; a name may have a number, as `tr.1` has,
    /// and its letters may be of either case. A tracker, peer or web seed that cannot be read is left out and noted in
    /// [`diagnostics`](Self::diagnostics). `&amp;` for `&`, as links are written in HTML, is read and noted; a link that was
    /// percent-encoded as a whole is decoded first.
    ///
    /// # Errors
    /// No link, none of a torrent, an info-hash that is none, two torrents in one link, or more of anything than is
    /// accepted.
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

/// What has been read so far.
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
    /// Takes in `NAME=VALUE`, which stands at `offset` in the link.
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
                let read = text(value).and_then(|url| Tracker::new(&url).ok_or(Problem::Empty));
                let too_many = MagnetError::TooManyTrackers { max: Magnet::MAX_TRACKERS };
                let read = self.unless_bad(&name, read, offset);
                return keep(&mut self.trackers, read, Magnet::MAX_TRACKERS, too_many);
            }
            "x.pe" => {
                let read = text(value).and_then(|peer| peer.parse().map_err(|_| Problem::NotAPeer));
                let too_many = MagnetError::TooManyPeers { max: Magnet::MAX_PEERS };
                let read = self.unless_bad(&name, read, offset);
                return keep(&mut self.peers, read, Magnet::MAX_PEERS, too_many);
            }
            "ws" => {
                let too_many = MagnetError::TooManyWebSeeds { max: Magnet::MAX_WEB_SEEDS };
                let read = self.unless_bad(&name, text(value), offset).filter(|url| !self.web_seeds.contains(url));
                return keep(&mut self.web_seeds, read, Magnet::MAX_WEB_SEEDS, too_many);
            }
            _ => {}
        }
        Ok(())
    }

    /// What was read, or a note that it could not be.
    fn unless_bad<T>(&mut self, name: &str, read: Result<T, Problem>, offset: usize) -> Option<T> {
        read.map_err(|problem| self.diagnostics.ignored(|| name.to_owned(), problem, offset)).ok()
    }
}

/// The rest of an HTML-escaped `&` after a split at `&`.
const HTML_AMPERSANDS: [&str; 3] = ["amp;", "#38;", "#x26;"];

/// Whether the whole link was percent-encoded, as inside another URL.
fn is_encoded_whole(link: &str) -> bool {
    let fields = without_prefix(link, Magnet::PREFIX);
    let names = |fields: &str| !fields.contains('=') && fields.to_ascii_lowercase().contains("%3d");
    without_prefix(link, "magnet%3a").is_some() || fields.is_some_and(names)
}

/// Adds an entry to a list that has so much room and no more.
fn keep<T>(list: &mut Vec<T>, entry: Option<T>, max: usize, too_many: MagnetError) -> Result<(), MagnetError> {
    if entry.is_some() && list.len() >= max {
        return Err(too_many);
    }
    list.extend(entry);
    Ok(())
}

/// The name of a field without the number that tells it from others of its name.
fn without_number(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// What follows a prefix that may be written in either case.
fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (begin, rest) = text.split_at_checked(prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A value as text that is not empty. A broken escape spoils it, as in libtorrent: half a URL is somebody else's.
fn text(value: &str) -> Result<String, Problem> {
    let escape = |after: &str| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !value.split('%').skip(1).all(escape) {
        return Err(Problem::BadEscape);
    }
    let text = percent_decode_str(value).decode_utf8().map_err(|_| Problem::NotUtf8)?;
    if text.is_empty() { Err(Problem::Empty) } else { Ok(text.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINK: &str = "magnet:?xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c32";

    #[test]
    fn every_limit_has_its_own_error_and_is_the_last_that_is_accepted() {
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
    fn what_cannot_be_read_is_left_out_and_noted() {
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
