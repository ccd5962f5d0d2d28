//! The one pass from bytes to tape: a loop without recursion and without a stack. The token of an open container stores the
//! token of its parent; when the container closes, its next sibling takes that place. So depth needs no memory beyond the
//! tape.

use crate::deviation::{DeviationKind, Deviations};
use crate::duplicates;
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::tape::{Full, Tape, Token, TokenKind, narrow};
use crate::token::{self, Refusal};

/// Whether deviations from the canonical form are errors or only reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Strict,
    Lenient,
}

/// The result of a pass.
pub(crate) struct Parsed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) deviations: Deviations,
}

pub(crate) fn parse(input: &[u8], mode: Mode, limits: Limits) -> Result<Parsed, Error> {
    let limit = limits.bytes.min(Limits::MAX_BYTES);
    if input.len() > limit {
        return Err(Error { offset: limit, kind: ErrorKind::TooManyBytes { limit } });
    }
    let tape = Tape::new(input.len(), limits.tokens);
    let mut report = Report { mode, deviations: Deviations::default(), unsorted: Vec::new() };
    let (end, tape) = root(input, limits, tape, &mut report)?;
    if end < input.len() {
        report.deviation(end, DeviationKind::TrailingBytes)?;
    }
    let full = |at| Error { offset: at, kind: ErrorKind::TooManyTokens { limit: limits.tokens } };
    Ok(Parsed { tokens: tape.finish(end).map_err(full)?, deviations: report.deviations })
}

/// The innermost open container: the state of the loop, small enough to stay in registers.
#[derive(Clone, Copy)]
struct Frame {
    /// Its token; [`OUTSIDE`] before the first container.
    token: u32,
    dict: bool,
    /// The token of the previous key; 0, which is never a key, before the first.
    previous: u32,
    /// The [`beginning`] of the previous key, or [`NO_KEY`], or [`UNKNOWN`].
    begins: i64,
}

/// Less than the beginning of any key.
const NO_KEY: i64 = -1;

/// Greater than the beginning of any key, so that the keys themselves are compared.
const UNKNOWN: i64 = i64::MAX;

/// The parent of the root value: not a token's number, because those are below 2^30.
const OUTSIDE: u32 = u32::MAX;

/// Reads the root value and returns the offset of its end.
fn root(input: &[u8], limits: Limits, tape: Tape, report: &mut Report) -> Result<(usize, Tape), Error> {
    let mut pass = Pass { input, limits, tape, report };
    let mut frame = Frame { token: OUTSIDE, dict: false, previous: 0, begins: NO_KEY };
    let mut depth = 0_usize;
    let mut at = 0_usize;
    loop {
        let mut first = input.get(at);
        if frame.dict && first != Some(&b'e') {
            at = pass.key(at, &mut frame)?;
            first = input.get(at);
            if first == Some(&b'e') {
                return Err(Error { offset: at, kind: ErrorKind::KeyWithoutValue });
            }
        }
        // A chain rather than a match: its branches are predicted better than the one jump of a table.
        if let Some(b'0'..=b'9') = first {
            at = pass.string(at)?.end;
        } else if let Some(b'i') = first {
            at = pass.integer(at)?;
        } else if let Some(b'e') = first
            && frame.token != OUTSIDE
        {
            frame = pass.close(at, frame.token)?;
            depth -= 1;
            at += 1;
        } else if let Some(&byte @ (b'l' | b'd')) = first {
            frame = pass.open(at, frame.token, depth, byte == b'd')?;
            depth += 1;
            at += 1;
        } else {
            let kind = first.map_or(ErrorKind::UnexpectedEnd, |&byte| ErrorKind::UnexpectedByte(byte));
            return Err(Error { offset: at, kind });
        }
        if frame.token == OUTSIDE {
            return Ok((at, pass.tape));
        }
    }
}

/// What the steps of the loop work with. All steps are inlined.
struct Pass<'i, 'p> {
    input: &'i [u8],
    limits: Limits,
    tape: Tape,
    report: &'p mut Report,
}

impl Pass<'_, '_> {
    /// Reads a key, compares it with the previous one, and returns the offset of its value.
    #[inline(always)]
    fn key(&mut self, at: usize, frame: &mut Frame) -> Result<usize, Error> {
        let key = read_key(self.input, at, self.report)?;
        let begins = beginning(self.input, key);
        if frame.begins >= begins {
            self.report.order(self.input, *frame, key, at, self.tape.tokens())?;
        }
        frame.previous = narrow(self.tape.len());
        frame.begins = begins;
        self.push(TokenKind::String, at, narrow(key.content - at))?;
        Ok(key.end)
    }

    #[inline(always)]
    fn string(&mut self, at: usize) -> Result<Content, Error> {
        let string = read_string(self.input, at, self.report)?;
        self.push(TokenKind::String, at, narrow(string.content - at))?;
        Ok(string)
    }

    /// Returns the offset of the integer's end.
    #[inline(always)]
    fn integer(&mut self, at: usize) -> Result<usize, Error> {
        let end = read_integer(self.input, at, self.report)?;
        self.push(TokenKind::Integer, at, 0)?;
        Ok(end)
    }

    /// Opens a list or dictionary in the container at token `parent`.
    #[inline(always)]
    fn open(&mut self, at: usize, parent: u32, depth: usize, dict: bool) -> Result<Frame, Error> {
        if depth >= self.limits.depth {
            return Err(Error { offset: at, kind: ErrorKind::TooDeep { limit: self.limits.depth } });
        }
        let token = narrow(self.tape.len());
        self.push(if dict { TokenKind::Dict } else { TokenKind::List }, at, parent)?;
        Ok(Frame { token, dict, previous: 0, begins: NO_KEY })
    }

    /// Closes the container at `token`, stores its next sibling, and returns the frame around it.
    #[inline(always)]
    fn close(&mut self, at: usize, token: u32) -> Result<Frame, Error> {
        if self.report.is_unsorted(token) {
            self.report.duplicates(self.input, self.tape.tokens())?;
        }
        self.push(TokenKind::End, at, 0)?;
        let parent = self.tape.replace_extra(token as usize, narrow(self.tape.len()));
        let dict = self.tape.get(parent as usize).is_some_and(|token| token.kind() == TokenKind::Dict);
        // In a dictionary the token before a value is its key. Its beginning is read only if another key follows, which is rare.
        Ok(Frame { token: parent, dict, previous: token.wrapping_sub(1), begins: UNKNOWN })
    }

    #[inline(always)]
    fn push(&mut self, kind: TokenKind, at: usize, extra: u32) -> Result<(), Error> {
        let full = |Full| Error { offset: at, kind: ErrorKind::TooManyTokens { limit: self.limits.tokens } };
        self.tape.push(kind, at, extra).map_err(full)
    }
}

/// The offsets at which a string's bytes begin and end.
#[derive(Clone, Copy)]
struct Content {
    content: usize,
    end: usize,
}

#[inline(always)]
fn read_string(input: &[u8], at: usize, report: &mut Report) -> Result<Content, Error> {
    let Some((header, length)) = input.get(at..).and_then(token::short_string) else {
        return read_any_string(input, at, report);
    };
    if at + length > input.len() {
        return Err(Error { offset: at, kind: ErrorKind::StringPastEnd });
    }
    Ok(Content { content: at + header, end: at + length })
}

#[inline(never)]
fn read_any_string(input: &[u8], at: usize, report: &mut Report) -> Result<Content, Error> {
    let (after, number) =
        token::string_header(input.get(at..).unwrap_or_default()).map_err(|refusal| refused(input, refusal))?;
    let content = content(input, at, input.len() - after.len(), number.value.unwrap_or(usize::MAX))?;
    if let Some(kind) = number.deviation {
        report.deviation(at, kind)?;
    }
    Ok(content)
}

/// The range of the bytes of the string at `at`, if the input has as many as its header says.
#[inline(always)]
fn content(input: &[u8], at: usize, content: usize, length: usize) -> Result<Content, Error> {
    if length > input.len() - content {
        return Err(Error { offset: at, kind: ErrorKind::StringPastEnd });
    }
    Ok(Content { content, end: content + length })
}

#[inline(always)]
fn read_key(input: &[u8], at: usize, report: &mut Report) -> Result<Content, Error> {
    match input.get(at) {
        Some(b'0'..=b'9') => read_string(input, at, report),
        _ => Err(not_a_key(input, at)),
    }
}

/// The error for a byte that does not begin a key. A broken integer is reported as such.
#[cold]
#[inline(never)]
fn not_a_key(input: &[u8], at: usize) -> Error {
    let kind = match input.get(at..) {
        Some(rest @ [b'i', ..]) => match token::integer(rest) {
            Ok(_) => ErrorKind::KeyNotString,
            Err(refusal) => return refused(input, refusal),
        },
        Some([b'l' | b'd', ..]) => ErrorKind::KeyNotString,
        Some(&[byte, ..]) => ErrorKind::UnexpectedByte(byte),
        _ => ErrorKind::UnexpectedEnd,
    };
    Error { offset: at, kind }
}

#[inline(always)]
fn read_integer(input: &[u8], at: usize, report: &mut Report) -> Result<usize, Error> {
    match input.get(at..).and_then(token::short_integer) {
        Some(length) => Ok(at + length),
        None => read_any_integer(input, at, report),
    }
}

#[inline(never)]
fn read_any_integer(input: &[u8], at: usize, report: &mut Report) -> Result<usize, Error> {
    let (after, number) =
        token::integer(input.get(at..).unwrap_or_default()).map_err(|refusal| refused(input, refusal))?;
    if let Some(kind) = number.deviation {
        report.deviation(at, kind)?;
    }
    Ok(input.len() - after.len())
}

/// A key's first four bytes as a number, padded with zeros: if the number is less than that of another key, so is the key.
/// This decides nearly every comparison of keys without a call.
#[inline(always)]
fn beginning(input: &[u8], key: Content) -> i64 {
    let Some(bytes) = input.get(key.content..).and_then(|rest| rest.first_chunk()) else {
        // Within four bytes of the end of the input: the whole keys are compared.
        return NO_KEY;
    };
    const MASKS: [u32; 4] = [0, 0xff00_0000, 0xffff_0000, 0xffff_ff00];
    let mask = MASKS.get(key.end - key.content).copied().unwrap_or(u32::MAX);
    i64::from(u32::from_be_bytes(*bytes) & mask)
}

#[cold]
#[inline(never)]
fn refused(input: &[u8], refusal: nom::Err<Refusal>) -> Error {
    match refusal {
        nom::Err::Error(Refusal { left, kind }) | nom::Err::Failure(Refusal { left, kind }) => {
            Error { offset: input.len() - left, kind }
        }
        nom::Err::Incomplete(_) => Error { offset: input.len(), kind: ErrorKind::UnexpectedEnd },
    }
}

/// The deviations so far. Separate from the loop's state, because it is hardly ever used.
struct Report {
    mode: Mode,
    deviations: Deviations,
    /// The open dictionaries with an unsorted key, outermost first, and the offset of the first such key.
    unsorted: Vec<(u32, usize)>,
}

impl Report {
    #[inline(always)]
    fn is_unsorted(&self, dict: u32) -> bool {
        self.unsorted.last().is_some_and(|&(innermost, _)| innermost == dict)
    }

    #[cold]
    #[inline(never)]
    fn deviation(&mut self, offset: usize, kind: DeviationKind) -> Result<(), Error> {
        match self.mode {
            Mode::Strict => Err(Error { offset, kind: ErrorKind::NotCanonical(kind) }),
            Mode::Lenient => {
                self.deviations.push(offset, kind);
                Ok(())
            }
        }
    }

    /// BEP 3: "Keys must be strings and appear in sorted order (sorted as raw strings, not alphanumerics)." For keys whose
    /// beginnings do not decide.
    #[inline(never)]
    fn order(&mut self, input: &[u8], dict: Frame, key: Content, at: usize, tape: &[Token]) -> Result<(), Error> {
        if dict.previous == 0 {
            return Ok(());
        }
        let key = input.get(key.content..key.end).unwrap_or_default();
        let previous = duplicates::key(input, dict.previous as usize, tape);
        let known = self.is_unsorted(dict.token);
        match previous.cmp(key) {
            std::cmp::Ordering::Less => Ok(()),
            // Duplicates behind an unsorted key are found when the dictionary closes.
            std::cmp::Ordering::Equal if known => Ok(()),
            std::cmp::Ordering::Equal => self.deviation(at, DeviationKind::DuplicateKey),
            std::cmp::Ordering::Greater => {
                if !known {
                    self.unsorted.push((dict.token, at));
                }
                self.deviation(at, DeviationKind::UnsortedKey)
            }
        }
    }

    /// Reports the duplicate keys of the innermost dictionary, which is unsorted and about to close.
    #[cold]
    #[inline(never)]
    fn duplicates(&mut self, input: &[u8], tape: &[Token]) -> Result<(), Error> {
        let Some((dict, from)) = self.unsorted.pop() else { return Ok(()) };
        let found = duplicates::find(input, dict as usize, tape, from);
        let rest = found.total - found.first.len();
        found.first.into_iter().try_for_each(|offset| self.deviation(offset as usize, DeviationKind::DuplicateKey))?;
        self.deviations.count(rest);
        Ok(())
    }
}
