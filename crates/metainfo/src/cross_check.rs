//! Checks over the whole list of files: the two lists of a hybrid must agree, and few paths may be duplicates.

use crate::error::{Error, Problem};
use crate::file_list::File;
use crate::file_list::{Files, Step};
use crate::files::{Layout, PADDING_DIRECTORY};
use crate::safe_name::safe_element;
use std::collections::HashSet;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

/// Most attempts to find another name for duplicate paths, in one torrent, before libtorrent gives up.
const MAX_DUPLICATES: usize = 500;

/// Compares the v1 and v2 lists of a hybrid (BEP 52, "upgrade path"), as libtorrent does: they must have the same number of
/// files and bytes, and files that are neither padding nor empty the same offset, path and length. Older programs did not
/// pad the last file in the v1 list; then the last padding is removed from the v2 list too.
pub(crate) fn check_hybrid(v2: &mut Layout, v1: &Layout, offset: usize) -> Result<(), Error> {
    // An empty v1 list counts as none.
    if v1.files.is_empty() {
        return Ok(());
    }
    if v2.files.len() == v1.files.len() + 1 {
        drop_tail_padding(v2);
    }
    let matters = |file: &File<'_>| !file.attributes.padding && file.length > 0;
    // A single file is not the same as one file in a directory.
    let alone = v2.single == v1.single;
    let same = |ours: &File<'_>, theirs: &File<'_>| match (matters(ours), matters(theirs)) {
        (true, true) => alone && ours.length == theirs.length && same_path(&ours.path, &theirs.path),
        (ours, theirs) => ours == theirs,
    };
    // Offsets of the next file in both lists.
    let mut begin = (0_u64, 0_u64);
    let mut agree = |(ours, theirs): (File<'_>, File<'_>)| {
        let place = begin.0 == begin.1;
        begin = (begin.0.saturating_add(ours.length), begin.1.saturating_add(theirs.length));
        (place || !matters(&ours)) && same(&ours, &theirs)
    };
    let alike =
        v2.files.len() == v1.files.len() && v2.total == v1.total && v2.files.iter().zip(&v1.files).all(&mut agree);
    if alike { Ok(()) } else { Err(Error::field("info", Problem::Inconsistent, offset)) }
}

/// Removes the padding after the last byte of content.
fn drop_tail_padding(layout: &mut Layout) {
    let (mut walk, mut last) = (layout.files.walk(), None::<Step>);
    while let Some(step) = walk.next() {
        last = if step.length > 0 { Some(step) } else { last };
    }
    if let Some(last) = last.filter(|last| last.is_padding() && last.is_apart()) {
        layout.total -= last.length;
        layout.files.remove_padding(last.begins..last.ends);
    }
}

/// Whether libtorrent would write both under the same path.
fn same_path(ours: &[&[u8]], theirs: &[&[u8]]) -> bool {
    let same = |(a, b): (&&[u8], &&[u8])| a == b || safe_element(a) == safe_element(b);
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
}

/// Marks files whose path is that of another, ignoring case. Refuses a torrent with too many of them: finding other names, as
/// a client would, takes quadratic time. `name` is the safe name of the directory that the files are in.
pub(crate) fn find_duplicates(files: &mut Files, name: &str, offset: usize) -> Result<(), Error> {
    // Padding without a path is beside the torrent's directory, so it collides with nothing unless that has the same name.
    let beside = !name.eq_ignore_ascii_case(PADDING_DIRECTORY);
    let paths = Paths { state: RandomState::new(), beside };
    let Some(mut taken) = paths.all(files) else { return Ok(()) };
    let (mut duplicates, mut left) = (Vec::new(), MAX_DUPLICATES);
    let too_many = || Error::field("info", Problem::TooManyDuplicates { limit: MAX_DUPLICATES }, offset);
    paths.each(
        files,
        |_| {},
        |step, path, hash| {
            let added = taken.add(hash, step.is_padding().then_some(step.length));
            if matches!(added, Added::Taken) {
                left = left.checked_sub(taken.rename(&paths, path)).ok_or_else(too_many)?;
            }
            let mut folded =
                || !path.iter().all(|element| element.is_ascii()) && !taken.folded.insert(paths.folded(path));
            if matches!(added, Added::Taken) || matches!(added, Added::New) && folded() {
                duplicates.push(step.begins);
            }
            Ok(())
        },
    )?;
    files.mark_duplicates(duplicates);
    Ok(())
}

/// Paths by their keyed hashes: written out, the paths of a hostile torrent would take far more memory than the torrent.
struct Paths {
    state: RandomState,
    /// Whether padding without a path is ignored.
    beside: bool,
}

impl Paths {
    /// The hashes of all paths, unless it is certain that no two are the same.
    fn all(&self, files: &Files) -> Option<Taken> {
        let (mut names, mut directories, mut ascii) = (Vec::with_capacity(files.len()), Vec::new(), true);
        let add = |_: Step, path: &[&[u8]], hash| {
            names.push(hash);
            ascii &= path.iter().all(|element| element.is_ascii());
            Ok(())
        };
        self.each(files, |hash| directories.push(hash), add).ok()?;
        let count = names.len();
        for hashes in [&mut names, &mut directories] {
            hashes.sort_unstable();
            hashes.dedup();
        }
        let is_directory = |name: &u64| directories.binary_search(name).is_ok();
        if ascii && names.len() == count && (directories.is_empty() || !names.iter().any(is_directory)) {
            return None;
        }
        let owners = names.iter().map(|name| if is_directory(name) { Owner::FILE } else { Owner::NONE }).collect();
        Some(Taken { names, owners, directories, renamed: HashSet::new(), folded: HashSet::new() })
    }

    /// Calls `directory` at least once for each directory of files other than padding, with its hash, and `file` for each file
    /// that can collide, with its path and its hash. Hashes ignore the case of ASCII letters, as libtorrent does.
    fn each(
        &self,
        files: &Files,
        mut directory: impl FnMut(u64),
        mut file: impl FnMut(Step, &[&[u8]], u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut walk, mut along, mut apart) = (files.walk(), Branch::default(), Branch::default());
        while let Some(step) = walk.next() {
            let path = walk.path(step);
            let branch = if step.is_apart() { &mut apart } else { &mut along };
            branch.cut(step.shared);
            let Some((name, directories)) = path.split_last() else {
                let name = step.length.to_string();
                if !self.beside {
                    file(step, &[name.as_bytes()], self.below(None, &safe_element(name.as_bytes())).finish())?;
                }
                continue;
            };
            branch.grow(directories, self);
            if !step.is_padding() {
                branch.report_new(&mut directory);
            }
            file(step, path, self.below(branch.hashers.last(), &safe_element(name)).finish())?;
        }
        Ok(())
    }

    /// The hash of an element in a directory, ignoring the case of ASCII letters. A separator after each element makes
    /// different paths different input.
    fn below(&self, directory: Option<&DefaultHasher>, element: &str) -> DefaultHasher {
        let mut hasher = directory.cloned().unwrap_or_else(|| self.state.build_hasher());
        if element.bytes().any(|byte| byte.is_ascii_uppercase()) {
            hasher.write(element.to_ascii_lowercase().as_bytes());
        } else {
            hasher.write(element.as_bytes());
        }
        hasher.write_u8(b'/');
        hasher
    }

    /// The hash of a path in lower case (Unicode).
    fn folded(&self, path: &[&[u8]]) -> u64 {
        let below =
            |hasher, element: &&[u8]| Some(self.below(Option::as_ref(&hasher), &safe_element(element).to_lowercase()));
        path.iter().fold(None, below).map_or(0, |hasher| hasher.finish())
    }
}

/// The hashers of the last path's directories.
#[derive(Default)]
struct Branch {
    hashers: Vec<DefaultHasher>,
    /// How many of them were reported.
    reported: usize,
}

impl Branch {
    fn cut(&mut self, length: usize) {
        self.hashers.truncate(length);
        self.reported = self.reported.min(length);
    }

    fn grow(&mut self, directories: &[&[u8]], paths: &Paths) {
        self.cut(directories.len());
        for element in directories.get(self.hashers.len()..).unwrap_or_default() {
            let hasher = paths.below(self.hashers.last(), &safe_element(element));
            self.hashers.push(hasher);
        }
    }

    fn report_new(&mut self, directory: &mut impl FnMut(u64)) {
        self.hashers.iter().skip(self.reported).for_each(|hasher| directory(hasher.finish()));
        self.reported = self.hashers.len();
    }
}

enum Added {
    New,
    /// Padding at the path of padding of the same length, which is no collision.
    SamePadding,
    /// The path of another file, by libtorrent's rules.
    Taken,
}

/// What has a path so far: nothing, a file or directory, or padding of some length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner(u64);

impl Owner {
    const NONE: Self = Self(0);
    const FILE: Self = Self(1);

    fn padding(length: u64) -> Self {
        Self(length.saturating_add(2))
    }
}

/// The sorted hashes of paths, and what has each.
struct Taken {
    names: Vec<u64>,
    /// What has each name.
    owners: Vec<Owner>,
    directories: Vec<u64>,
    /// New names of duplicates that are not in `names`.
    renamed: HashSet<u64>,
    /// Paths that are not ASCII, in lower case (Unicode).
    folded: HashSet<u64>,
}

impl Taken {
    fn owner(&mut self, hash: u64) -> Option<&mut Owner> {
        self.names.binary_search(&hash).ok().and_then(|place| self.owners.get_mut(place))
    }

    /// Adds a file's path; `padding` is its length if it is padding.
    fn add(&mut self, hash: u64, padding: Option<u64>) -> Added {
        let added = padding.map_or(Owner::FILE, Owner::padding);
        match self.owner(hash) {
            Some(owner) if *owner == Owner::NONE => *owner = added,
            Some(owner) if padding.is_some() && *owner == added => return Added::SamePadding,
            _ => return Added::Taken,
        }
        Added::New
    }

    /// Takes a new name, unless it is taken.
    fn take(&mut self, hash: u64) -> bool {
        match self.owner(hash) {
            Some(owner) if *owner != Owner::NONE => false,
            Some(owner) => {
                *owner = Owner::FILE;
                true
            }
            None => self.directories.binary_search(&hash).is_err() && self.renamed.insert(hash),
        }
    }

    /// Finds the name that libtorrent would give a duplicate, `a.1.txt` for `a.txt`. Returns how many names were taken, at most
    /// one more than the limit.
    fn rename(&mut self, paths: &Paths, path: &[&[u8]]) -> usize {
        let Some((name, directories)) = path.split_last() else { return 0 };
        let mut branch = Branch::default();
        branch.grow(directories, paths);
        let name = safe_element(name);
        let (stem, extension) = name.split_at_checked(name.rfind('.').unwrap_or(name.len())).unwrap_or((&name, ""));
        let hash = |tried| paths.below(branch.hashers.last(), &format!("{stem}.{}{extension}", tried + 1)).finish();
        (0..=MAX_DUPLICATES).find(|&tried| self.take(hash(tried))).unwrap_or(MAX_DUPLICATES + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_list::Attributes;
    use crate::files::LayoutWriter;

    fn file(path: &str, length: u64) -> File<'_> {
        File { path: path.split('/').map(str::as_bytes).collect(), length, ..File::default() }
    }

    fn padding(path: &str, length: u64) -> File<'_> {
        let attributes = Attributes { padding: true, ..Attributes::default() };
        File { attributes, ..file(path, length) }
    }

    fn layout(files: &[File<'_>]) -> Layout {
        let mut layout = LayoutWriter::default();
        for file in files {
            let push = if file.attributes.padding { LayoutWriter::push_apart } else { LayoutWriter::push };
            push(&mut layout, file, String::new, 0).unwrap();
        }
        layout.finish(false)
    }

    fn marked(files: &[File<'_>], name: &str) -> Result<Vec<bool>, Error> {
        let mut files = layout(files).files;
        find_duplicates(&mut files, name, 0).map(|()| files.iter().map(|file| file.is_duplicate).collect())
    }

    #[test]
    fn the_lists_of_a_hybrid_agree_apart_from_the_last_padding() {
        let pad = || padding(".pad/11", 11);
        let v2 = [file("a", 5), pad(), file("b", 5), pad()];
        for (v1, agree) in [
            (vec![file("a", 5), pad(), file("b", 5), pad()], true),
            (vec![file("a", 5), pad(), file("b", 5)], true),
            (vec![], true),
            (vec![file("a", 5), file("b", 5)], false),
            (vec![file("b", 5), pad(), file("a", 5)], false),
            (vec![file("a", 5), pad(), file("c", 5)], false),
            (vec![file("a", 4), padding(".pad/12", 12), file("b", 5)], false),
            (vec![file("a", 5), file(".pad/11", 11), file("b", 5)], false),
        ] {
            let result = check_hybrid(&mut layout(&v2), &layout(&v1), 0);
            assert_eq!(result.is_ok(), agree, "{v1:?}");
        }
    }

    #[test]
    fn duplicates_are_marked_until_there_are_too_many() {
        let few = [file("a", 1), file("A", 1), file("d/x", 1), file("d", 1), file("É", 1), file("é", 1)];
        assert_eq!(marked(&few, "n").unwrap(), [false, true, false, true, false, true]);
        // The n-th file finds n - 2 names taken: 31 * 32 / 2 = 496 for 33 files, 528 for 34.
        for (count, fine) in [(33, true), (34, false)] {
            assert_eq!(marked(&vec![file("a.txt", 1); count], "n").is_ok(), fine, "{count}");
        }
        assert!(marked(&vec![padding(".pad/3", 3); 100], "n").is_ok());
    }

    #[test]
    fn a_new_name_of_a_duplicate_can_collide_too() {
        // The second `a` becomes `a.1`, the name of the fourth file; below, of a directory.
        assert_eq!(
            marked(&[file("a", 1), file("a", 1), file("b", 1), file("a.1", 1)], "n").unwrap(),
            [false, true, false, true]
        );
        let beside_a_directory = [file("a", 1), file("a", 1), file("a.1/x", 1), file("a.2", 1)];
        assert_eq!(marked(&beside_a_directory, "n").unwrap(), [false, true, false, true]);
    }

    #[test]
    fn directories_of_padding_do_not_collide() {
        assert_eq!(marked(&[padding("d/p", 1), file("d", 1)], "n").unwrap(), [false, false]);
        let mut files = LayoutWriter::default();
        for file in [padding("d/p", 1), file("d/x", 1), file("d", 1)] {
            files.push(&file, String::new, 0).unwrap();
        }
        let mut files = files.finish(false).files;
        find_duplicates(&mut files, "n", 0).unwrap();
        assert!(files.iter().map(|file| file.is_duplicate).eq([false, false, true]));
    }

    #[test]
    fn padding_without_a_path_collides_only_in_a_torrent_named_like_its_directory() {
        let pathless = File { path: Vec::new(), ..padding("", 3) };
        let files = [vec![file("3", 1); 33], vec![pathless]].concat();
        for (name, fine) in [("n", true), (".pad", false), (".PAD", false)] {
            assert_eq!(marked(&files, name).is_ok(), fine, "{name}");
        }
    }
}
