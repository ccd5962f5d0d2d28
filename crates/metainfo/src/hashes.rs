//! The info-hashes of a torrent.

use crate::error::Error;
use crate::version::{self, Parts};
use ids::{InfoHash, InfoHashV2};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The info-hash of a torrent, or both of a hybrid: taken over the same raw bytes of the info dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hashes {
    /// A v1 torrent: SHA-1 (BEP 3).
    V1(InfoHash),
    /// A v2 torrent: SHA-256 (BEP 52).
    V2(InfoHashV2),
    /// A torrent with both parts, and so with two swarms (BEP 52, "upgrade path").
    Hybrid {
        /// SHA-1, what v1 clients know it by.
        v1: InfoHash,
        /// SHA-256, what v2 clients know it by.
        v2: InfoHashV2,
    },
}

impl Hashes {
    /// The info-hash of a torrent file, without the checks of its content that `Torrent::parse` makes: to identify many
    /// torrents quickly.
    ///
    /// # Errors
    /// Broken bencode; an info dictionary that is missing, of unknown version, or v2 and not canonical.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let document = version::document(bytes)?;
        let (_, info, parts) = version::open(&document)?;
        Ok(Self::of(info.value().raw(), parts))
    }

    /// Hashes the info dictionary as it was written, once for each part it has.
    pub(crate) fn of(raw_info: &[u8], parts: Parts) -> Self {
        let v1 = || InfoHash(Sha1::digest(raw_info).into());
        let v2 = || InfoHashV2(Sha256::digest(raw_info).into());
        match parts {
            Parts::V1 => Self::V1(v1()),
            Parts::V2 => Self::V2(v2()),
            Parts::Hybrid => Self::Hybrid { v1: v1(), v2: v2() },
        }
    }

    /// The v1 info-hash, unless the torrent is v2 only.
    #[must_use]
    pub fn v1(&self) -> Option<InfoHash> {
        match *self {
            Self::V1(v1) | Self::Hybrid { v1, .. } => Some(v1),
            Self::V2(_) => None,
        }
    }

    /// The full v2 info-hash, unless the torrent is v1 only.
    #[must_use]
    pub fn v2(&self) -> Option<InfoHashV2> {
        match *self {
            Self::V2(v2) | Self::Hybrid { v2, .. } => Some(v2),
            Self::V1(_) => None,
        }
    }

    /// The 20-byte forms that trackers, the DHT and handshakes carry, the primary one first: BEP 52 truncates v2.
    pub fn wire(&self) -> impl Iterator<Item = InfoHash> + use<> {
        self.v1().into_iter().chain(self.v2().map(|v2| v2.truncated()))
    }

    /// The 20 bytes to announce if only one swarm is announced to: those of v1 if there are any, because its swarm is larger.
    #[must_use]
    pub fn primary(&self) -> InfoHash {
        match *self {
            Self::V1(v1) | Self::Hybrid { v1, .. } => v1,
            Self::V2(v2) => v2.truncated(),
        }
    }
}

/// 20 bytes could also be a truncated v2 info-hash, which looks the same on the wire; they count as v1.
impl From<InfoHash> for Hashes {
    fn from(v1: InfoHash) -> Self {
        Self::V1(v1)
    }
}

impl From<InfoHashV2> for Hashes {
    fn from(v2: InfoHashV2) -> Self {
        Self::V2(v2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_hashes_on_the_wire() {
        let v1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let v2 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let shown = |parts| {
            let hashes = Hashes::of(b"abc", parts);
            assert_eq!(hashes.wire().next(), Some(hashes.primary()));
            (
                hashes.v1().map(|hash| hash.to_string()),
                hashes.v2().map(|hash| hash.to_string()),
                hashes.wire().map(|hash| hash.to_string()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(shown(Parts::V1), (Some(v1.into()), None, vec![v1.into()]));
        assert_eq!(shown(Parts::V2), (None, Some(v2.into()), vec![v2[..40].into()]));
        assert_eq!(shown(Parts::Hybrid), (Some(v1.into()), Some(v2.into()), vec![v1.into(), v2[..40].into()]));
    }
}
