//! The torrent a link is about: its "exact topics".

use super::{MagnetError, without_prefix};
use crate::Hashes;
use ids::{InfoHash, InfoHashV2};

/// The info-hashes of a link, at most one of each kind.
#[derive(Default)]
pub(super) struct Topics {
    v1: Option<InfoHash>,
    v2: Option<InfoHashV2>,
}

/// BEP 9: a v1 info-hash.
const V1: &str = "urn:btih:";
/// BEP 9 and 52: a multihash, of which one kind is an info-hash.
const V2: &str = "urn:btmh:";
/// The multihash format: 0x12 for SHA-256, and that it has 0x20 bytes.
const SHA_256: &str = "1220";
/// Base32 digits of 20 bytes.
const BASE32_DIGITS: usize = 32;

impl Topics {
    /// Takes in one `xt`; those of other networks are passed over.
    pub(super) fn add(&mut self, topic: &str) -> Result<(), MagnetError> {
        // RFC 8141, 2: "The leading scheme (urn:) is case-insensitive", and so is the namespace. libtorrent wants lower case.
        if let Some(digits) = without_prefix(topic, V1) {
            let hash = v1(digits).ok_or(MagnetError::BadInfoHash)?;
            return only(&mut self.v1, hash, MagnetError::TwoInfoHashes);
        }
        if let Some(multihash) = without_prefix(topic, V2) {
            let hash = multihash.strip_prefix(SHA_256).and_then(|digits| digits.parse().ok());
            return only(&mut self.v2, hash.ok_or(MagnetError::BadInfoHashV2)?, MagnetError::TwoInfoHashesV2);
        }
        Ok(())
    }

    pub(super) fn hashes(&self) -> Option<Hashes> {
        match (self.v1, self.v2) {
            (Some(v1), Some(v2)) => Some(Hashes::Hybrid { v1, v2 }),
            (Some(v1), None) => Some(Hashes::V1(v1)),
            (None, Some(v2)) => Some(Hashes::V2(v2)),
            (None, None) => None,
        }
    }
}

/// Notes a hash that may be repeated, but not contradicted.
fn only<T: PartialEq>(place: &mut Option<T>, hash: T, two: MagnetError) -> Result<(), MagnetError> {
    if place.as_ref().is_some_and(|known| *known != hash) {
        return Err(two);
    }
    *place = Some(hash);
    Ok(())
}

/// BEP 9: "hex encoded, for a total of 40 characters", and "clients should also support the 32 character base32 encoded
/// info-hash".
fn v1(digits: &str) -> Option<InfoHash> {
    if digits.len() == BASE32_DIGITS { base32(digits).map(InfoHash) } else { digits.parse().ok() }
}

/// RFC 4648, 6, in either case and without padding, which 20 bytes do not need. libtorrent reads the digit 1 as I; here a
/// mistyped digit does not become another torrent.
fn base32(digits: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    // Eight digits are five bytes.
    for (bytes, digits) in bytes.chunks_exact_mut(5).zip(digits.as_bytes().chunks_exact(8)) {
        let bits = digits.iter().try_fold(0_u64, |bits, digit| Some(bits << 5 | u64::from(quintet(*digit)?)))?;
        bytes.iter_mut().zip(bits.to_be_bytes().iter().skip(3)).for_each(|(to, from)| *to = *from);
    }
    Some(bytes)
}

fn quintet(digit: u8) -> Option<u8> {
    match digit.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => Some(letter - b'A'),
        number @ b'2'..=b'7' => Some(number - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (digits, bytes) in [
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Some([0; 20])),
            ("77777777777777777777777777777777", Some([0xff; 20])),
            // Section 10 of the RFC has this for `fooba`.
            ("MZXW6YTBMZXW6YTBmzxw6ytbmzxw6ytb", Some(*b"foobafoobafoobafooba")),
            ("1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", None),
            ("ÄAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
        ] {
            assert_eq!(v1(digits), bytes.map(InfoHash), "{digits}");
        }
    }
}
