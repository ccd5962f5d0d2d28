//! Which torrent a line of the JSON is about: three properties that every line has.

use crate::json_forms::{Hash, SomeHash};
use ids::InfoHash;
use serde::Serialize;

/// The torrent that a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct About<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one
    #[serde(with = "Hash")]
    pub info_hash: InfoHash,
    /// As it was given, without secrets: a path, an info-hash, `standard input`
    pub torrent: &'r str,
    /// The name it gives itself; null where that is not known
    pub name: Option<&'r str>,
}

/// The torrent that a line is about, if it is about one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct MaybeAbout<'r> {
    /// The torrent the line is about: its v1 info-hash, or the first 20 bytes of the v2 one; null where it is about none, or all
    #[serde(with = "SomeHash")]
    pub info_hash: Option<InfoHash>,
    /// As it was given, without secrets: a path, an info-hash, `standard input`
    pub torrent: Option<&'r str>,
    /// The name it gives itself; null where that is not known
    pub name: Option<&'r str>,
}

impl<'r> From<About<'r>> for MaybeAbout<'r> {
    fn from(About { info_hash, torrent, name }: About<'r>) -> Self {
        Self { info_hash: Some(info_hash), torrent: Some(torrent), name }
    }
}
