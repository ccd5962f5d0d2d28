//! Typed getters for a dictionary's entries, with errors that name the entry.

use crate::value::{Dict, Kind, List, Value};

/// A dictionary entry that is missing or not of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct FieldError {
    /// The key, as given to the getter.
    pub key: String,
    /// Offset of the entry's value, or of the dictionary if the entry is missing; in bytes from the start of the input.
    pub offset: usize,
    /// What is wrong with the entry.
    pub problem: FieldProblem,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// There is no such key.
    #[error("missing")]
    Missing,
    /// The value is of another kind.
    #[error("expected {expected}, found {found}")]
    Mistyped {
        /// The kind asked for.
        expected: Kind,
        /// The kind found.
        found: Kind,
    },
    /// An integer outside `i64`.
    #[error("out of range")]
    OutOfRange,
}

impl FieldProblem {
    /// The problem of a value that should be of another kind.
    #[must_use]
    pub fn mistyped(value: Value<'_>, expected: Kind) -> Self {
        Self::Mistyped { expected, found: value.kind() }
    }
}

impl<'doc> Dict<'doc> {
    /// The integer under `key`.
    ///
    /// # Errors
    /// Missing, of another kind, or outside `i64`.
    pub fn int(self, key: &str) -> Result<i64, FieldError> {
        let value = self.of_kind(key, Kind::Integer)?;
        value.as_int().ok_or_else(|| error(key, value.offset(), FieldProblem::OutOfRange))
    }

    /// The string under `key`, any bytes.
    ///
    /// # Errors
    /// Missing or of another kind.
    pub fn bytes(self, key: &str) -> Result<&'doc [u8], FieldError> {
        Ok(self.of_kind(key, Kind::String)?.as_bytes().unwrap_or_default())
    }

    /// The list under `key`.
    ///
    /// # Errors
    /// Missing or of another kind.
    pub fn list(self, key: &str) -> Result<List<'doc>, FieldError> {
        let value = self.get_field(key)?;
        value.as_list().ok_or_else(|| mistyped(key, value, Kind::List))
    }

    /// The dictionary under `key`.
    ///
    /// # Errors
    /// Missing or of another kind.
    pub fn dict(self, key: &str) -> Result<Dict<'doc>, FieldError> {
        let value = self.get_field(key)?;
        value.as_dict().ok_or_else(|| mistyped(key, value, Kind::Dict))
    }

    fn of_kind(self, key: &str, expected: Kind) -> Result<Value<'doc>, FieldError> {
        let value = self.get_field(key)?;
        if value.kind() == expected { Ok(value) } else { Err(mistyped(key, value, expected)) }
    }

    fn get_field(self, key: &str) -> Result<Value<'doc>, FieldError> {
        self.get(key.as_bytes()).ok_or_else(|| error(key, self.value().offset(), FieldProblem::Missing))
    }
}

fn mistyped(key: &str, value: Value<'_>, expected: Kind) -> FieldError {
    error(key, value.offset(), FieldProblem::mistyped(value, expected))
}

fn error(key: &str, offset: usize, problem: FieldProblem) -> FieldError {
    FieldError { key: key.to_owned(), offset, problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use crate::limits::Limits;

    #[test]
    fn errors_name_the_key_the_problem_and_the_offset() {
        let document = Document::parse_lenient(b"d1:ai99999999999999999999e1:b1:xe", Limits::TORRENT).unwrap();
        let root = document.root().as_dict().unwrap();
        assert_eq!(root.bytes("b"), Ok(&b"x"[..]));
        let shown = |error: FieldError| (error.to_string(), error.offset);
        assert_eq!(shown(root.int("a").unwrap_err()), ("a: out of range".into(), 4));
        assert_eq!(shown(root.int("b").unwrap_err()), ("b: expected integer, found string".into(), 29));
        assert_eq!(shown(root.list("c").unwrap_err()), ("c: missing".into(), 0));
        assert_eq!(shown(root.dict("b").unwrap_err()), ("b: expected dictionary, found string".into(), 29));
    }
}
