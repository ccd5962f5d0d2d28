#![doc = include_str!("../README.md")]

mod cross_check;
mod details;
mod diagnostic;
mod encoding;
mod error;
mod file_kind;
mod file_list;
mod files;
mod hash_text;
mod hashes;
mod layers;
mod magnet;
mod path_issue;
mod piece_hash;
mod piece_hashes;
mod quota;
mod readable;
mod safe_name;
mod torrent;
mod trackers;
mod tree;
mod version;

pub use details::Details;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use encoding::Encoding;
pub use error::{Error, Problem};
pub use file_kind::FileKind;
pub use file_list::{Attributes, File, Files, FilesIter};
pub use hash_text::HashError;
pub use hashes::Hashes;
pub use magnet::{Magnet, MagnetError, MagnetPeer};
pub use path_issue::{PathIssue, UnknownPathIssue};
pub use piece_hash::{PieceHash, PieceHasher};
pub use piece_hashes::PieceHashes;
pub use torrent::Torrent;
pub use trackers::{Tracker, TrackerKind};
