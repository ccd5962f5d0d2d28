#![doc = include_str!("../README.md")]

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

pub use deviation::{Deviation, DeviationKind, Deviations};
pub use document::Document;
pub use encoder::{DictEncoder, EncodeError, Encoder, ListEncoder};
pub use error::{Error, ErrorKind};
pub use field::{FieldError, FieldProblem};
pub use limits::Limits;
pub use value::{Dict, DictIter, Kind, List, ListIter, Value};
