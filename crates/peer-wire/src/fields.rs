//! Fields of an untrusted dictionary: a field that is wrong is dropped and noted, and the others are used.

use bencode::{Dict, Kind, Value};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A field that was dropped, or used only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Dropped {
    /// The field's key.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// A value of another kind, or a number out of range.
    #[error(transparent)]
    Value(#[from] bencode::FieldProblem),
    /// An address of a wrong length, in bytes.
    #[error("address of {0} bytes")]
    AddressLength(usize),
    /// A text that was cut; its length in bytes.
    #[error("{0} bytes, which were cut")]
    Cut(usize),
    /// A text with bytes that are not UTF-8, which were replaced.
    #[error("not UTF-8")]
    NotUtf8,
    /// The number of entries of `m` that were dropped: not an id, a name that is not text or too long, or beyond the limit.
    #[error("{0} unusable entries")]
    Entries(usize),
}

/// Reads fields of a dictionary, and notes those that are dropped.
pub(crate) struct Fields<'d> {
    dict: Dict<'d>,
    pub(crate) dropped: Vec<Dropped>,
}

impl<'d> Fields<'d> {
    pub(crate) fn of(dict: Dict<'d>) -> Self {
        Self { dict, dropped: Vec::new() }
    }

    pub(crate) fn drop(&mut self, key: &'static str, problem: impl Into<FieldProblem>) {
        self.dropped.push(Dropped { key, problem: problem.into() });
    }

    pub(crate) fn dict(&mut self, key: &'static str) -> Option<Dict<'d>> {
        self.of_kind(key, Kind::Dict)?.as_dict()
    }

    /// A number within `range`.
    pub(crate) fn int<T: TryFrom<i64>>(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        let number = self.of_kind(key, Kind::Integer)?.as_int().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.drop(key, bencode::FieldProblem::OutOfRange);
        }
        number
    }

    /// Whether a number is not 0.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.int(key, i64::MIN..=i64::MAX).map(|number: i64| number != 0)
    }

    /// A text, cut to at most `limit` bytes; `None` for an empty one.
    pub(crate) fn text(&mut self, key: &'static str, limit: usize) -> Option<String> {
        let bytes = self.of_kind(key, Kind::String)?.as_bytes()?;
        // Three bytes more, so that a character that begins within the limit is complete.
        let mut text = String::from_utf8_lossy(bytes.get(..limit + 3).unwrap_or(bytes)).into_owned();
        if bytes.len() > limit {
            self.drop(key, FieldProblem::Cut(bytes.len()));
        }
        if std::str::from_utf8(bytes).is_err() {
            self.drop(key, FieldProblem::NotUtf8);
        }
        text.truncate(text.floor_char_boundary(limit));
        (!text.is_empty()).then_some(text)
    }

    /// An IPv4 or IPv6 address.
    pub(crate) fn address(&mut self, key: &'static str) -> Option<IpAddr> {
        let bytes = self.of_kind(key, Kind::String)?.as_bytes()?;
        let v4 = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
        let address = v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from));
        if address.is_none() {
            self.drop(key, FieldProblem::AddressLength(bytes.len()));
        }
        address
    }

    /// An address of `N` bytes.
    pub(crate) fn octets<const N: usize>(&mut self, key: &'static str) -> Option<[u8; N]> {
        let bytes = self.of_kind(key, Kind::String)?.as_bytes()?;
        let octets = bytes.try_into().ok();
        if octets.is_none() {
            self.drop(key, FieldProblem::AddressLength(bytes.len()));
        }
        octets
    }

    fn of_kind(&mut self, key: &'static str, expected: Kind) -> Option<Value<'d>> {
        let value = self.dict.get(key.as_bytes())?;
        if value.kind() != expected {
            self.drop(key, bencode::FieldProblem::mistyped(value, expected));
            return None;
        }
        Some(value)
    }
}
