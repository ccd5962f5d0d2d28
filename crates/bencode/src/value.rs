//! Handles into a document: values, lists and dictionaries, and the way from the document to its root value.

use crate::document::Document;
use crate::tape::TokenKind;
use crate::token;

/// The four kinds of values in BEP 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `i…e`
    Integer,
    /// `<length>:…`, any bytes
    String,
    /// `l…e`
    List,
    /// `d…e`
    Dict,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Integer => "integer",
            Self::String => "string",
            Self::List => "list",
            Self::Dict => "dictionary",
        })
    }
}

/// One value of a document.
#[derive(Clone, Copy)]
pub struct Value<'doc> {
    document: &'doc Document<'doc>,
    index: usize,
}

impl<'i> Document<'i> {
    /// The root value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// The bytes after the root value; empty after strict parsing.
    #[must_use]
    pub fn trailing(&self) -> &'i [u8] {
        self.input.get(self.root().raw().len()..).unwrap_or_default()
    }
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("root", &self.root()).field("deviations", &self.deviations().total()).finish()
    }
}

impl<'doc> Value<'doc> {
    /// Which of the four kinds it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.document.token(self.index).kind() {
            TokenKind::Integer => Kind::Integer,
            TokenKind::String => Kind::String,
            TokenKind::List | TokenKind::End => Kind::List,
            TokenKind::Dict => Kind::Dict,
        }
    }

    /// Offset of its first byte from the start of the input.
    #[must_use]
    pub fn offset(self) -> usize {
        self.document.token(self.index).offset()
    }

    /// The exact bytes it was written as; an info-hash is taken over these.
    #[must_use]
    pub fn raw(self) -> &'doc [u8] {
        let end = self.document.token(self.next()).offset();
        self.document.input.get(self.offset()..end).unwrap_or_default()
    }

    /// The integer, if it is one and fits in 64 bits. BEP 3 has no bound, and lenient parsing accepts longer ones.
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        if self.kind() != Kind::Integer {
            return None;
        }
        let (_, number) = token::integer(self.raw()).ok()?;
        number.value
    }

    /// The string's bytes, if it is one.
    #[must_use]
    pub fn as_bytes(self) -> Option<&'doc [u8]> {
        let token = self.document.token(self.index);
        (token.kind() == TokenKind::String).then(|| self.raw().get(token.extra as usize..)).flatten()
    }

    /// The string as text, if it is one and valid UTF-8.
    #[must_use]
    pub fn as_str(self) -> Option<&'doc str> {
        self.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(self) -> Option<List<'doc>> {
        (self.kind() == Kind::List).then_some(List(self))
    }

    /// The dictionary, if it is one.
    #[must_use]
    pub fn as_dict(self) -> Option<Dict<'doc>> {
        (self.kind() == Kind::Dict).then_some(Dict(self))
    }

    fn next(self) -> usize {
        let token = self.document.token(self.index);
        match token.kind() {
            TokenKind::List | TokenKind::Dict => token.extra as usize,
            _ => self.index + 1,
        }
    }

    /// The value at `index`, unless the container ends there.
    fn at(self, index: usize) -> Option<Self> {
        (self.document.token(index).kind() != TokenKind::End).then_some(Self { index, ..self })
    }
}

/// Two values are equal if they were written as the same bytes.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Value<'_> {}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// Bytes that fit in a log line.
        const SHOWN: usize = 200;
        let raw = self.raw();
        write!(f, "{}", raw.get(..SHOWN).unwrap_or(raw).escape_ascii())?;
        if raw.len() > SHOWN { write!(f, "… ({} bytes)", raw.len()) } else { Ok(()) }
    }
}

/// A list, in wire order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List<'doc>(Value<'doc>);

impl<'doc> List<'doc> {
    /// Iterates over its values, in wire order.
    #[must_use]
    pub fn iter(self) -> ListIter<'doc> {
        ListIter { list: self.0, index: self.0.index + 1 }
    }

    /// The list as a value.
    #[must_use]
    pub fn value(self) -> Value<'doc> {
        self.0
    }
}

impl<'doc> IntoIterator for List<'doc> {
    type Item = Value<'doc>;
    type IntoIter = ListIter<'doc>;

    fn into_iter(self) -> ListIter<'doc> {
        self.iter()
    }
}

/// The values of a [`List`].
#[derive(Clone, Debug)]
pub struct ListIter<'doc> {
    list: Value<'doc>,
    index: usize,
}

impl<'doc> Iterator for ListIter<'doc> {
    type Item = Value<'doc>;

    fn next(&mut self) -> Option<Value<'doc>> {
        let value = self.list.at(self.index)?;
        self.index = value.next();
        Some(value)
    }
}

/// A dictionary, in wire order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dict<'doc>(Value<'doc>);

impl<'doc> Dict<'doc> {
    /// The value of the first entry with this key. Compares the keys one by one.
    #[must_use]
    pub fn get(self, key: &[u8]) -> Option<Value<'doc>> {
        self.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Iterates over its entries, in wire order.
    #[must_use]
    pub fn iter(self) -> DictIter<'doc> {
        DictIter(ListIter { list: self.0, index: self.0.index + 1 })
    }

    /// The dictionary as a value.
    #[must_use]
    pub fn value(self) -> Value<'doc> {
        self.0
    }
}

impl<'doc> IntoIterator for Dict<'doc> {
    type Item = (&'doc [u8], Value<'doc>);
    type IntoIter = DictIter<'doc>;

    fn into_iter(self) -> DictIter<'doc> {
        self.iter()
    }
}

/// The entries of a [`Dict`].
#[derive(Clone, Debug)]
pub struct DictIter<'doc>(ListIter<'doc>);

impl<'doc> Iterator for DictIter<'doc> {
    type Item = (&'doc [u8], Value<'doc>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?.as_bytes()?;
        Some((key, self.0.next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn values_have_the_bytes_they_were_written_as() {
        let document = Document::parse(b"d1:ai-7e1:bl1:x0:i3ed1:k1:vee1:c3:abce").unwrap();
        let root = document.root().as_dict().unwrap();
        assert_eq!(root.get(b"a").and_then(Value::as_int), Some(-7));
        assert_eq!(root.get(b"c").and_then(Value::as_str), Some("abc"));
        assert_eq!(root.get(b"d"), None);
        let list = root.get(b"b").unwrap();
        assert_eq!(list.raw(), b"l1:x0:i3ed1:k1:vee");
        let kinds: Vec<Kind> = list.as_list().unwrap().iter().map(Value::kind).collect();
        assert_eq!(kinds, [Kind::String, Kind::String, Kind::Integer, Kind::Dict]);
        let keys: Vec<&[u8]> = root.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [b"a", b"b", b"c"]);
        assert_eq!(document.root().raw().len(), 38);
    }

    #[test]
    fn the_first_of_duplicate_keys_wins() {
        let document = Document::parse_lenient(b"d1:ai1e1:ai2ee", Limits::TORRENT).unwrap();
        assert_eq!(document.root().as_dict().unwrap().get(b"a").unwrap().as_int(), Some(1));
    }

    #[test]
    fn an_integer_out_of_range_has_a_kind_but_no_number() {
        let document = Document::parse_lenient(b"i18446744073709551615e", Limits::TORRENT).unwrap();
        assert_eq!(document.root().kind(), Kind::Integer);
        assert_eq!(document.root().as_int(), None);
    }

    #[test]
    fn trailing_bytes_are_outside_the_root_value() {
        let document = Document::parse_lenient(b"3:abc\n\n", Limits::TORRENT).unwrap();
        assert_eq!(document.root().raw(), b"3:abc");
        assert_eq!(document.trailing(), b"\n\n");
    }
}
