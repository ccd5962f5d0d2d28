//! Bencode, the encoding of torrent files, tracker replies and extension messages ([BEP 3]).
//!
//! Start from [`Document::parse`], or [`Document::parse_lenient`] for what others wrote: one pass over the bytes into a
//! flat tape of tokens, within [`Limits`]; no tree, no recursion, no copy. A [`Value`] is a small `Copy` handle into it
//! that hands back sub-slices of the input, and [`Value::raw`] gives the exact bytes a value was written as, because an
//! info-hash is never taken over a re-encoding. [`Encoder`] writes canonical output by construction.
//!
//! This crate knows the encoding and nothing above it: not what a torrent is, no text encodings, no I/O.
//!
//! ```
//! let document = bencode::Document::parse(b"d4:infod6:lengthi5eee")?;
//! let root = document.root().as_dict().ok_or("not a dictionary")?;
//! let info = root.dict("info")?;
//! assert_eq!(info.int("length")?, 5);
//! assert_eq!(info.value().raw(), b"d6:lengthi5ee");
//! assert_eq!(root.bytes("announce").unwrap_err().to_string(), "announce: missing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [BEP 3]: https://www.bittorrent.org/beps/bep_0003.html

mod deviation;
mod document;
mod duplicates;
mod encoder;
mod error;
mod field;
mod limits;
mod parser;
mod tape;
mod token;
mod value;

pub use deviation::{Diagnostic, DiagnosticKind, Diagnostics};
pub use document::Document;
pub use encoder::{DictEncoder, EncodeError, Encoder, ListEncoder};
pub use error::{Error, ErrorKind};
pub use field::{FieldError, FieldProblem};
pub use limits::Limits;
pub use value::{Dict, DictIter, Kind, List, ListIter, Value};
