//! The one pass from bytes to tape: a loop without recursion and without a stack. An open container's token keeps its
//! parent until it is told its next sibling, so that depth costs nothing beyond the tape.

use crate::tape::{Full, Tape, Token, TokenKind, narrow};
use crate::token::{self, Refusal};
use crate::{DiagnosticKind, Diagnostics, Error, ErrorKind, Limits, duplicates};

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
    let mut tape = Tape::new(input.len(), limits.tokens);
    let mut report = Report { mode, diagnostics: Diagnostics::default(), unsorted: Vec::new() };
    let end = root(input, limits, &mut tape, &mut report)?;
    if end < input.len() {
        report.deviation(end, DiagnosticKind::TrailingBytes)?;
    }
    Ok(Parsed { tokens: tape.finish(end), diagnostics: report.diagnostics })
}

/// The innermost open container: all the loop needs to know of where it stands, kept in registers.
#[derive(Clone, Copy)]
struct Frame<'i> {
    /// Its token; [`OUTSIDE`] before the root container.
    token: u32,
    dict: bool,
    /// The key before the next one.
    previous: Option<&'i [u8]>,
}

/// The parent of the root value: not a token's number, because those are below 2^30.
const OUTSIDE: u32 = u32::MAX;

/// Reads the root value and gives where it ends.
fn root(input: &[u8], limits: Limits, tape: &mut Tape, report: &mut Report) -> Result<usize, Error> {
    let full = |at| move |Full| Error { offset: at, kind: ErrorKind::TooManyTokens { limit: limits.tokens } };
    let mut frame = Frame { token: OUTSIDE, dict: false, previous: None };
    let mut depth = 0_usize;
    let mut rest = input;
    loop {
        let mut at = input.len() - rest.len();
        let mut first = rest.first();
        if frame.dict && first != Some(&b'e') {
            let (key, header, after) = read_key(input, rest, report)?;
            if frame.previous.is_some_and(|previous| previous.first() >= key.first()) {
                report.order(frame, key, at)?;
            }
            tape.push(TokenKind::String, at, header).map_err(full(at))?;
            frame.previous = Some(key);
            rest = after;
            at = input.len() - rest.len();
            first = rest.first();
            if first == Some(&b'e') {
                return Err(Error { offset: at, kind: ErrorKind::KeyWithoutValue });
            }
        }
        // A chain rather than a match: its branches are guessed better than the one jump of a table.
        if let Some(b'0'..=b'9') = first {
            let (_, header, after) = read_string(input, rest, report)?;
            tape.push(TokenKind::String, at, header).map_err(full(at))?;
            rest = after;
        } else if let Some(b'i') = first {
            let (after, deviation) = token::skip_integer(rest).map_err(|refusal| refused(input, refusal))?;
            if let Some(kind) = deviation {
                report.deviation(at, kind)?;
            }
            tape.push(TokenKind::Integer, at, 0).map_err(full(at))?;
            rest = after;
        } else if let Some(b'e') = first
            && depth > 0
        {
            if report.is_unsorted(frame.token) {
                report.duplicates(input, tape)?;
            }
            tape.push(TokenKind::End, at, 0).map_err(full(at))?;
            frame = close(input, frame.token, tape);
            depth -= 1;
            rest = rest.get(1..).unwrap_or_default();
        } else if let Some(&byte @ (b'l' | b'd')) = first {
            if depth >= limits.depth {
                return Err(Error { offset: at, kind: ErrorKind::TooDeep { limit: limits.depth } });
            }
            depth += 1;
            let (dict, token) = (byte == b'd', narrow(tape.len()));
            let kind = if dict { TokenKind::Dict } else { TokenKind::List };
            tape.push(kind, at, frame.token).map_err(full(at))?;
            frame = Frame { token, dict, previous: None };
            rest = rest.get(1..).unwrap_or_default();
        } else {
            let kind = first.map_or(ErrorKind::UnexpectedEnd, |&byte| ErrorKind::UnexpectedByte(byte));
            return Err(Error { offset: at, kind });
        }
        if depth == 0 {
            return Ok(input.len() - rest.len());
        }
    }
}

type ReadString<'i> = (&'i [u8], u32, &'i [u8]);

/// A string's content, the length of its header, and what follows.
#[inline(always)]
fn read_string<'i>(input: &[u8], rest: &'i [u8], report: &mut Report) -> Result<ReadString<'i>, Error> {
    let (after, number) = token::string_header(rest).map_err(|refusal| refused(input, refusal))?;
    let at = input.len() - rest.len();
    let Some((content, next)) = number.value.and_then(|length| after.split_at_checked(length)) else {
        return Err(Error { offset: at, kind: ErrorKind::StringPastEnd });
    };
    if let Some(kind) = number.deviation {
        report.deviation(at, kind)?;
    }
    Ok((content, narrow(rest.len() - after.len()), next))
}

#[inline(always)]
fn read_key<'i>(input: &[u8], rest: &'i [u8], report: &mut Report) -> Result<ReadString<'i>, Error> {
    match rest.first() {
        Some(b'0'..=b'9') => read_string(input, rest, report),
        _ => Err(not_a_key(input, rest)),
    }
}

/// What stands where a key should. A broken integer is a broken integer first.
#[cold]
#[inline(never)]
fn not_a_key(input: &[u8], rest: &[u8]) -> Error {
    let at = input.len() - rest.len();
    let kind = match rest.first() {
        Some(b'i') => match token::skip_integer(rest) {
            Ok(_) => ErrorKind::KeyNotString,
            Err(refusal) => return refused(input, refusal),
        },
        Some(b'l' | b'd') => ErrorKind::KeyNotString,
        Some(&byte) => ErrorKind::UnexpectedByte(byte),
        None => ErrorKind::UnexpectedEnd,
    };
    Error { offset: at, kind }
}

/// Tells a container its next sibling and gives the frame around it.
#[inline(always)]
fn close<'i>(input: &'i [u8], token: u32, tape: &mut Tape) -> Frame<'i> {
    let index = token as usize;
    let parent = tape.replace_extra(index, narrow(tape.len()));
    let dict = tape.get(parent as usize).is_some_and(|token| token.kind() == TokenKind::Dict);
    // In a dictionary the token before a value is its key.
    let previous = if dict { key_before(input, index, tape) } else { None };
    Frame { token: parent, dict, previous }
}

#[inline(always)]
fn key_before<'i>(input: &'i [u8], value: usize, tape: &Tape) -> Option<&'i [u8]> {
    let (key, value) = (tape.get(value.checked_sub(1)?)?, tape.get(value)?);
    input.get(key.offset() + key.extra as usize..value.offset())
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

/// What was not canonical so far. Apart from the loop's locals, because it is hardly ever touched.
struct Report {
    mode: Mode,
    diagnostics: Diagnostics,
    /// The open dictionaries that have an unsorted key, outermost first, and where the first such key is.
    unsorted: Vec<(u32, usize)>,
}

impl Report {
    #[inline(always)]
    fn is_unsorted(&self, dict: u32) -> bool {
        self.unsorted.last().is_some_and(|&(innermost, _)| innermost == dict)
    }

    #[cold]
    #[inline(never)]
    fn deviation(&mut self, offset: usize, kind: DiagnosticKind) -> Result<(), Error> {
        match self.mode {
            Mode::Strict => Err(Error { offset, kind: ErrorKind::NotCanonical(kind) }),
            Mode::Lenient => {
                self.diagnostics.push(offset, kind);
                Ok(())
            }
        }
    }

    /// BEP 3: "Keys must be strings and appear in sorted order (sorted as raw strings, not alphanumerics)." For the keys
    /// that their first bytes do not tell apart.
    #[inline(never)]
    fn order(&mut self, dict: Frame<'_>, key: &[u8], at: usize) -> Result<(), Error> {
        let Some(previous) = dict.previous else { return Ok(()) };
        let known = self.is_unsorted(dict.token);
        match previous.cmp(key) {
            std::cmp::Ordering::Less => Ok(()),
            // Those behind an unsorted key are found when the dictionary closes.
            std::cmp::Ordering::Equal if known => Ok(()),
            std::cmp::Ordering::Equal => self.deviation(at, DiagnosticKind::DuplicateKey),
            std::cmp::Ordering::Greater => {
                if !known {
                    self.unsorted.push((dict.token, at));
                }
                self.deviation(at, DiagnosticKind::UnsortedKey)
            }
        }
    }

    /// Reports the duplicates of the innermost dictionary, which is unsorted and about to be closed.
    #[cold]
    #[inline(never)]
    fn duplicates(&mut self, input: &[u8], tape: &Tape) -> Result<(), Error> {
        let Some((dict, from)) = self.unsorted.pop() else { return Ok(()) };
        duplicates::find(input, dict as usize, tape, from)
            .into_iter()
            .try_for_each(|offset| self.deviation(offset as usize, DiagnosticKind::DuplicateKey))
    }
}
