//! A former output, in JSON: which torrents it has whole, and where its last whole line ends.

use crate::shown::shown_word;
use client::Verdict;
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
/// How we write it.
const TYPED: &[u8] = b"{\"type\":\"";

/// What a run looks for, and may do that the former did not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// Only counts.
    pub(crate) scrapes: bool,
    /// Private torrents are asked about too.
    pub(crate) allows_private: bool,
}

/// A former output. Of its torrents the info-hashes are kept, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Former {
    path: PathBuf,
    /// Its name, safe to show.
    pub(crate) shown: String,
    /// Torrents with a summary that another run would hardly better.
    pub(crate) whole: HashSet<InfoHash>,
    /// Bytes of what is worth keeping: all but a line that was not written to its end.
    length: u64,
    /// Whether the last line lacks its end only.
    lacks_newline: bool,
    /// Whether a line is of this program.
    has_ours: bool,
    wanted: Wanted,
}

/// What a line says, as far as it matters. Lines of other programs may say anything.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    info_hash: Option<String>,
    cut_short: Option<String>,
    verdict: Option<Verdict>,
    scraped: Option<bool>,
}

/// What every line of ours has.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    _kind: String,
}

impl Former {
    /// Reads the output. There is none before the first run if that is to write it: `may_be_missing`. The error is one line.
    pub(crate) fn read(path: &Path, may_be_missing: bool, wanted: Wanted) -> Result<Self, String> {
        let shown = shown_word(path.as_os_str());
        let mut former = Self { path: path.to_owned(), shown, wanted, ..Self::default() };
        let failed =
            |error: io::Error| format!("give --resume a former output: {}: {error}", shown_word(path.as_os_str()));
        match File::open(path).map(|file| BufReader::with_capacity(1 << 16, file)) {
            Ok(mut reader) => {
                // A torrent, a list or notes that are named by mistake: what looks like a torn line at their end would be cut off.
                let beginning = reader.fill_buf().map_err(failed)?;
                let (is_empty, may_be_ours) = (beginning.is_empty(), beginning.starts_with(BEGINNING));
                if may_be_ours {
                    former.read_lines(reader).map_err(failed)?;
                }
                if !is_empty && !former.has_ours {
                    return Err(format!("give --resume a former output: {} is none", former.shown));
                }
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
            // Also of one that is torn.
            self.has_ours = self.has_ours || line.starts_with(TYPED) || serde_json::from_slice::<Typed>(&line).is_ok();
            if !has_end && length as u64 == MAX_LINE_BYTES {
                // A torn one, too, may be that long.
                let Some(rest) = pass_line(&mut reader)? else { return Ok(()) };
                self.length += length as u64 + rest;
                continue;
            }
            self.lacks_newline = !has_end && serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok();
            if has_end || self.lacks_newline {
                self.length += length as u64;
                self.whole.extend(whole_torrent(&line, self.wanted));
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

/// The torrent of a summary that says something of the swarm, and that nothing cut short. Without a source of peers the network of
/// this machine may have been away. That a torrent is private stays so. Counts alone are enough where only they are wanted.
fn whole_torrent(line: &[u8], wanted: Wanted) -> Option<InfoHash> {
    // Most lines are about peers: this is faster than reading them.
    let line = std::str::from_utf8(line).ok().filter(|line| line.contains("\"summary\""))?;
    let told: Told = serde_json::from_str(line).ok()?;
    let scraped = told.scraped == Some(true);
    let is_enough = match told.verdict? {
        Verdict::NoSource => false,
        Verdict::PrivateRefused => !wanted.allows_private,
        Verdict::TrackersOnly => scraped && wanted.scrapes,
        verdict => verdict.is_of_swarm() && told.cut_short.is_none() && (!scraped || wanted.scrapes),
    };
    told.info_hash.filter(|_| told.kind == "summary" && is_enough)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(byte: u8, verdict: &str, more: &str) -> String {
        let hash = format!("{byte:02x}").repeat(20);
        format!("{{\"type\":\"summary\",\"schema\":1,\"info_hash\":\"{hash}\",\"verdict\":\"{verdict}\",{more}}}")
    }

    fn summary(byte: u8, cut_short: &str) -> String {
        of(byte, "healthy", &format!("\"cut_short\":{cut_short}"))
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
            of(4, "private_refused", "\"cut_short\":\"private\""),
            summary(2, "null"),
            summary(3, "\"interrupt\""),
            summary(5, "null").replace("summary", "start"),
            of(6, "offline", "\"cut_short\":null"),
            of(7, "no_peer_named", "\"cut_short\":null"),
            of(8, "no_source", "\"cut_short\":null"),
            of(9, "trackers_only", "\"cut_short\":null,\"scraped\":true"),
            of(10, "refused", "\"cut_short\":null,\"scraped\":true"),
            of(11, "interrupted", "\"cut_short\":null"),
            "not JSON \"summary\"".to_owned(),
            "{\"type\":\"summary\",\"info_hash\":7}".to_owned(),
            "[\"summary\"]".to_owned(),
            String::new(),
        ];
        let whole = |scrapes, allows_private| {
            let mut former = Former { wanted: Wanted { scrapes, allows_private }, ..Former::default() };
            former.read_lines((lines.join("\n") + "\n").as_bytes()).unwrap();
            let mut whole: Vec<u8> = former.whole.iter().map(|hash| hash.0[0]).collect();
            whole.sort_unstable();
            whole
        };
        assert_eq!(whole(false, false), [1, 2, 4, 7]);
        assert_eq!(whole(true, false), [1, 2, 4, 7, 9, 10]);
        assert_eq!(whole(false, true), [1, 2, 7]);
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
