//! The tokens of bencode, read with nom: a string's header and an integer. The only module that knows nom.

use crate::{DiagnosticKind, ErrorKind};
use nom::bytes::complete::take_while;
use nom::error::ParseError;
use nom::{Err, IResult, Parser};

/// Most digits of any number: enough for every 64-bit one.
const MAX_DIGITS: usize = 20;

/// A number read, and what was not canonical about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number<T> {
    /// `None` when it does not fit.
    pub(crate) value: Option<T>,
    pub(crate) deviation: Option<DiagnosticKind>,
}

/// A refusal: what is wrong, and how many bytes were left when it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) left: usize,
    pub(crate) kind: ErrorKind,
}

type Read<'i, T> = IResult<&'i [u8], T, Refusal>;

/// `<length>:`, leaving the string's bytes.
#[inline]
pub(crate) fn string_header(input: &[u8]) -> Read<'_, Number<usize>> {
    let (rest, digits) = digits(input)?;
    let (rest, _) = byte(b':', ErrorKind::MissingColon).parse(rest)?;
    let value = unsigned(digits).and_then(|length| usize::try_from(length).ok());
    Ok((rest, Number { value, deviation: leading_zero(digits) }))
}

/// `i<number>e`.
#[inline]
pub(crate) fn integer(input: &[u8]) -> Read<'_, Number<i64>> {
    let (rest, _) = byte(b'i', ErrorKind::UnexpectedEnd).parse(input)?;
    let (rest, negative) = match rest {
        [b'-', rest @ ..] => (rest, true),
        _ => (rest, false),
    };
    let (rest, digits) = digits(rest)?;
    let found = rest.first().map_or(ErrorKind::UnexpectedEnd, |&byte| ErrorKind::UnexpectedByte(byte));
    let (rest, _) = byte(b'e', found).parse(rest)?;
    let value = unsigned(digits).and_then(|magnitude| signed(magnitude, negative));
    let deviation = match (leading_zero(digits), value) {
        (Some(deviation), _) => Some(deviation),
        (None, None) => Some(DiagnosticKind::IntegerOutOfRange),
        (None, Some(0)) if negative => Some(DiagnosticKind::NegativeZero),
        (None, Some(_)) => None,
    };
    Ok((rest, Number { value, deviation }))
}

/// One to [`MAX_DIGITS`] digits.
#[inline]
fn digits(input: &[u8]) -> Read<'_, &[u8]> {
    let (rest, digits) = take_while(|byte: u8| byte.is_ascii_digit()).parse(input)?;
    match digits.len() {
        0 => match rest.first() {
            None => refuse(rest, ErrorKind::UnexpectedEnd),
            Some(b'e' | b':') => refuse(rest, ErrorKind::EmptyNumber),
            Some(&byte) => refuse(rest, ErrorKind::UnexpectedByte(byte)),
        },
        1..=MAX_DIGITS => Ok((rest, digits)),
        _ => refuse(input, ErrorKind::NumberTooLong),
    }
}

/// Exactly `wanted`; `otherwise` when something else stands there.
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
fn leading_zero(digits: &[u8]) -> Option<DiagnosticKind> {
    matches!(digits, [b'0', _, ..]).then_some(DiagnosticKind::LeadingZero)
}

impl ParseError<&[u8]> for Refusal {
    fn from_error_kind(input: &[u8], _: nom::error::ErrorKind) -> Self {
        Self { left: input.len(), kind: ErrorKind::UnexpectedEnd }
    }

    fn append(_: &[u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}
