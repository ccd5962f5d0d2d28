//! A former output, in JSON: which torrents it has whole, and where its last whole line ends.

use crate::shown::shown_word;
use ids::InfoHash;
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Most bytes of a line that is looked at: a summary that lists as many files as it may.
const MAX_LINE_BYTES: u64 = 16 << 20;
/// What every line begins with.
const BEGINNING: &[u8] = b"{\"";

/// A former output. Of its torrents the info-hashes are kept, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Former {
    path: PathBuf,
    /// Its name, safe to show.
    pub(crate) shown: String,
    /// Torrents with a summary of a run that nothing cut short, and that was online.
    pub(crate) whole: HashSet<InfoHash>,
    /// Bytes of what is worth keeping: all but a line that was not written to its end.
    length: u64,
    /// Whether the last line lacks its end only.
    lacks_newline: bool,
}

/// What a line says, as far as it matters. Lines of other programs may say anything.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    info_hash: Option<String>,
    cut_short: Option<String>,
    verdict: Option<String>,
}

impl Former {
    /// Reads the output. There is none before the first run if that is to write it: `may_be_missing`. The error is one line.
    pub(crate) fn read(path: &Path, may_be_missing: bool) -> Result<Self, String> {
        let shown = shown_word(path.as_os_str());
        let mut former = Self { path: path.to_owned(), shown, ..Self::default() };
        let failed =
            |error: io::Error| format!("give --resume a former output: {}: {error}", shown_word(path.as_os_str()));
        match File::open(path).map(|file| BufReader::with_capacity(1 << 16, file)) {
            Ok(mut reader) => {
                // A torrent, a list or notes that are named by mistake: what looks like a torn line at their end would be cut off.
                let beginning = reader.fill_buf().map_err(failed)?;
                if !beginning.is_empty() && !beginning.starts_with(BEGINNING) {
                    return Err(format!("give --resume a former output: {} is none", former.shown));
                }
                former.read_lines(reader).map_err(failed)?;
            }
            Err(error) if may_be_missing && error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(former)
    }

    fn read_lines(&mut self, mut reader: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
            if length == 0 {
                return Ok(());
            }
            let has_end = line.ends_with(b"\n");
            if !has_end && length as u64 == MAX_LINE_BYTES {
                // A torn one, too, may be that long.
                let Some(rest) = pass_line(&mut reader)? else { return Ok(()) };
                self.length += length as u64 + rest;
                continue;
            }
            self.lacks_newline = !has_end && serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok();
            if has_end || self.lacks_newline {
                self.length += length as u64;
                self.whole.extend(whole_torrent(&line));
            }
        }
    }

    /// Whether it is this file.
    pub(crate) fn is(&self, path: &Path) -> bool {
        is_same(&self.path, path)
    }

    /// Opens it to go on behind its last whole line, and locks it: a run that still writes to it may be in the middle of a line.
    pub(crate) fn append(&self) -> io::Result<File> {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::new(ErrorKind::ResourceBusy, "another run writes to it"));
        }
        if file.metadata()?.len() > self.length {
            file.set_len(self.length)?;
        }
        if self.lacks_newline {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }
}

/// Whether both are one file, which need not exist if both are written alike.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Passes over the rest of a line; its bytes, if it has an end.
fn pass_line(reader: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut passed = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(length);
        passed += length as u64;
        if end.is_some() || length == 0 {
            return Ok(end.map(|_| passed));
        }
    }
}

/// The torrent of a summary that nothing cut short, but that its torrent is private. One without a network says nothing of its torrent.
fn whole_torrent(line: &[u8]) -> Option<InfoHash> {
    // Most lines are about peers: this is faster than reading them.
    let line = std::str::from_utf8(line).ok().filter(|line| line.contains("\"summary\""))?;
    let told: Told = serde_json::from_str(line).ok()?;
    let is_cut = matches!(told.cut_short.as_deref(), Some("interrupt" | "deadline"));
    let is_whole = told.kind == "summary" && !is_cut && told.verdict.as_deref() != Some("offline");
    told.info_hash.filter(|_| is_whole)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(byte: u8, cut_short: &str) -> String {
        let hash = format!("{byte:02x}").repeat(20);
        format!("{{\"type\":\"summary\",\"schema\":1,\"info_hash\":\"{hash}\",\"cut_short\":{cut_short}}}")
    }

    fn read(text: &str) -> Former {
        let mut former = Former::default();
        former.read_lines(text.as_bytes()).unwrap();
        former
    }

    #[test]
    fn a_torrent_is_whole_with_a_summary_that_nothing_cut_short() {
        let lines = [
            summary(1, "null"),
            summary(2, "\"interrupt\""),
            summary(3, "\"deadline\""),
            summary(4, "\"private\""),
            summary(2, "null"),
            summary(3, "\"interrupt\""),
            summary(5, "null").replace("summary", "start"),
            summary(6, "null,\"verdict\":\"offline\""),
            summary(7, "null,\"verdict\":\"no_peer_named\""),
            "not JSON \"summary\"".to_owned(),
            "{\"type\":\"summary\",\"info_hash\":7}".to_owned(),
            "[\"summary\"]".to_owned(),
            String::new(),
        ];
        let former = read(&(lines.join("\n") + "\n"));
        let mut whole: Vec<u8> = former.whole.iter().map(|hash| hash.0[0]).collect();
        whole.sort_unstable();
        assert_eq!(whole, [1, 2, 4, 7]);
    }

    #[test]
    fn a_torn_line_is_no_part_of_it() {
        let whole = summary(1, "null") + "\n";
        let former = read(&format!("{whole}{{\"type\":\"summary\",\"info"));
        assert_eq!((former.length, former.whole.len(), former.lacks_newline), (whole.len() as u64, 1, false));
        let long = format!("{whole}{}\n{whole}{}", "x".repeat(17 << 20), "y".repeat(17 << 20));
        assert_eq!(read(&long).length, 2 * whole.len() as u64 + (17 << 20) + 1);
        let former = read(whole.trim_end());
        assert_eq!((former.length, former.whole.len(), former.lacks_newline), (whole.len() as u64 - 1, 1, true));
    }
}
