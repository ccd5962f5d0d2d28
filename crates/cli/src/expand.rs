//! Expands the words of the command line: folders become the torrents in them.

use crate::origin::Origin;
use crate::shown::shown_word;
use crate::text::{listed, plural};
use crate::word::meaning;
use guard::escape;
use std::ffi::OsString;
use std::path::Path;

/// Most folders in one another that are walked.
const MAX_DEPTH: usize = 32;

/// What the words of the command line mean.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// Folders are replaced by the torrents in them.
    pub(crate) origins: Vec<Origin>,
    /// The words that name no torrent, each with the reason.
    pub(crate) faults: Vec<(String, String)>,
    /// What was skipped, by folder.
    pub(crate) notes: Vec<(String, String)>,
}

/// Counts of skipped folder entries with names that end in `.torrent`.
#[derive(Debug, Default)]
struct PassedOver {
    /// `._NAME`: AppleDouble files, which macOS writes beside each file on foreign file systems.
    apple_double: usize,
    /// Named pipes, sockets and devices: reading one may block or never end.
    irregular: usize,
}

/// What the words of the command line mean.
pub(crate) fn expand(words: &[OsString]) -> Expanded {
    let mut expanded = Expanded::default();
    for word in words {
        match meaning(word) {
            Ok(origin) => expanded.add(origin),
            Err(fault) => expanded.faults.push((shown_word(word), fault)),
        }
    }
    expanded
}

impl Expanded {
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
            Origin::Stdin if self.origins.contains(&origin) => {
                Some("name it once: it can be read only once".to_owned())
            }
            _ => {
                self.origins.push(origin);
                return;
            }
        };
        self.faults.extend(fault.map(|fault| (origin.shown(), fault)));
    }

    /// The torrents in a folder and its folders, by name; what cannot be read is a fault and ends nothing else. Links to
    /// folders are not followed: they may lead in a circle.
    fn walk(&mut self, folder: &Path, depth: usize, passed_over: &mut PassedOver) {
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut fault = |reason: String| self.faults.push((escape(&folder.to_string_lossy()).to_string(), reason));
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
