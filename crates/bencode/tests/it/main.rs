//! The parser on documents made to be expensive, and on generated ones.

mod hostile;
mod properties;
