//! Hexadecimal text of identifiers.

use std::fmt;

/// Bytes whose digits are written at a time: those of most identifiers.
const CHUNK: usize = 32;

/// Bytes that format as hexadecimal digits, lower case in `Display`; `{:x}` and `{:X}` choose, `{:#x}` adds `0x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<'b>(pub &'b [u8]);

impl Hex<'_> {
    fn write(self, digits: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |nibble: u8| digits.get(usize::from(nibble)).copied().unwrap_or_default();
        self.0.chunks(CHUNK).try_for_each(|bytes| {
            let mut text = [[0; 2]; CHUNK];
            text.iter_mut().zip(bytes).for_each(|(pair, byte)| *pair = [digit(byte >> 4), digit(byte & 0x0f)]);
            let text = text.as_flattened().get(..2 * bytes.len()).unwrap_or_default();
            // Digits are ASCII.
            f.write_str(std::str::from_utf8(text).unwrap_or_default())
        })
    }

    fn prefix(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { f.write_str("0x") } else { Ok(()) }
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(b"0123456789abcdef", f)
    }
}

impl fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::prefix(f)?;
        self.write(b"0123456789abcdef", f)
    }
}

impl fmt::UpperHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::prefix(f)?;
        self.write(b"0123456789ABCDEF", f)
    }
}

/// `{:x}` and `{:X}` of an identifier.
macro_rules! format_as_hex {
    ($($identifier:ty),*) => {$(
        impl fmt::LowerHex for $identifier {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&Hex(&self.0), f)
            }
        }

        impl fmt::UpperHex for $identifier {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::UpperHex::fmt(&Hex(&self.0), f)
            }
        }
    )*};
}
pub(crate) use format_as_hex;

/// Text that is not the hexadecimal form of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hexadecimal digits")]
pub struct ParseHexError {
    /// The number of digits that the identifier has.
    pub digits: usize,
}

/// Reads exactly `2 * N` digits of either case.
pub(crate) fn parse<const N: usize>(text: &str) -> Result<[u8; N], ParseHexError> {
    let error = ParseHexError { digits: 2 * N };
    if text.len() != 2 * N {
        return Err(error);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |byte, digit| Some(byte << 4 | nibble(*digit)?)).ok_or(error)?;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
