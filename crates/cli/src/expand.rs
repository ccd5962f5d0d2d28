//! Expands the words of the command line: folders become the torrents in them, lists the targets on their lines.

use crate::advice::{advice, of_line};
use crate::input::InputError;
use crate::list::{self, Kind, Lines};
use crate::listed::Listed;
use crate::origin::Origin;
use crate::shown::shown_word;
use crate::text::{grouped, listed, plural};
use crate::word::meaning;
use guard::escape;
use metainfo::Magnet;
use std::ffi::{OsStr, OsString};
use std::io::BufRead;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most folders in one another that are walked.
const MAX_DEPTH: usize = 32;
/// Most characters of a line of a list that are shown.
const MOST_SHOWN: usize = 100;

/// What the words of the command line mean.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// Folders are replaced by the torrents in them.
    pub(crate) origins: Vec<Origin>,
    /// The words that name no torrent, and the lines that are no targets.
    pub(crate) faults: Vec<Fault>,
    /// What was skipped, by folder; how many lines of a list are no targets, or repeat one.
    pub(crate) notes: Vec<(String, String)>,
    /// The lists among the words.
    pub(crate) lists: Vec<PathBuf>,
    /// The targets of these.
    pub(crate) listed: Listed,
    has_read_stdin: bool,
}

/// What names no torrent, and why.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) reason: String,
    /// Whether it is a line of a list, which stands for no torrent. A word of the command line is meant to be one.
    pub(crate) is_line: bool,
}

/// Counts of skipped folder entries with names that end in `.torrent`.
#[derive(Debug, Default)]
struct PassedOver {
    /// `._NAME`: AppleDouble files, which macOS writes beside each file on foreign file systems.
    apple_double: usize,
    /// Named pipes, sockets and devices: reading one may block or never end.
    irregular: usize,
}

/// What the words of the command line mean. Standard input begins within `limit`.
pub(crate) fn expand(words: &[OsString], limit: Duration) -> Expanded {
    let mut expanded = Expanded::default();
    for word in words {
        match list_path(word).map(Ok).unwrap_or_else(|| meaning(word).map(Word::Target)) {
            Ok(Word::List(path)) => expanded.file_list(path),
            Ok(Word::Target(Origin::Stdin(_))) => expanded.stdin(limit),
            Ok(Word::Target(origin)) => expanded.add(origin),
            Err(fault) => expanded.fault(shown_word(word), fault),
        }
    }
    expanded
}

/// What a word of the command line stands for.
enum Word {
    Target(Origin),
    List(PathBuf),
}

/// `@FILE`, unless a file has that very name; `@-` is standard input.
fn list_path(word: &OsStr) -> Option<Word> {
    let name = word.as_bytes().strip_prefix(b"@").filter(|name| !name.is_empty())?;
    if name == b"-" {
        return Some(Word::Target(Origin::Stdin(Vec::new())));
    }
    Path::new(word).symlink_metadata().is_err().then(|| Word::List(OsStr::from_bytes(name).into()))
}

/// What a line of a list means.
fn target(line: &[u8]) -> Result<Origin, String> {
    let word = OsStr::from_bytes(line);
    let missing = || {
        let shown = shown_word(word);
        let short: String = shown.chars().take(MOST_SHOWN).collect();
        let dots = if short.len() < shown.len() { "..." } else { "" };
        format!("no file, magnet link or info-hash: {short}{dots}")
    };
    match line {
        b"-" => return Err("standard input cannot be in a list".to_owned()),
        [b'@', ..] if !Path::new(word).exists() => {
            return Err("give this list on the command line: a list cannot be in another".to_owned());
        }
        _ => {}
    }
    match meaning(word)? {
        Origin::Magnet(link) => match Magnet::parse(&link) {
            Ok(_) => Ok(Origin::Magnet(link)),
            Err(error) => Err(of_line(error)),
        },
        // One that cannot be looked at is told when it is read.
        Origin::File(path) => match path.symlink_metadata() {
            Err(_) if std::str::from_utf8(line).is_err() => Err("save the list as UTF-8: this line is not".to_owned()),
            Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => Err(missing()),
            _ => Ok(Origin::File(path)),
        },
        origin => Ok(origin),
    }
}

impl Expanded {
    fn fault(&mut self, name: String, reason: String) {
        self.faults.push(Fault { name, reason, is_line: false });
    }

    /// What is on standard input: a list, or a torrent to be read when its turn comes.
    fn stdin(&mut self, limit: Duration) {
        let name = Origin::Stdin(Vec::new()).shown();
        if std::mem::replace(&mut self.has_read_stdin, true) {
            self.fault(name, "name it once: it can be read only once".to_owned());
            return;
        }
        match list::begin_stdin(limit) {
            Ok(begun) => match Kind::of(&begun) {
                Kind::List => self.list(&name, list::stdin(&begun)),
                Kind::Utf16 => self.fault(name, list::UTF_16.to_owned()),
                // What else it may be is found out by reading it.
                Kind::Torrent | Kind::Empty | Kind::Other => self.origins.push(Origin::Stdin(begun)),
            },
            Err(error) => self.fault(name, advice(&InputError::Run(error.into()))),
        }
    }

    fn file_list(&mut self, path: PathBuf) {
        let name = shown_word(path.as_os_str());
        match list::open(&path) {
            Ok(lines) => self.list(&name, lines),
            Err(fault) => self.fault(name, fault),
        }
        self.lists.push(path);
    }

    /// The targets of a list; what is none is told with the number of its line, and ends nothing else.
    fn list(&mut self, name: &str, mut lines: Lines<impl BufRead>) {
        let (mut targets, mut wrong, mut again, mut has_added) = (0, 0, 0, false);
        self.listed.begin(name);
        for (number, line) in lines.by_ref() {
            let before = (self.origins.len(), self.faults.len());
            match line.and_then(|line| target(&line)) {
                Ok(origin) if self.listed.is_new(&origin, number, before.0) => {
                    self.add(origin);
                    // Those of a folder.
                    for fault in self.faults.iter_mut().skip(before.1) {
                        fault.reason = format!("{}: {}", fault.name, fault.reason);
                    }
                    self.listed.came_of(self.origins.get(before.0..).unwrap_or_default(), number);
                }
                Ok(origin) => {
                    again += 1;
                    has_added |= self.listed.add(origin, &mut self.origins);
                    continue;
                }
                Err(fault) => self.fault(String::new(), fault),
            }
            for fault in self.faults.iter_mut().skip(before.1) {
                (fault.name, fault.is_line) = (format!("{name}:{number}"), true);
            }
            let names_some = self.origins.len() > before.0;
            (targets, wrong) = (targets + usize::from(names_some), wrong + usize::from(!names_some));
        }
        if targets + wrong == 0 {
            self.fault(name.to_owned(), "write a target on each line: the list has none".to_owned());
        }
        let notes = [
            (wrong > 1, format!("{} of {} are no targets", grouped(wrong), counted_lines(lines.number()))),
            (again > 0, told_again(again, has_added)),
        ];
        let notes = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| (name.to_owned(), note));
        self.notes.extend(notes);
    }

    fn add(&mut self, origin: Origin) {
        let fault = match &origin {
            Origin::File(path) if path.is_dir() => {
                let before = (self.origins.len(), self.faults.len());
                let mut passed_over = PassedOver::default();
                self.walk(path, MAX_DEPTH, &mut passed_over);
                self.notes.extend(passed_over.note().map(|note| (origin.shown(), note)));
                (before == (self.origins.len(), self.faults.len()))
                    .then(|| "give another folder: no .torrent file is in this one".to_owned())
            }
            _ => {
                self.origins.push(origin);
                return;
            }
        };
        fault.into_iter().for_each(|fault| self.fault(origin.shown(), fault));
    }

    /// The torrents in a folder and its folders, by name; what cannot be read is a fault and ends nothing else. Links to
    /// folders are not followed: they may lead in a circle.
    fn walk(&mut self, folder: &Path, depth: usize, passed_over: &mut PassedOver) {
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut fault = |reason: String| self.fault(escape(&folder.to_string_lossy()).to_string(), reason);
        let mut entries = match entries {
            Ok(_) if depth == 0 => return fault(format!("name it by itself: it is {MAX_DEPTH} folders deep")),
            Ok(entries) => entries,
            Err(error) => return fault(format!("check the folder's mode: {error}")),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.walk(&path, depth - 1, passed_over);
            } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("torrent")) {
                // The target of a symbolic link; a broken link is reported when it is read.
                match std::fs::metadata(&path) {
                    Ok(target) if target.is_dir() => {}
                    Ok(target) if !target.is_file() => passed_over.irregular += 1,
                    _ if entry.file_name().as_encoded_bytes().starts_with(b"._") => passed_over.apple_double += 1,
                    _ => self.origins.push(Origin::File(path)),
                }
            }
        }
    }
}

/// `1 line`, `3,333 lines`.
fn counted_lines(count: usize) -> String {
    format!("{} {}", grouped(count), if count == 1 { "line" } else { "lines" })
}

/// How many lines are about a torrent that an earlier one has.
fn told_again(lines: usize, has_added: bool) -> String {
    let counted = counted_lines(lines);
    match (has_added, lines) {
        (false, _) => format!("{counted} left out, of a target that an earlier line has"),
        (true, 1) => format!("{counted} names a torrent again; what it adds is used too"),
        (true, _) => format!("{counted} name a torrent again; what they add is used too"),
    }
}

impl PassedOver {
    fn note(&self) -> Option<String> {
        let of = |count: usize, what: &str| (count > 0).then(|| format!("{} {what}", plural(count, "file")));
        let apple_double = of(self.apple_double, "called `._*.torrent`, which macOS keeps beside others");
        let irregular = of(self.irregular, "called torrents that are pipes, sockets or devices");
        let parts: Vec<String> = [apple_double, irregular].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("passed over {}", listed(&parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_in_the_name_of_a_thing() {
        let tracker = "tr=http%3A%2F%2Ft.example%2FS3CRET%2Fannounce";
        let hash = "0123456789abcdef0123456789abcdef01234567";
        for (word, shown) in [
            (format!("magnet:?xt=urn:btih:{hash}&{tracker}"), hash),
            (format!("magnet:?{tracker}"), "magnet link"),
            ("a\u{1b}b".to_owned(), "a\\u{1b}b"),
        ] {
            assert_eq!(meaning(word.as_ref()).unwrap().shown(), shown);
        }
    }
}
