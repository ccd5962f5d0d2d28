//! A plain and slow model of bencode, which the parser is compared with. It shares no code with the parser.

use bencode::{DeviationKind, Kind, Limits};
use std::collections::HashSet;
use std::ops::Range;

/// A value, as its getters have to return it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen<'i> {
    pub(crate) offset: usize,
    pub(crate) kind: Kind,
    pub(crate) raw: &'i [u8],
    pub(crate) int: Option<i64>,
    pub(crate) bytes: Option<&'i [u8]>,
    /// The keys of a dictionary, in wire order.
    pub(crate) keys: Vec<&'i [u8]>,
}

/// A document that lenient parsing should accept.
#[derive(Default)]
pub(crate) struct Model<'i> {
    /// Every value, a container before its items.
    pub(crate) values: Vec<Seen<'i>>,
    /// Every entry of a dictionary, from the beginning of its key to the end of its value.
    pub(crate) entries: Vec<Range<usize>>,
    /// Every deviation from the canonical form, by offset.
    pub(crate) deviations: Vec<(usize, DeviationKind)>,
    pub(crate) depth: usize,
    pub(crate) tokens: usize,
    /// Where the root value ends.
    pub(crate) end: usize,
}

/// Reads what lenient parsing should accept within [`Limits::TORRENT`].
pub(crate) fn read(input: &[u8]) -> Option<Model<'_>> {
    let mut reader = Reader { input, at: 0, model: Model::default() };
    reader.value(0)?;
    let Reader { at, mut model, .. } = reader;
    if at < input.len() {
        model.deviations.push((at, DeviationKind::TrailingBytes));
    }
    model.end = at;
    model.deviations.sort_by_cached_key(|&(offset, kind)| (offset, kind.to_string()));
    (model.tokens <= Limits::TORRENT.tokens && input.len() <= Limits::TORRENT.bytes).then_some(model)
}

struct Reader<'i> {
    input: &'i [u8],
    at: usize,
    model: Model<'i>,
}

impl<'i> Reader<'i> {
    /// Reads the value that begins here, inside of `depth` containers.
    fn value(&mut self, depth: usize) -> Option<()> {
        let (offset, place) = (self.at, self.model.values.len());
        let seen = Seen { offset, kind: Kind::Integer, raw: &[], int: None, bytes: None, keys: Vec::new() };
        self.model.values.push(seen);
        let (kind, mut int, mut bytes, mut keys) = match self.input.get(offset)? {
            b'i' => (Kind::Integer, self.integer()?, None, Vec::new()),
            b'0'..=b'9' => (Kind::String, None, Some(self.string()?), Vec::new()),
            b'l' => (Kind::List, None, None, self.container(depth, false)?),
            b'd' => (Kind::Dict, None, None, self.container(depth, true)?),
            _ => return None,
        };
        self.model.tokens += 1 + usize::from(matches!(kind, Kind::List | Kind::Dict));
        let seen = &mut self.model.values[place];
        (seen.kind, seen.raw) = (kind, &self.input[offset..self.at]);
        (seen.int, seen.bytes, seen.keys) = (int.take(), bytes.take(), std::mem::take(&mut keys));
        Some(())
    }

    /// The digits up to the next byte that is none: 1 to `most` of them.
    fn digits(&mut self, most: usize) -> Option<&'i str> {
        let rest = &self.input[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (1..=most).contains(&count).then(|| std::str::from_utf8(&rest[..count]).ok()).flatten()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let found = *self.input.get(self.at)?;
        self.at += 1;
        (found == byte).then_some(())
    }

    fn integer(&mut self) -> Option<Option<i64>> {
        let offset = self.at;
        self.at += 1;
        let negative = self.input.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        let digits = self.digits(20)?;
        self.expect(b'e')?;
        let magnitude: i128 = digits.parse().ok()?;
        let value = i64::try_from(if negative { -magnitude } else { magnitude }).ok();
        let deviation = if negative && digits.starts_with('0') {
            Some(DeviationKind::NegativeZero)
        } else if digits.len() > 1 && digits.starts_with('0') {
            Some(DeviationKind::LeadingZero)
        } else {
            value.is_none().then_some(DeviationKind::IntegerOutOfRange)
        };
        self.model.deviations.extend(deviation.map(|kind| (offset, kind)));
        Some(value)
    }

    fn string(&mut self) -> Option<&'i [u8]> {
        let offset = self.at;
        let digits = self.digits(16)?;
        self.expect(b':')?;
        let length = usize::try_from(digits.parse::<u128>().ok()?).ok()?;
        let bytes = self.input[self.at..].get(..length)?;
        self.at += length;
        if digits.len() > 1 && digits.starts_with('0') {
            self.model.deviations.push((offset, DeviationKind::LeadingZero));
        }
        Some(bytes)
    }

    /// Reads a list or dictionary and gives its keys.
    fn container(&mut self, depth: usize, dict: bool) -> Option<Vec<&'i [u8]>> {
        if depth == Limits::TORRENT.depth {
            return None;
        }
        self.model.depth = self.model.depth.max(depth + 1);
        self.at += 1;
        let mut keys: Vec<&[u8]> = Vec::new();
        let mut seen = HashSet::new();
        while *self.input.get(self.at)? != b'e' {
            let offset = self.at;
            if dict {
                self.input[offset].is_ascii_digit().then_some(())?;
                let key = self.string()?;
                self.model.tokens += 1;
                if keys.last().is_some_and(|last| *last > key) {
                    self.model.deviations.push((offset, DeviationKind::UnsortedKey));
                }
                if !seen.insert(key) {
                    self.model.deviations.push((offset, DeviationKind::DuplicateKey));
                }
                keys.push(key);
            }
            self.value(depth + 1)?;
            if dict {
                self.model.entries.push(offset..self.at);
            }
        }
        self.at += 1;
        Some(keys)
    }
}
