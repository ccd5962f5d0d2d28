//! Counts lines of Rust, apart from those of tests, and public items.

use std::fs;
use std::ops::AddAssign;
use std::path::Path;

use xtask::shell::Result;

/// The counts of files. Lines include comments and blank ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Lines outside tests.
    pub(super) code: usize,
    /// Lines of tests: items with `#[cfg(test)]`, and files in folders named `tests`.
    pub(super) tests: usize,
    /// Public items outside tests, by their first word; approximate, because macros and private modules are not considered.
    pub(super) public: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.code += other.code;
        self.tests += other.tests;
        self.public += other.public;
    }
}

/// The first word of an item after `pub `.
const ITEMS: &[&str] = &["fn", "async", "const", "enum", "macro", "mod", "static", "struct", "trait", "type", "use"];

/// The files of Rust in a folder and below, without build output.
pub(super) fn folder(folder: &Path) -> Result<Count> {
    let mut sum = Count::default();
    // A folder may not exist.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            sum += self::folder(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            sum += if is_test(&path) { all_tests(&text) } else { file(&text) };
        }
    }
    Ok(sum)
}

/// Whether a whole file is of tests.
fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs") || path.iter().any(|part| part == "tests")
}

fn all_tests(text: &str) -> Count {
    Count { tests: text.lines().count(), ..Count::default() }
}

/// The counts of one file, formatted by rustfmt: an item ends at the indentation at which it begins.
fn file(text: &str) -> Count {
    let mut count = Count::default();
    // The indentation of the test item that contains the line.
    let mut test: Option<usize> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        let indentation = line.len() - line.trim_start().len();
        if let Some(begin) = test {
            count.tests += 1;
            let is_end = indentation == begin && (trimmed.ends_with(';') || trimmed.ends_with('}'));
            let is_attribute = trimmed.starts_with("#[") || trimmed.starts_with("//");
            test = if is_end && !is_attribute { None } else { Some(begin) };
        } else if trimmed == "#[cfg(test)]" {
            count.tests += 1;
            test = Some(indentation);
        } else {
            count.code += 1;
            count.public += usize::from(is_public_item(trimmed));
        }
    }
    count
}

fn is_public_item(line: &str) -> bool {
    let item = line.strip_prefix("pub ").and_then(|rest| rest.split(' ').next());
    item.is_some_and(|item| ITEMS.contains(&item.trim_end_matches('!')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
//! A module.

/// A doc comment.
pub struct A {
    pub field: u8,
}

#[cfg(test)]
use std::fmt;

impl A {
    pub const fn new() -> Self {
        A { field: 0 }
    }

    #[cfg(test)]
    #[must_use]
    pub fn tried(&self) -> bool {
        true
    }

    pub(crate) fn crate_s(&self) {}
}

#[cfg(test)]
const ONE: u8 = { 1 };

pub use std::fs;

#[cfg(test)]
mod tests {
    #[test]
    fn it_works() {
        assert!(super::A::new().tried());
    }
}
";

    #[test]
    fn lines_of_tests_are_counted_separately() {
        let tests = 2 + 5 + 2 + 7;
        let expected = Count { code: FILE.lines().count() - tests, tests, public: 3 };
        assert_eq!(file(FILE), expected);
    }

    #[test]
    fn a_module_of_tests_in_another_file_is_one_line_here() {
        assert_eq!(file("#[cfg(test)]\nmod tests;\nfn a() {}\n"), Count { code: 1, tests: 2, public: 0 });
        assert!(is_test(Path::new("crates/a/src/tests.rs")) && is_test(Path::new("crates/a/tests/b/mod.rs")));
        assert!(!is_test(Path::new("crates/a/src/attests.rs")));
    }
}
