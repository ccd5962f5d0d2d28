//! What the files say together: a hybrid's two lists are one, and few paths are the same.

use crate::files::{Layout, PADDING_DIRECTORY};
use crate::safe_name::safe_element;
use crate::{Error, File, PathIssue, Problem};
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

/// Most attempts to find another name for duplicate paths, in one torrent, before libtorrent gives up.
const MAX_DUPLICATES: usize = 500;

/// Holds a hybrid's lists against each other (BEP 52, "upgrade path"), as libtorrent does: the same number of files and
/// bytes; what is neither padding nor empty has the same place, path and length. Older creators did not pad the
/// last file in the v1 list, so then the v2 list goes without as well.
pub(crate) fn hold_together(v2: &mut Layout, v1: &Layout, offset: usize) -> Result<(), Error> {
    // An empty v1 list is no list.
    if v1.files.is_empty() {
        return Ok(());
    }
    if v2.files.len() == v1.files.len() + 1 {
        drop_tail_padding(v2);
    }
    let matters = |file: &File| !file.attributes.padding && file.length > 0;
    // A file that stands for itself is not one in a directory.
    let alone = v2.single == v1.single;
    let same = |(ours, theirs): (&File, &File)| match (matters(ours), matters(theirs)) {
        (true, true) => alone && ours.length == theirs.length && same_path(&ours.path, &theirs.path),
        (ours, theirs) => ours == theirs,
    };
    let alike = v2.files.len() == v1.files.len()
        && v2.total == v1.total
        && offsets(v2).zip(offsets(v1)).all(|((ours, file), (theirs, _))| ours == theirs || !matters(file))
        && v2.files.iter().zip(&v1.files).all(same);
    if alike { Ok(()) } else { Err(Error::field("info", Problem::Inconsistent, offset)) }
}

/// The files with the places where they begin.
fn offsets(layout: &Layout) -> impl Iterator<Item = (u64, &File)> {
    layout.files.iter().scan(0_u64, |next, file| {
        let begins = *next;
        *next = begins.saturating_add(file.length);
        Some((begins, file))
    })
}

/// Takes away the padding after the last byte of content.
fn drop_tail_padding(layout: &mut Layout) {
    let last = layout.files.iter().rposition(|file| file.length > 0);
    if let Some(last) = last.filter(|&last| layout.files.get(last).is_some_and(|file| file.attributes.padding)) {
        layout.total -= layout.files.remove(last).length;
    }
}

/// Whether libtorrent would keep both under the same path.
fn same_path(ours: &[Vec<u8>], theirs: &[Vec<u8>]) -> bool {
    let same = |(a, b): (&Vec<u8>, &Vec<u8>)| a == b || safe_element(a) == safe_element(b);
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
}

/// Marks paths that are another's when case is folded, and refuses a torrent with so many that renaming them is work for
/// an attacker's sake. `name` is the safe one of the directory they are in.
pub(crate) fn find_duplicates(layout: &mut Layout, name: &str, offset: usize) -> Result<(), Error> {
    let mut paths = Paths::default();
    for file in layout.files.iter().filter(|file| !file.attributes.padding) {
        paths.add_directories(&file.path);
    }
    // Padding without a path is beside the directory, and in nobody's way unless the two have one name.
    let beside = !name.eq_ignore_ascii_case(PADDING_DIRECTORY);
    let mut left = MAX_DUPLICATES;
    let too_many = || Error::field("info", Problem::TooManyDuplicates { limit: MAX_DUPLICATES }, offset);
    for file in layout.files.iter_mut().filter(|file| !(beside && file.path.is_empty())) {
        let path = kept_under(file);
        match paths.add(&path, file.attributes.padding.then_some(file.length)) {
            Added::New => {}
            Added::Folded => file.issues.push(PathIssue::Duplicate),
            Added::Taken => {
                left = left.checked_sub(paths.rename(&path)).ok_or_else(too_many)?;
                file.issues.push(PathIssue::Duplicate);
            }
        }
    }
    Ok(())
}

/// The path below the torrent's directory, or below that of padding without a path.
fn kept_under(file: &File) -> Cow<'_, [Vec<u8>]> {
    if file.path.is_empty() {
        Cow::Owned(vec![file.length.to_string().into_bytes()])
    } else {
        Cow::Borrowed(&file.path)
    }
}

enum Added {
    New,
    /// Another's, when case is folded beyond ASCII.
    Folded,
    /// Another's, as libtorrent sees it.
    Taken,
}

/// Paths by their keyed hashes: written out, the directories of a hostile torrent would take far more room than it does.
#[derive(Default)]
struct Paths {
    state: RandomState,
    /// Paths in libtorrent's folding, with the length of padding; padding may lie upon padding of the same length.
    taken: HashMap<u64, Option<u64>>,
    /// Paths that are not ASCII, in Unicode's folding.
    folded: HashSet<u64>,
}

impl Paths {
    fn add_directories(&mut self, path: &[Vec<u8>]) {
        let Some((_, directories)) = path.split_last() else { return };
        let mut hasher = self.state.build_hasher();
        for directory in directories {
            element(&mut hasher, &safe_element(directory));
            self.taken.insert(hasher.finish(), None);
        }
    }

    /// Adds a path, with the length of the padding it stands for.
    fn add(&mut self, path: &[Vec<u8>], padding: Option<u64>) -> Added {
        let mut hasher = self.state.build_hasher();
        path.iter().for_each(|part| element(&mut hasher, &safe_element(part)));
        match self.taken.entry(hasher.finish()) {
            Entry::Occupied(other) if padding.is_some() && *other.get() == padding => Added::New,
            Entry::Occupied(_) => Added::Taken,
            Entry::Vacant(place) => {
                place.insert(padding);
                if self.is_folded_onto_another(path) { Added::Folded } else { Added::New }
            }
        }
    }

    fn is_folded_onto_another(&mut self, path: &[Vec<u8>]) -> bool {
        if path.iter().all(|part| part.is_ascii()) {
            return false;
        }
        let mut hasher = self.state.build_hasher();
        path.iter().for_each(|part| element(&mut hasher, &safe_element(part).to_lowercase()));
        !self.folded.insert(hasher.finish())
    }

    /// Finds the name that libtorrent would give a duplicate, `a.1.txt` for `a.txt`; how many names it tries in vain, or
    /// one more than it may.
    fn rename(&mut self, path: &[Vec<u8>]) -> usize {
        let Some((name, directories)) = path.split_last() else { return 0 };
        let mut hasher = self.state.build_hasher();
        for directory in directories {
            element(&mut hasher, &safe_element(directory));
        }
        let name = safe_element(name);
        let (stem, extension) = name.split_at_checked(name.rfind('.').unwrap_or(name.len())).unwrap_or((&name, ""));
        for tried in 0..=MAX_DUPLICATES {
            let mut hasher = hasher.clone();
            element(&mut hasher, &format!("{stem}.{}{extension}", tried + 1));
            if let Entry::Vacant(place) = self.taken.entry(hasher.finish()) {
                place.insert(None);
                return tried;
            }
        }
        MAX_DUPLICATES + 1
    }
}

/// Adds one element with its ASCII letters folded, so that no two paths of several are written alike.
fn element(hasher: &mut DefaultHasher, element: &str) {
    if element.bytes().any(|byte| byte.is_ascii_uppercase()) {
        hasher.write(element.to_ascii_lowercase().as_bytes());
    } else {
        hasher.write(element.as_bytes());
    }
    hasher.write_u8(b'/');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attributes;

    fn file(path: &str, length: u64) -> File {
        let path = path.split('/').map(|element| element.as_bytes().to_vec()).collect();
        File { path, length, ..File::default() }
    }

    fn padding(length: u64) -> File {
        let attributes = Attributes { padding: true, ..Attributes::default() };
        File { attributes, ..file(&format!(".pad/{length}"), length) }
    }

    fn layout(files: &[File]) -> Layout {
        Layout { files: files.to_vec(), total: files.iter().map(|file| file.length).sum(), single: false }
    }

    #[test]
    fn lists_of_a_hybrid() {
        let v2 = [file("a", 5), padding(11), file("b", 5), padding(11)];
        for (v1, agree) in [
            (vec![file("a", 5), padding(11), file("b", 5), padding(11)], true),
            (vec![file("a", 5), padding(11), file("b", 5)], true),
            (vec![], true),
            (vec![file("a", 5), file("b", 5)], false),
            (vec![file("b", 5), padding(11), file("a", 5)], false),
            (vec![file("a", 5), padding(11), file("c", 5)], false),
            (vec![file("a", 4), padding(12), file("b", 5)], false),
            (vec![file("a", 5), file(".pad/11", 11), file("b", 5)], false),
        ] {
            let result = hold_together(&mut layout(&v2), &layout(&v1), 0);
            assert_eq!(result.is_ok(), agree, "{v1:?}");
        }
    }

    #[test]
    fn duplicates_are_marked_until_there_are_too_many() {
        let mut few = layout(&[file("a", 1), file("A", 1), file("d/x", 1), file("d", 1), file("É", 1), file("é", 1)]);
        find_duplicates(&mut few, "n", 0).unwrap();
        let marked: Vec<bool> = few.files.iter().map(|file| file.issues == [PathIssue::Duplicate]).collect();
        assert_eq!(marked, [false, true, false, true, false, true]);
        // The n-th of them finds n - 2 names taken: 31 * 32 / 2 = 496 in vain for 33 files, 528 for 34.
        for (count, fine) in [(33, true), (34, false)] {
            let mut many = layout(&vec![file("a.txt", 1); count]);
            assert_eq!(find_duplicates(&mut many, "n", 0).is_ok(), fine, "{count}");
        }
        let mut pads = layout(&vec![padding(3); 100]);
        assert!(find_duplicates(&mut pads, "n", 0).is_ok());
    }

    #[test]
    fn padding_without_a_path_is_in_the_way_of_a_torrent_of_that_name_only() {
        let pathless = File { path: Vec::new(), ..padding(3) };
        let files = [vec![file("3", 1); 33], vec![pathless]].concat();
        for (name, fine) in [("n", true), (".pad", false), (".PAD", false)] {
            assert_eq!(find_duplicates(&mut layout(&files), name, 0).is_ok(), fine, "{name}");
        }
    }
}
