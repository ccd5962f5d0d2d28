//! Fields of a stranger's dictionary: what is wrong with one is noted, and no reason to lose the others.

use crate::extension_handshake::{Dropped, FieldProblem};
use bencode::{Dict, Kind, Value};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Reads fields, and keeps what could not be read.
pub(crate) struct Fields<'d> {
    dict: Dict<'d>,
    pub(crate) dropped: Vec<Dropped>,
}

impl<'d> Fields<'d> {
    pub(crate) fn of(dict: Dict<'d>) -> Self {
        Self { dict, dropped: Vec::new() }
    }

    pub(crate) fn drop(&mut self, key: &'static str, problem: FieldProblem) {
        self.dropped.push(Dropped { key, problem });
    }

    pub(crate) fn dict(&mut self, key: &'static str) -> Option<Dict<'d>> {
        self.of_kind(key, Kind::Dict)?.as_dict()
    }

    /// A number within `range`.
    pub(crate) fn int<T: TryFrom<i64>>(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Option<T> {
        let number = self.of_kind(key, Kind::Integer)?.as_int().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.drop(key, FieldProblem::OutOfRange);
        }
        number
    }

    /// A number of which only matters whether it is 0.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.int(key, i64::MIN..=i64::MAX).map(|number: i64| number != 0)
    }

    /// A text of at most `limit` bytes, cut if need be; an empty one says nothing.
    pub(crate) fn text(&mut self, key: &'static str, limit: usize) -> Option<String> {
        let bytes = self.of_kind(key, Kind::String)?.as_bytes()?;
        // Three bytes more, so that a character which begins within the limit is whole.
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

    /// An address of either kind.
    pub(crate) fn address(&mut self, key: &'static str) -> Option<IpAddr> {
        let bytes = self.of_kind(key, Kind::String)?.as_bytes()?;
        let v4 = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
        let address = v4.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from));
        if address.is_none() {
            self.drop(key, FieldProblem::AddressLength(bytes.len()));
        }
        address
    }

    /// An address of one kind.
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
        let found = value.kind();
        if found != expected {
            self.drop(key, FieldProblem::Mistyped { expected, found });
            return None;
        }
        Some(value)
    }
}
