//! The tokens of bencode, read with nom: a string's header and an integer. The only module that knows nom.

use crate::deviation::DeviationKind;
use crate::error::ErrorKind;
use nom::bytes::complete::take_while;
use nom::error::ParseError;
use nom::{Err, IResult, Parser};

/// Most digits of an integer: enough for every 64-bit integer.
const MAX_DIGITS: usize = 20;
/// Most digits of a string's length, as in libtorrent: nine are enough for any string in a document.
const MAX_LENGTH_DIGITS: usize = 16;

/// A number and its deviation from the canonical form, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number<T> {
    /// `None` if it does not fit.
    pub(crate) value: Option<T>,
    pub(crate) deviation: Option<DeviationKind>,
}

/// What is wrong, and how many bytes were left at that point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) left: usize,
    pub(crate) kind: ErrorKind,
}

type Read<'i, T> = IResult<&'i [u8], T, Refusal>;

/// The length of a canonical header with one or two digits, and the length of the string including it. Nearly every string
/// of a torrent or a reply is shorter than 100 bytes.
#[inline(always)]
pub(crate) fn short_string(input: &[u8]) -> Option<(usize, usize)> {
    const ZERO: usize = b'0' as usize;
    match input {
        [a @ b'0'..=b'9', b':', ..] => Some((2, usize::from(*a) - ZERO + 2)),
        [a @ b'1'..=b'9', b @ b'0'..=b'9', b':', ..] => {
            Some((3, usize::from(*a) * 10 + usize::from(*b) - (11 * ZERO - 3)))
        }
        _ => None,
    }
}

/// Reads `<length>:` and leaves the string's bytes.
pub(crate) fn string_header(input: &[u8]) -> Read<'_, Number<usize>> {
    let (rest, digits) = digits(input, MAX_LENGTH_DIGITS, ErrorKind::LengthTooLong)?;
    let (rest, _) = byte(b':', ErrorKind::MissingColon).parse(rest)?;
    let value = unsigned(digits).and_then(|length| usize::try_from(length).ok());
    Ok((rest, Number { value, deviation: leading_zero(digits) }))
}

/// The length of a canonical `i<number>e` of up to 16 digits and without a sign.
#[inline(always)]
pub(crate) fn short_integer(input: &[u8]) -> Option<usize> {
    match input {
        [b'i', b'0'..=b'9', b'e', ..] => Some(3),
        [b'i', b'1'..=b'9', b'0'..=b'9', b'e', ..] => Some(4),
        [b'i', b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', b'e', ..] => Some(5),
        [b'i', b'1'..=b'9', ..] => longer_integer(input),
        _ => None,
    }
}

/// Up to eight digits, then up to 16, without a loop: its end would be mispredicted for most sizes of files.
#[inline(always)]
fn longer_integer(input: &[u8]) -> Option<usize> {
    let digits = count_digits(*input.get(1..)?.first_chunk()?);
    match input.get(1 + digits) {
        Some(b'e') => Some(digits + 2),
        _ if digits == 8 => longest_integer(input),
        _ => None,
    }
}

#[inline(never)]
fn longest_integer(input: &[u8]) -> Option<usize> {
    let digits = 8 + count_digits(*input.get(9..)?.first_chunk()?);
    (input.get(1 + digits) == Some(&b'e')).then_some(digits + 2)
}

/// How many of eight bytes are digits before the first other byte.
#[inline(always)]
fn count_digits(bytes: [u8; 8]) -> usize {
    const HIGH_HALVES: u64 = u64::from_ne_bytes([0xf0; 8]);
    const THREES: u64 = u64::from_ne_bytes([0x30; 8]);
    const SIXES: u64 = u64::from_ne_bytes([0x06; 8]);
    let bytes = u64::from_le_bytes(bytes);
    // A digit's high half is 3, also after adding 6. Only a byte that is not a digit can carry into the next byte, and only
    // the first such byte matters.
    let others = ((bytes & HIGH_HALVES) ^ THREES) | ((bytes.wrapping_add(SIXES) & HIGH_HALVES) ^ THREES);
    others.trailing_zeros() as usize / 8
}

/// Reads `i<number>e`.
pub(crate) fn integer(input: &[u8]) -> Read<'_, Number<i64>> {
    let (rest, _) = byte(b'i', ErrorKind::UnexpectedEnd).parse(input)?;
    let (rest, negative) = match rest {
        [b'-', rest @ ..] => (rest, true),
        _ => (rest, false),
    };
    let (rest, digits) = digits(rest, MAX_DIGITS, ErrorKind::NumberTooLong)?;
    let found = rest.first().map_or(ErrorKind::UnexpectedEnd, |&byte| ErrorKind::UnexpectedByte(byte));
    let (rest, _) = byte(b'e', found).parse(rest)?;
    let value = unsigned(digits).and_then(|magnitude| signed(magnitude, negative));
    let deviation = match digits {
        [b'0', ..] if negative => Some(DeviationKind::NegativeZero),
        _ => leading_zero(digits).or(value.is_none().then_some(DeviationKind::IntegerOutOfRange)),
    };
    Ok((rest, Number { value, deviation }))
}

/// Reads one to `most` digits; `too_long` is the error for more.
#[inline]
fn digits(input: &[u8], most: usize, too_long: ErrorKind) -> Read<'_, &[u8]> {
    let (rest, digits) = take_while(|byte: u8| byte.is_ascii_digit()).parse(input)?;
    match digits.len() {
        0 => match rest.first() {
            None => refuse(rest, ErrorKind::UnexpectedEnd),
            Some(b'e' | b':') => refuse(rest, ErrorKind::EmptyNumber),
            Some(&byte) => refuse(rest, ErrorKind::UnexpectedByte(byte)),
        },
        found if found <= most => Ok((rest, digits)),
        _ => refuse(input, too_long),
    }
}

/// Reads the byte `wanted`; `otherwise` is the error for any other byte.
#[inline]
fn byte<'i>(wanted: u8, otherwise: ErrorKind) -> impl Parser<&'i [u8], Output = u8, Error = Refusal> {
    move |input: &'i [u8]| match input {
        [first, rest @ ..] if *first == wanted => Ok((rest, wanted)),
        [] => refuse(input, ErrorKind::UnexpectedEnd),
        _ => refuse(input, otherwise),
    }
}

fn refuse<T>(rest: &[u8], kind: ErrorKind) -> Read<'_, T> {
    Err(Err::Error(Refusal { left: rest.len(), kind }))
}

#[inline]
fn unsigned(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

#[inline]
fn signed(magnitude: u64, negative: bool) -> Option<i64> {
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[inline]
fn leading_zero(digits: &[u8]) -> Option<DeviationKind> {
    matches!(digits, [b'0', _, ..]).then_some(DeviationKind::LeadingZero)
}

impl ParseError<&[u8]> for Refusal {
    fn from_error_kind(input: &[u8], _: nom::error::ErrorKind) -> Self {
        Self { left: input.len(), kind: ErrorKind::UnexpectedEnd }
    }

    fn append(_: &[u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}
