//! Info-hashes as text, in all forms in use.

use crate::hashes::Hashes;
use ids::{InfoHash, InfoHashV2};
use std::fmt;
use std::str::FromStr;

/// Hexadecimal digits of a v1 info-hash.
const V1_DIGITS: usize = 40;
/// Hexadecimal digits of a v2 info-hash.
const V2_DIGITS: usize = 64;
/// Base32 digits of 20 bytes.
const BASE32_DIGITS: usize = 32;
/// Multihash prefix: 0x12 for SHA-256, then its length of 0x20 bytes.
const SHA_256: &str = "1220";
/// Multihash prefix: 0x11 for SHA-1, then its length of 0x14 bytes.
const SHA_1: &str = "1114";

/// Why text is not an info-hash; `Display` says what was found instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashError {
    /// A wrong number of digits.
    Length {
        /// How many characters there are.
        found: usize,
    },
    /// A character that is not a digit.
    Digit {
        /// The first such character.
        character: char,
        /// Its position, counted from 1.
        place: usize,
    },
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found: 1 } => f.write_str("1 digit"),
            Self::Length { found } => write!(f, "{found} digits"),
            Self::Digit { character, place } if character.is_whitespace() => {
                write!(f, "whitespace at position {place}")
            }
            // Invisible and control characters are shown by their code points.
            Self::Digit { character, place } if !character.is_ascii_graphic() => {
                write!(f, "U+{:04X} at position {place}", u32::from(*character))
            }
            Self::Digit { character, place } => write!(f, "`{character}` at position {place}"),
        }
    }
}

impl std::error::Error for HashError {}

/// Reads an info-hash: 40 hexadecimal or 32 base32 digits are v1, 64 hexadecimal digits are v2 (BEP 52), and the prefix of a
/// multihash tells which of the two it is.
///
/// ```
/// # use metainfo::Hashes;
/// let v1: Hashes = "I2VOO4IWQN57BIF33FMGFNTJNUDTETBS".parse()?;
/// assert_eq!(v1.primary().to_string(), "46aae77116837bf0a0bbd95862b6696d07324c32");
/// # Ok::<(), metainfo::HashError>(())
/// ```
impl FromStr for Hashes {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        if let Ok(v1) = v1(text) {
            return Ok(Self::V1(v1));
        }
        if let Ok(v2) = text.parse() {
            return Ok(Self::V2(v2));
        }
        if let Ok(v2) = multihash(text) {
            return Ok(Self::V2(v2));
        }
        match text.strip_prefix(SHA_1).and_then(|digits| digits.parse().ok()) {
            Some(v1) => Ok(Self::V1(v1)),
            None => Err(found(text)),
        }
    }
}

/// BEP 9: "hex encoded, for a total of 40 characters", and "clients should also support the 32 character base32 encoded
/// info-hash".
pub(crate) fn v1(digits: &str) -> Result<InfoHash, HashError> {
    let read = if digits.len() == BASE32_DIGITS { base32(digits).map(InfoHash) } else { digits.parse().ok() };
    read.ok_or_else(|| found(digits))
}

/// BEP 52: a multihash; only SHA-256 is an info-hash.
pub(crate) fn multihash(digits: &str) -> Result<InfoHashV2, HashError> {
    digits.strip_prefix(SHA_256).and_then(|digits| digits.parse().ok()).ok_or_else(|| found(digits))
}

/// The error for text that is not an info-hash: its first wrong character, or else its length.
fn found(text: &str) -> HashError {
    let length = text.chars().count();
    let is_digit = |c: char| match length {
        BASE32_DIGITS => c.is_ascii_hexdigit() || u8::try_from(c).is_ok_and(|c| quintet(c).is_some()),
        _ => c.is_ascii_hexdigit(),
    };
    // If the length is right, any wrong character is reported; otherwise only one that no form of a hash contains.
    let right = [V1_DIGITS, V2_DIGITS, BASE32_DIGITS, SHA_256.len() + V2_DIGITS].contains(&length);
    let wrong = |c: char| !is_digit(c) && (right || !c.is_ascii_alphanumeric());
    match text.chars().zip(1..).find(|(c, _)| wrong(*c)) {
        Some((character, place)) => HashError::Digit { character, place },
        None => HashError::Length { found: length },
    }
}

/// RFC 4648, 6, in either case and without padding, which 20 bytes do not need. libtorrent reads the digit 1 as I; here it is
/// refused, so that a mistyped digit does not become another torrent.
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

    const V1: &str = "46aae77116837bf0a0bbd95862b6696d07324c32";
    const V2: &str = "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e";

    #[test]
    fn base32_is_read_as_in_rfc_4648() {
        for (digits, bytes) in [
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Some([0; 20])),
            ("77777777777777777777777777777777", Some([0xff; 20])),
            // Section 10 of the RFC has this for `fooba`.
            ("MZXW6YTBMZXW6YTBmzxw6ytbmzxw6ytb", Some(*b"foobafoobafoobafooba")),
            ("1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", None),
            ("ÄAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None),
        ] {
            assert_eq!(v1(digits).ok(), bytes.map(InfoHash), "{digits}");
        }
    }

    #[test]
    fn info_hashes_are_read_in_all_forms() {
        let (v1, v2) = (Hashes::V1(V1.parse().unwrap()), Hashes::V2(V2.parse().unwrap()));
        for (text, expected) in [
            (V1.to_owned(), v1),
            (V1.to_uppercase(), v1),
            ("I2VOO4IWQN57BIF33FMGFNTJNUDTETBS".to_owned(), v1),
            ("i2voo4iwqn57bif33fmgfntjnudtetbs".to_owned(), v1),
            (format!("1114{V1}"), v1),
            (V2.to_owned(), v2),
            (format!("1220{}", V2.to_uppercase()), v2),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors_name_the_length_or_the_character() {
        for (text, expected) in [
            (V1[1..].to_owned(), "39 digits"),
            (format!("{V1}0"), "41 digits"),
            (V2[1..].to_owned(), "63 digits"),
            (format!("{V2}0"), "65 digits"),
            (format!("1220{}", &V2[1..]), "67 digits"),
            (V1[..32].to_owned(), "32 digits"),
            ("a".to_owned(), "1 digit"),
            (String::new(), "0 digits"),
            (V1.replacen('0', "O", 1), "`O` at position 16"),
            (format!("{} {}", &V1[..20], &V1[20..]), "whitespace at position 21"),
            (format!("{}-{}", &V1[..8], &V1[8..]), "`-` at position 9"),
            (format!("{}\u{200b}{}", &V1[..8], &V1[8..]), "U+200B at position 9"),
            ("ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ!".to_owned(), "`!` at position 32"),
            ("Z7QRDHYSJCA4U4HXGBXTFYUSDFGIRQM".to_owned(), "31 digits"),
        ] {
            assert_eq!(text.parse::<Hashes>().unwrap_err().to_string(), expected, "{text}");
        }
    }
}
