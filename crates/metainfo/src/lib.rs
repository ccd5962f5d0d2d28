//! What a `.torrent` file says: [`Torrent::parse`] reads v1, v2 and hybrid torrents (BEP 3, 52), their files with padding
//! and links (BEP 47), tiers of trackers (BEP 12), the private flag (BEP 27) and web seeds (BEP 17, 19), and takes the
//! info-hashes over the raw bytes of the info dictionary.
//!
//! It accepts and refuses what libtorrent 2.1 does. What is wrong and does not matter is in [`Torrent::diagnostics`], what is
//! wrong with paths in [`File::issues`].
//!
//! And what a magnet link says: [`Magnet::parse`] reads its info-hashes (BEP 9, 52), name, trackers, peers and web seeds.
//!
//! This crate knows bencode and nothing of files, networks or clocks: bytes in, values out. It writes nothing to disk,
//! so a hostile path is data like any other; whoever shows one escapes it.
//!
//! Start from [`Torrent::parse`], or from [`Hashes::read`] for the info-hash alone.
//!
//! ```
//! let file = b"d8:announce20:http://tracker.test/4:infod6:lengthi5e4:name5:a.txt\
//!     12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee";
//! let torrent = metainfo::Torrent::parse(file)?;
//! assert_eq!((torrent.name_lossy().as_ref(), torrent.total_size, torrent.pieces), ("a.txt", 5, 1));
//! assert_eq!(torrent.trackers[0][0].url, "http://tracker.test/");
//! assert_eq!(torrent.hashes.primary().to_string(), "7faf75b2447f88700c68f1eceda713cd90a0127a");
//! assert!(torrent.diagnostics.is_empty());
//! # Ok::<(), metainfo::Error>(())
//! ```

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
mod readable;
mod room;
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
pub use path_issue::PathIssue;
pub use torrent::Torrent;
pub use trackers::{Tracker, TrackerKind};
