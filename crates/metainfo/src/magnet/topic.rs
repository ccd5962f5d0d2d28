//! The info-hashes of a link: its "exact topics".

use super::error::MagnetError;
use super::text::without_prefix;
use crate::hash_text::{multihash, v1};
use crate::hashes::Hashes;
use ids::{InfoHash, InfoHashV2};

/// The info-hashes of a link, at most one of each kind.
#[derive(Default)]
pub(super) struct Topics {
    v1: Option<InfoHash>,
    v2: Option<InfoHashV2>,
    /// Whether there is a topic of another network.
    foreign: bool,
}

/// BEP 9: a v1 info-hash.
const V1: &str = "urn:btih:";
/// BEP 9 and 52: a multihash; only SHA-256 is an info-hash.
const V2: &str = "urn:btmh:";

impl Topics {
    /// Adds an `xt`; those of other networks are ignored.
    pub(super) fn add(&mut self, topic: &str) -> Result<(), MagnetError> {
        // RFC 8141, 2: "The leading scheme (urn:) is case-insensitive", and so is the namespace. libtorrent accepts lower case only.
        if let Some(digits) = without_prefix(topic, V1) {
            let hash = v1(digits).map_err(|error| match digits.parse() {
                Ok(Hashes::V2(_)) => MagnetError::V2UnderBtih,
                _ => MagnetError::BadInfoHash(error),
            })?;
            return store(&mut self.v1, hash, MagnetError::TwoInfoHashes);
        }
        if let Some(digits) = without_prefix(topic, V2) {
            let hash = multihash(digits).map_err(|error| match digits.parse() {
                Ok(Hashes::V1(_)) => MagnetError::V1UnderBtmh,
                _ => MagnetError::BadInfoHashV2(error),
            })?;
            return store(&mut self.v2, hash, MagnetError::TwoInfoHashesV2);
        }
        self.foreign |= !topic.is_empty();
        Ok(())
    }

    pub(super) fn hashes(&self) -> Result<Hashes, MagnetError> {
        match (self.v1, self.v2) {
            (Some(v1), Some(v2)) => Ok(Hashes::Hybrid { v1, v2 }),
            (Some(v1), None) => Ok(Hashes::V1(v1)),
            (None, Some(v2)) => Ok(Hashes::V2(v2)),
            (None, None) if self.foreign => Err(MagnetError::OtherNetwork),
            (None, None) => Err(MagnetError::NoInfoHash),
        }
    }
}

/// Stores a hash, which may be repeated; the error is for a different one.
fn store<T: PartialEq>(place: &mut Option<T>, hash: T, two: MagnetError) -> Result<(), MagnetError> {
    if place.as_ref().is_some_and(|known| *known != hash) {
        return Err(two);
    }
    *place = Some(hash);
    Ok(())
}
