//! A torrent file made of an info dictionary that came from elsewhere: from peers, for a magnet link (BEP 9).

use crate::error::{Error, Problem};
use crate::hashes::Hashes;
use crate::layers::{self, PieceLayers};
use crate::piece_layer::PieceLayer;
use crate::torrent::Torrent;
use crate::version;
use bencode::{DeviationKind, Encoder, Kind};

/// What a torrent file says beside its info dictionary, and the dictionary itself, byte for byte: the info-hash is taken over these.
///
/// ```
/// # use metainfo::{Hashes, Magnet, TorrentFile};
/// let info = b"d6:lengthi5e4:name5:a.txt12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
/// let magnet = Magnet::parse("magnet:?xt=urn:btih:7faf75b2447f88700c68f1eceda713cd90a0127a&tr=http://t.test/")?;
/// let tiers: Vec<_> = magnet.trackers.iter().map(|tracker| vec![tracker.url.clone()]).collect();
/// let file = TorrentFile { trackers: &tiers, web_seeds: &magnet.web_seeds, ..TorrentFile::new(info) };
/// assert_eq!(file.torrent(&magnet.hashes)?.name_lossy(), "a.txt");
/// assert!(file.write()?.starts_with(b"d8:announce14:http://t.test/4:infod6:lengthi5e"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TorrentFile<'t> {
    /// `info`: the bytes of the dictionary.
    pub info: &'t [u8],
    /// `announce`, and `announce-list` for more than one URL: trackers by tier (BEP 12). Empty tiers are left out.
    pub trackers: &'t [Vec<String>],
    /// `url-list`: web seeds (BEP 19).
    pub web_seeds: &'t [String],
    /// `piece layers` of a v2 torrent, which are not in the info dictionary (BEP 52); `None` leaves the key out.
    /// [`Torrent::piece_layers`] tells which it should have.
    pub piece_layers: Option<&'t PieceLayers>,
}

/// Why bytes are not the info dictionary of a torrent that is known by its info-hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InfoError {
    /// The hash of the bytes is another one: they are not what the torrent's author published.
    #[error("the hash of these bytes is not the info-hash")]
    WrongHash,
    /// The hash is right, but this is no torrent: so the author published it.
    #[error("the info-hash is right, but this is not an info dictionary")]
    NotATorrent(#[from] Error),
    /// The hash is right and this is a torrent, but of another version than the hash is for: its swarm is known by another
    /// info-hash (a v2 torrent by its SHA-1, for example).
    #[error("the info-hash is right, but not one of a torrent of this version")]
    OtherVersion,
}

impl Hashes {
    /// Whether these bytes are the info dictionary that is known by these hashes. 20 bytes are compared with SHA-1 and with the
    /// beginning of SHA-256, because a v1 info-hash and a truncated v2 one look the same; of a hybrid both must be right.
    #[must_use]
    pub fn are_of(&self, info: &[u8]) -> bool {
        let Self::Hybrid { v1, v2 } = Self::of(info, version::Parts::Hybrid) else { return false };
        match *self {
            Self::V1(hash) => hash == v1 || hash == v2.truncated(),
            Self::V2(hash) => hash == v2,
            hybrid @ Self::Hybrid { .. } => hybrid == Self::Hybrid { v1, v2 },
        }
    }
}

impl Torrent {
    /// The piece layers that the file of a v2 torrent should have: one for each `pieces root` of a file of several pieces. Without them a
    /// client cannot check these files until peers have sent them (BEP 52 `hash request`). Empty for v1.
    #[must_use]
    pub fn piece_layers(&self) -> Vec<PieceLayer> {
        if self.hashes.v2().is_none() {
            return Vec::new();
        }
        let piece_length = self.piece_length;
        let layers = layers::expected(&self.files, piece_length).into_iter();
        layers.map(|(root, pieces)| PieceLayer { root, pieces, piece_length }).collect()
    }
}

impl<'t> TorrentFile<'t> {
    /// A file of an info dictionary alone.
    #[must_use]
    pub fn new(info: &'t [u8]) -> Self {
        Self { info, trackers: &[], web_seeds: &[], piece_layers: None }
    }

    /// The bytes of the file, canonical but for the info dictionary, which is as it is given. The same input gives the same bytes:
    /// there is neither a date nor a program's name.
    ///
    /// # Errors
    /// If `info` is not one bencoded dictionary, or more than a torrent file may have. Its content is not judged.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        let document = version::lenient(self.info).map_err(|error| Error::of_bytes(self.info, error))?;
        let root = document.root();
        if root.kind() != Kind::Dict {
            return Err(Error::field("info", Problem::mistyped(root, Kind::Dict), 0));
        }
        if !document.trailing().is_empty() {
            let problem = Problem::NotCanonical(DeviationKind::TrailingBytes);
            return Err(Error::field("info", problem, root.raw().len()));
        }
        let tiers = || self.trackers.iter().filter(|tier| !tier.is_empty());
        let written = Encoder::encode(|value| {
            value.dict(|dict| {
                if let Some(first) = tiers().flatten().next() {
                    dict.entry(b"announce").bytes(first.as_bytes());
                }
                if tiers().flatten().nth(1).is_some() {
                    dict.entry(b"announce-list").list(|list| tiers().for_each(|tier| strings(list.item(), tier)));
                }
                dict.entry(b"info").as_written(root);
                if let Some(layers) = self.piece_layers {
                    dict.entry(b"piece layers").dict(|dict| {
                        layers.iter().for_each(|(root, layer)| dict.entry(root).bytes(layer.as_flattened()));
                    });
                }
                if !self.web_seeds.is_empty() {
                    strings(dict.entry(b"url-list"), self.web_seeds);
                }
            });
        });
        // Each key occurs once, so there is always a canonical form.
        Ok(written.unwrap_or_default())
    }

    /// The torrent, after a check that the dictionary is the one with these hashes: those of a magnet link, also a truncated v2
    /// hash. Offsets in errors and diagnostics are in bytes of what [`write`](Self::write) gives.
    ///
    /// A v2 torrent without its [`piece_layers`](Self::piece_layers) is read, and notes in its diagnostics that they are missing.
    ///
    /// # Errors
    /// Another hash; a right hash of what is not a torrent (no bencode, too deep, not a dictionary, sizes that contradict each other:
    /// what [`Torrent::parse`] refuses), or of a torrent of another version.
    pub fn torrent(&self, hashes: &Hashes) -> Result<Torrent, InfoError> {
        if !hashes.are_of(self.info) {
            return Err(InfoError::WrongHash);
        }
        let torrent = Torrent::parse(&self.write()?)?;
        let is_known_by = |hash| torrent.hashes.wire().any(|known| known == hash);
        if hashes.wire().all(is_known_by) { Ok(torrent) } else { Err(InfoError::OtherVersion) }
    }
}

fn strings(value: Encoder<'_>, strings: &[String]) {
    value.list(|list| strings.iter().for_each(|text| list.item().bytes(text.as_bytes())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece_hashes::PieceHashes;
    use ids::InfoHash;
    use sha1::{Digest, Sha1};
    use sha2::Sha256;

    const V1: &[u8] = b"d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";

    fn sha1(info: &[u8]) -> InfoHash {
        InfoHash(Sha1::digest(info).into())
    }

    fn sha256(info: &[u8]) -> ids::InfoHashV2 {
        ids::InfoHashV2(Sha256::digest(info).into())
    }

    /// One file of two pieces, and its layer.
    fn v2() -> (Vec<u8>, PieceLayers) {
        let layer = vec![[1; 32], [2; 32]];
        let root: [u8; 32] = Sha256::digest(layer.as_flattened()).into();
        let start = b"d9:file treed1:xd0:d6:lengthi32768e11:pieces root32:";
        let end = b"eee12:meta versioni2e4:name1:x12:piece lengthi16384ee";
        ([&start[..], &root, end].concat(), PieceLayers::from([(root, layer)]))
    }

    #[test]
    fn what_is_written_is_canonical_and_has_the_same_dictionary() {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let tiers = [strings(&[]), strings(&["http://b/", "udp://a:1"]), strings(&["http://c/"])];
        let seeds = strings(&["http://w/"]);
        // Not canonical: it is kept as it is.
        let odd = b"d4:name1:x6:lengthi005e12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
        for (info, is_canonical) in [(V1, true), (odd, false)] {
            let file = TorrentFile { trackers: &tiers, web_seeds: &seeds, ..TorrentFile::new(info) };
            let written = file.write().unwrap();
            let before = b"d8:announce9:http://b/13:announce-listll9:http://b/9:udp://a:1el9:http://c/ee4:info";
            assert_eq!(written, [&before[..], info, b"8:url-listl9:http://w/ee"].concat());
            assert_eq!(bencode::Document::parse(&written).is_ok(), is_canonical);
            let torrent = file.torrent(&sha1(info).into()).unwrap();
            assert_eq!(torrent, Torrent::parse(&written).unwrap());
            assert_eq!((torrent.hashes, torrent.trackers.len()), (Hashes::V1(sha1(info)), 2));
        }
        assert_eq!(TorrentFile::new(V1).write().unwrap(), [b"d4:info", V1, b"e"].concat());
    }

    #[test]
    fn a_dictionary_is_known_by_sha_1_by_sha_256_and_by_its_beginning() {
        let (v2, _) = v2();
        let hybrid = |info: &[u8]| Hashes::Hybrid { v1: sha1(info), v2: sha256(info) };
        let half = Hashes::Hybrid { v1: sha1(b"?"), v2: sha256(&v2) };
        for (info, hashes, expected) in [
            (V1, sha1(V1).into(), None),
            (&v2, sha256(&v2).into(), None),
            (&v2, sha256(&v2).truncated().into(), None),
            (V1, sha1(&v2).into(), Some(InfoError::WrongHash)),
            (&v2, half, Some(InfoError::WrongHash)),
            (&v2, sha1(&v2).into(), Some(InfoError::OtherVersion)),
            (V1, sha256(V1).into(), Some(InfoError::OtherVersion)),
            (V1, sha256(V1).truncated().into(), Some(InfoError::OtherVersion)),
            (V1, hybrid(V1), Some(InfoError::OtherVersion)),
        ] {
            assert_eq!(TorrentFile::new(info).torrent(&hashes).err(), expected, "{hashes:?}");
        }
    }

    #[test]
    fn a_right_hash_of_what_is_no_torrent_says_what_is_wrong() {
        let deep = [b"d1:x", &[b'l'; 200][..], &[b'e'; 200], b"e"].concat();
        let no_name = b"d6:lengthi5e12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
        let no_path = b"d5:filesld6:lengthi5e4:pathleee4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
        let extra = [V1, b"4:extri1e"].concat();
        for (info, expected) in [
            (&b"<html>"[..], "a web page (HTML)"),
            (b"le", "info: expected dictionary, found list (at byte 0)"),
            (b"i1e", "info: expected dictionary, found integer (at byte 0)"),
            (&extra, "info: not canonical: trailing bytes (at byte 75)"),
            (&deep, "not bencode"),
            (V1.get(..40).unwrap(), "cut short"),
            (no_name, "info.name: missing (at byte 7)"),
            (no_path, "info.files[0].path: empty (at byte 34)"),
        ] {
            let InfoError::NotATorrent(error) = TorrentFile::new(info).torrent(&sha1(info).into()).unwrap_err() else {
                panic!("{}", info.escape_ascii())
            };
            assert_eq!(error.to_string(), expected, "{}", info.escape_ascii());
        }
    }

    #[test]
    fn piece_layers_are_missing_until_they_are_added_and_are_checked() {
        let (info, layers) = v2();
        let hashes = Hashes::from(sha256(&info));
        let torrent = TorrentFile::new(&info).torrent(&hashes).unwrap();
        assert_eq!(torrent.diagnostics.first()[0].to_string(), "piece layers: missing, ignored (at byte 0)");
        let root = *layers.keys().next().unwrap();
        assert_eq!(torrent.piece_layers(), [PieceLayer { root, pieces: 2, piece_length: 16384 }]);

        let file = TorrentFile { piece_layers: Some(&layers), ..TorrentFile::new(&info) };
        assert!(file.torrent(&hashes).unwrap().diagnostics.is_empty());
        let written = file.write().unwrap();
        assert!(bencode::Document::parse(&written).is_ok());
        assert!(PieceHashes::read(&written).unwrap().v2(1).is_some());

        let wrong = PieceLayers::from([(root, vec![[1; 32], [3; 32]])]);
        let file = TorrentFile { piece_layers: Some(&wrong), ..file };
        let Err(InfoError::NotATorrent(Error::Field { problem, .. })) = file.torrent(&hashes) else { panic!() };
        assert_eq!(problem, Problem::WrongLayer);
        assert_eq!(TorrentFile::new(V1).torrent(&sha1(V1).into()).unwrap().piece_layers(), []);
    }
}
