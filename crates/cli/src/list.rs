//! Lists: text with a target a line, in a file or on standard input. What a line means is not known here.

use client::ReadError;
use metainfo::Magnet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// Most bytes of a line: those of the longest magnet link.
const MAX_LINE_BYTES: usize = Magnet::MAX_BYTES;
/// Most bytes of a list, which is kept in memory: a million and a half of info-hashes.
const MAX_LIST_BYTES: u64 = 64 << 20;
/// Bytes that tell a list from a torrent, and from what is neither.
const BEGINNING: usize = 64;
/// Most bytes read of standard input at once, before it is known what it is.
const CHUNK: usize = 4 << 10;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What begins like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    List,
    /// A bencoded dictionary.
    Torrent,
    Empty,
    Utf16,
    /// A web page, JSON, or no text at all.
    Other,
}

impl Kind {
    /// By the first bytes.
    pub(crate) fn of(beginning: &[u8]) -> Self {
        let beginning = beginning.get(..BEGINNING).unwrap_or(beginning);
        let text = beginning.strip_prefix(BOM).unwrap_or(beginning).trim_ascii_start();
        let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_dictionary = text.strip_prefix(b"d").is_some_and(|rest| match digits(rest) {
            0 => false,
            length => rest.get(length) == Some(&b':'),
        });
        let is_link = |rest: &[u8]| rest.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"magnet"));
        let is_markup = text.strip_prefix(b"<").is_some_and(|rest| !is_link(rest)) || text.starts_with(b"{\"");
        let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
        match beginning {
            [] => Self::Empty,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Self::Utf16,
            _ if is_dictionary => Self::Torrent,
            _ if is_markup || text.iter().any(is_control) => Self::Other,
            _ => Self::List,
        }
    }
}

/// Opens a list; the error is one line.
pub(crate) fn open(path: &Path) -> Result<Lines<impl BufRead>, String> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => format!("check the path: {error}"),
        _ => format!("check the file's mode: {error}"),
    };
    let kind = std::fs::metadata(path).map_err(failed)?.file_type();
    if kind.is_dir() {
        return Err("leave out the @ before a folder".to_owned());
    }
    // A pipe may be the output of a program.
    if kind.is_char_device() || kind.is_block_device() || kind.is_socket() {
        return Err("give a list in a file: this is a device or a socket".to_owned());
    }
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let what = match Kind::of(reader.fill_buf().map_err(failed)?) {
        Kind::List => return Ok(Lines::new(reader)),
        Kind::Torrent => "leave out the @ before a torrent",
        Kind::Empty => "write a target on each line: the list is empty",
        Kind::Utf16 => UTF_16,
        Kind::Other => "give a list as text, with a target on each line: this is none",
    };
    Err(what.to_owned())
}

pub(crate) const UTF_16: &str = "save the list as UTF-8: it is UTF-16";

/// Standard input with what has been read of it.
pub(crate) fn stdin(begun: &[u8]) -> Lines<impl BufRead> {
    Lines::new(BufReader::new(Cursor::new(begun.to_vec()).chain(io::stdin())))
}

/// The first bytes of standard input, as many as tell what it is.
///
/// # Errors
/// It cannot be read, or nothing has come within the limit.
pub(crate) fn begin_stdin(limit: Duration) -> Result<Vec<u8>, ReadError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let read = move || drop(sender.send(beginning(io::stdin())));
    // One that waits for a pipe ends with the process.
    std::thread::Builder::new().spawn(read).map_err(ReadError::NoThread)?;
    receiver.recv_timeout(limit).map_err(|_| ReadError::TooSlow(limit))?.map_err(ReadError::Io)
}

/// Waits for the end, for a line, or for enough of one.
fn beginning(mut source: impl Read) -> io::Result<Vec<u8>> {
    let mut begun = Vec::new();
    while begun.len() < BEGINNING && !begun.contains(&b'\n') {
        let mut chunk = [0; CHUNK];
        match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => begun.extend(chunk.iter().take(length)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(begun)
}

/// The lines of a list with their numbers, from 1, without comments, empty lines, and the white space around.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    number: usize,
    left: u64,
    has_ended: bool,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader, number: 0, left: MAX_LIST_BYTES, has_ended: false }
    }

    /// The number of the last line.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Reads a line as far as one may be long; `None` at the end. Of a longer one the rest is passed over.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let most = self.left.min(MAX_LINE_BYTES as u64 + 1);
        self.reader.by_ref().take(most).read_until(b'\n', &mut line)?;
        self.left -= line.len() as u64;
        let mut is_whole = line.ends_with(b"\n") || line.len() <= MAX_LINE_BYTES;
        while !is_whole && self.left > 0 {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(buffer.len(), |end| end + 1);
            is_whole = end.is_some() || length == 0;
            self.left = self.left.saturating_sub(length as u64);
            self.reader.consume(length);
        }
        Ok((!line.is_empty()).then_some(line))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = (usize, Result<Vec<u8>, String>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_ended {
            let line = match self.read() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    self.has_ended = true;
                    return Some((self.number + 1, Err(format!("cannot read on: {error}"))));
                }
            };
            self.number += 1;
            if self.left == 0 {
                self.has_ended = true;
                let most = MAX_LIST_BYTES >> 20;
                return Some((self.number, Err(format!("split the list: from here on it has more than {most} MiB"))));
            }
            let text = line.strip_prefix(BOM).filter(|_| self.number == 1).unwrap_or(&line).trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let result = if line.len() > MAX_LINE_BYTES {
                Err(format!("leave some of it out: a line has at most {} KiB", MAX_LINE_BYTES >> 10))
            } else if text.contains(&0) {
                Err("give a list as text: this line has a NUL".to_owned())
            } else {
                Ok(text.to_vec())
            };
            return Some((self.number, result));
        }
        self.has_ended = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(usize, Result<Vec<u8>, String>)> {
        Lines::new(text).collect()
    }

    #[test]
    fn lines_have_their_numbers_and_nothing_around_them() {
        let text = b"\xef\xbb\xbf a b \r\n\r\n# no\n\t#no\n\xff\x00\nlast";
        let expected = [(1, Ok(b"a b".to_vec())), (6, Ok(b"last".to_vec()))];
        let found: Vec<_> = lines(text).into_iter().filter(|(number, _)| *number != 5).collect();
        assert_eq!(found, expected);
        assert!(lines(text)[1].1.as_ref().is_err_and(|error| error.contains("NUL")));
    }

    #[test]
    fn a_line_and_a_list_have_bounds() {
        let long = [&vec![b'x'; 3 * MAX_LINE_BYTES][..], b"\nnext\n", &vec![b'y'; MAX_LINE_BYTES]].concat();
        let found = lines(&long);
        assert!(found[0].1.as_ref().is_err_and(|error| error.contains("64 KiB")), "{:?}", found[0]);
        assert_eq!((found[1].clone(), found[2].0), ((2, Ok(b"next".to_vec())), 3));
        assert!(found[2].1.is_ok() && found.len() == 3);
        for endless in [&b"a\n"[..], b"# a comment\n", b"x"] {
            let endless = Cursor::new(endless.repeat(1 << 16)).chain(io::repeat(b'x'));
            let last = Lines::new(BufReader::with_capacity(1 << 20, endless)).last().unwrap();
            assert!(last.1.is_err_and(|error| error.starts_with("split the list")));
        }
    }

    #[test]
    fn the_first_bytes_tell_what_it_is() {
        for (bytes, kind) in [
            (&b""[..], Kind::Empty),
            (b"d8:announce", Kind::Torrent),
            (b"d8deadbeef", Kind::List),
            (b"[group] name.torrent\n", Kind::List),
            (b"\xef\xbb\xbfmagnet:?xt=", Kind::List),
            (b"<magnet:?xt=>", Kind::List),
            (b"caf\xe9.torrent", Kind::List),
            (b"<!DOCTYPE html>", Kind::Other),
            (b"{\"error\":1}", Kind::Other),
            (b"\x1f\x8b\x08\0", Kind::Other),
            (b"\xff\xfem\0a\0", Kind::Utf16),
        ] {
            assert_eq!(Kind::of(bytes), kind, "{bytes:?}");
        }
    }
}
