//! What the files say together: a hybrid's two lists are one, and few paths are the same.

use crate::files::Layout;
use crate::{Error, File, PathIssue, Problem};
use std::collections::{HashMap, HashSet};

/// Most attempts to find another name for duplicate paths, in one torrent, before libtorrent gives up.
const MAX_DUPLICATES: usize = 500;

/// Holds a hybrid's lists against each other (BEP 52: "identical content"), as libtorrent does: the same number of files
/// and bytes; what is neither padding nor empty has the same place, path and length. Older creators did not pad the
/// last file in the v1 list, so then the v2 list goes without as well.
pub(crate) fn hold_together(v2: &mut Layout, v1: &Layout, name: &str, offset: usize) -> Result<(), Error> {
    // An empty v1 list is no list.
    if v1.files.is_empty() {
        return Ok(());
    }
    if v2.files.len() == v1.files.len() + 1 {
        drop_tail_padding(v2);
    }
    let matters = |file: &File| !file.attributes.padding && file.length > 0;
    let same = |(ours, theirs): (&File, &File)| match (matters(ours), matters(theirs)) {
        (true, true) => ours.length == theirs.length && v2.safe_path(ours, name) == v1.safe_path(theirs, name),
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

/// Marks paths that are another's when case is folded, and refuses a torrent with so many that renaming them is work for
/// an attacker's sake.
pub(crate) fn find_duplicates(layout: &mut Layout, name: &str, offset: usize) -> Result<(), Error> {
    let mut seen = directories(layout, name);
    let mut folded: HashSet<String> = HashSet::new();
    let mut attempts = 0;
    for index in 0..layout.files.len() {
        let Some(file) = layout.files.get(index) else { break };
        if file.attributes.padding && file.path.first().is_none_or(|first| first == b".pad") {
            continue;
        }
        let path = layout.safe_path(file, name);
        let lower = path.to_ascii_lowercase();
        let padding = file.attributes.padding.then_some(file.length);
        let mut duplicate = false;
        match seen.get(&lower) {
            None => {
                duplicate = !path.is_ascii() && !folded.insert(path.to_lowercase());
                seen.insert(lower, padding);
            }
            // Padding may lie upon padding of the same length.
            Some(other) if padding.is_some() && *other == padding => {}
            Some(_) => {
                duplicate = true;
                attempts += rename(&lower, &mut seen, MAX_DUPLICATES - attempts).ok_or_else(|| {
                    Error::field("info", Problem::TooManyDuplicates { limit: MAX_DUPLICATES }, offset)
                })?;
            }
        }
        if let Some(file) = layout.files.get_mut(index).filter(|_| duplicate) {
            file.issues.push(PathIssue::Duplicate);
        }
    }
    Ok(())
}

/// All directories, under the path that files could collide with; they are no padding.
fn directories(layout: &Layout, name: &str) -> HashMap<String, Option<u64>> {
    let mut seen = HashMap::new();
    if !layout.single {
        seen.insert(name.to_ascii_lowercase(), None);
    }
    let mut previous: &[Vec<u8>] = &[];
    for file in layout.files.iter().filter(|file| !file.attributes.padding) {
        let Some((_, parents)) = file.path.split_last() else { continue };
        // Files come directory by directory, mostly.
        if parents.is_empty() || parents == previous {
            continue;
        }
        previous = parents;
        let directory = File { path: parents.to_vec(), ..File::default() };
        let path = layout.safe_path(&directory, name).to_ascii_lowercase();
        let mut prefix = path.as_str();
        while seen.insert(prefix.to_owned(), None).is_none() {
            let Some((parent, _)) = prefix.rsplit_once('/') else { break };
            prefix = parent;
        }
    }
    seen
}

/// Finds the name that libtorrent would give a duplicate, `a.1.txt` for `a.txt`; the number of names tried in vain, or
/// `None` when there were more than `left`.
fn rename(path: &str, seen: &mut HashMap<String, Option<u64>>, left: usize) -> Option<usize> {
    let directory = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path.rfind('.').filter(|&dot| dot >= directory).unwrap_or(path.len());
    let (stem, extension) = path.split_at_checked(dot)?;
    (0..=left).find(|tried| {
        let candidate = format!("{stem}.{}{extension}", tried + 1);
        let free = !seen.contains_key(&candidate);
        if free {
            seen.insert(candidate, None);
        }
        free
    })
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
            let result = hold_together(&mut layout(&v2), &layout(&v1), "n", 0);
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
}
