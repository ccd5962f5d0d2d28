//! The one pass from bytes to tape: a loop and an explicit stack, so that depth costs memory we count and never the
//! thread's stack.

use crate::tape::{Token, TokenKind, narrow};
use crate::token::{self, Number, Refusal};
use crate::{DiagnosticKind, Diagnostics, Error, ErrorKind, Limits};

/// Whether deviations from the canonical form are errors or diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Strict,
    Lenient,
}

/// What a pass leaves behind.
pub(crate) struct Parsed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) diagnostics: Diagnostics,
}

pub(crate) fn parse(input: &[u8], mode: Mode, limits: Limits) -> Result<Parsed, Error> {
    let limit = limits.bytes.min(Limits::MAX_BYTES);
    if input.len() > limit {
        return Err(Limits::too_many_bytes(limit));
    }
    // A first guess that suits torrents of many small strings; what a document needs beyond it, its own bytes pay for.
    let tokens = Vec::with_capacity((input.len() / 8 + 8).min(limits.tokens));
    let mut parser =
        Parser { input, at: 0, mode, limits, tokens, stack: Vec::new(), diagnostics: Diagnostics::default() };
    parser.root()?;
    Ok(Parsed { tokens: parser.tokens, diagnostics: parser.diagnostics })
}

struct Parser<'i> {
    input: &'i [u8],
    at: usize,
    mode: Mode,
    limits: Limits,
    tokens: Vec<Token>,
    stack: Vec<Open<'i>>,
    diagnostics: Diagnostics,
}

/// A container that is not closed yet.
struct Open<'i> {
    /// Its token, to be told its next sibling at the end.
    token: usize,
    dict: Option<OpenDict<'i>>,
}

struct OpenDict<'i> {
    expects: Expects,
    previous: Option<&'i [u8]>,
    unsorted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expects {
    Key,
    Value,
}

impl<'i> Parser<'i> {
    fn root(&mut self) -> Result<(), Error> {
        loop {
            match self.input.get(self.at) {
                Some(b'0'..=b'9') => self.string()?,
                Some(b'i') => self.integer()?,
                Some(b'l') => self.open(TokenKind::List)?,
                Some(b'd') => self.open(TokenKind::Dict)?,
                Some(b'e') => self.close()?,
                Some(&byte) => return Err(self.error(ErrorKind::UnexpectedByte(byte))),
                None => return Err(self.error(ErrorKind::UnexpectedEnd)),
            }
            if self.stack.is_empty() {
                break;
            }
        }
        // The end of the root value is ours, not the document's, so no limit counts it.
        self.tokens.push(Token::new(TokenKind::End, self.at, 0));
        if self.at < self.input.len() {
            self.deviation(self.at, DiagnosticKind::TrailingBytes)?;
        }
        Ok(())
    }

    #[inline]
    fn string(&mut self) -> Result<(), Error> {
        let start = self.at;
        let left = self.input.get(start..).unwrap_or_default();
        let (rest, Number { value, deviation }) = token::string_header(left).map_err(|e| self.refused(e))?;
        let header = left.len() - rest.len();
        let bytes = value.and_then(|length| rest.get(..length));
        let Some(bytes) = bytes else { return Err(self.error(ErrorKind::StringPastEnd)) };
        if let Some(kind) = deviation {
            self.deviation(start, kind)?;
        }
        self.key_or_value(Some(bytes))?;
        self.push(TokenKind::String, narrow(header))?;
        self.at = start + header + bytes.len();
        Ok(())
    }

    #[inline]
    fn integer(&mut self) -> Result<(), Error> {
        let start = self.at;
        let left = self.input.get(start..).unwrap_or_default();
        let (rest, Number { deviation, .. }) = token::integer(left).map_err(|e| self.refused(e))?;
        self.key_or_value(None)?;
        if let Some(kind) = deviation {
            self.deviation(start, kind)?;
        }
        self.push(TokenKind::Integer, 0)?;
        self.at = start + (left.len() - rest.len());
        Ok(())
    }

    fn open(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.key_or_value(None)?;
        if self.stack.len() >= self.limits.depth {
            return Err(self.error(ErrorKind::TooDeep { limit: self.limits.depth }));
        }
        let dict =
            (kind == TokenKind::Dict).then_some(OpenDict { expects: Expects::Key, previous: None, unsorted: false });
        self.stack.push(Open { token: self.tokens.len(), dict });
        self.push(kind, 0)?;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(open) = self.stack.pop() else { return Err(self.error(ErrorKind::UnexpectedByte(b'e'))) };
        if let Some(dict) = &open.dict {
            if dict.expects == Expects::Value {
                return Err(self.error(ErrorKind::KeyWithoutValue));
            }
            if dict.unsorted {
                self.find_duplicates(open.token)?;
            }
        }
        self.push(TokenKind::End, 0)?;
        let next = narrow(self.tokens.len());
        if let Some(token) = self.tokens.get_mut(open.token) {
            token.extra = next;
        }
        self.at += 1;
        Ok(())
    }

    /// Tells the innermost dictionary that a value begins here; `string` is its content if it is a string.
    #[inline]
    fn key_or_value(&mut self, string: Option<&'i [u8]>) -> Result<(), Error> {
        let Some(Open { dict: Some(dict), .. }) = self.stack.last_mut() else { return Ok(()) };
        if dict.expects == Expects::Value {
            dict.expects = Expects::Key;
            return Ok(());
        }
        let Some(key) = string else { return Err(self.error(ErrorKind::KeyNotString)) };
        dict.expects = Expects::Value;
        // BEP 3: "Keys must be strings and appear in sorted order (sorted as raw strings, not alphanumerics)."
        match dict.previous.replace(key) {
            Some(previous) if previous > key => {
                dict.unsorted = true;
                self.deviation(self.at, DiagnosticKind::UnsortedKey)
            }
            Some(previous) if previous == key && !dict.unsorted => {
                self.deviation(self.at, DiagnosticKind::DuplicateKey)
            }
            _ => Ok(()),
        }
    }

    /// Reports the duplicate keys of an unsorted dictionary; sorting keeps that from being quadratic.
    fn find_duplicates(&mut self, dict: usize) -> Result<(), Error> {
        let mut keys = Vec::new();
        let mut index = dict + 1;
        while let Some(&key) = self.tokens.get(index) {
            let start = key.offset() + key.extra as usize;
            let value = index + 1;
            let end = self.tokens.get(value).map_or(self.at, |token| token.offset());
            keys.push((self.input.get(start..end).unwrap_or_default(), key.offset()));
            index = match self.tokens.get(value) {
                Some(token) if matches!(token.kind(), TokenKind::List | TokenKind::Dict) => token.extra as usize,
                _ => value + 1,
            };
        }
        keys.sort_unstable();
        let mut duplicates: Vec<usize> = keys
            .windows(2)
            .filter_map(|pair| match pair {
                [(a, _), (b, offset)] if a == b => Some(*offset),
                _ => None,
            })
            .collect();
        duplicates.sort_unstable();
        duplicates.into_iter().try_for_each(|offset| self.deviation(offset, DiagnosticKind::DuplicateKey))
    }

    #[inline]
    fn push(&mut self, kind: TokenKind, extra: u32) -> Result<(), Error> {
        if self.tokens.len() >= self.limits.tokens {
            return Err(self.error(ErrorKind::TooManyTokens { limit: self.limits.tokens }));
        }
        self.tokens.push(Token::new(kind, self.at, extra));
        Ok(())
    }

    fn deviation(&mut self, offset: usize, kind: DiagnosticKind) -> Result<(), Error> {
        match self.mode {
            Mode::Strict => Err(Error { offset, kind: ErrorKind::NotCanonical(kind) }),
            Mode::Lenient => {
                self.diagnostics.push(offset, kind);
                Ok(())
            }
        }
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { offset: self.at, kind }
    }

    fn refused(&self, refusal: nom::Err<Refusal>) -> Error {
        match refusal {
            nom::Err::Error(Refusal { left, kind }) | nom::Err::Failure(Refusal { left, kind }) => {
                Error { offset: self.input.len() - left, kind }
            }
            nom::Err::Incomplete(_) => self.error(ErrorKind::UnexpectedEnd),
        }
    }
}
