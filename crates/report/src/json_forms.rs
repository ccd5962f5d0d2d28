//! How fields are written in JSON that have another form in Rust. Each is named in `#[serde(with = "…")]`, which is also where
//! the schema looks.

use serde::{Serialize, Serializer};
use std::fmt::Display;
use std::time::Duration;

/// As text.
pub(crate) struct Text;
/// As text, or null.
pub(crate) struct SomeText;
/// Decimal milliseconds with microsecond precision.
pub(crate) struct Ms;
/// The same, or null.
pub(crate) struct SomeMs;
/// Whole seconds, or null.
pub(crate) struct SomeSeconds;
/// An info-hash of 20 bytes in hexadecimal.
pub(crate) struct Hash;
/// The same, or null.
pub(crate) struct SomeHash;
/// An info-hash of 32 bytes in hexadecimal, or null.
pub(crate) struct SomeHashV2;

impl Text {
    pub(crate) fn serialize<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

impl SomeText {
    pub(crate) fn serialize<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }
}

impl Ms {
    pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(milliseconds(*time))
    }
}

impl SomeMs {
    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(milliseconds).serialize(serializer)
    }
}

impl SomeSeconds {
    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs()).serialize(serializer)
    }
}

impl Hash {
    pub(crate) fn serialize<S: Serializer>(hash: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        Text::serialize(hash, serializer)
    }
}

impl SomeHash {
    pub(crate) fn serialize<S: Serializer>(hash: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
        SomeText::serialize(hash, serializer)
    }
}

impl SomeHashV2 {
    pub(crate) fn serialize<S: Serializer>(hash: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
        SomeText::serialize(hash, serializer)
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
