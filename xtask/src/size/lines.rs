//! Lines of Rust, those of tests apart, and what is public.

use std::fs;
use std::ops::AddAssign;
use std::path::Path;

use xtask::shell::Result;

/// What files hold. Lines are all lines, comments and blank ones too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Lines that are no test.
    pub(super) code: usize,
    /// Lines of tests: what `#[cfg(test)]` is above, and files of folders named `tests`.
    pub(super) tests: usize,
    /// Public items that are no test's, by their first word: approximate, for macros and private modules are not looked into.
    pub(super) public: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.code += other.code;
        self.tests += other.tests;
        self.public += other.public;
    }
}

/// What an item begins with after `pub `.
const ITEMS: &[&str] = &["fn", "async", "const", "enum", "macro", "mod", "static", "struct", "trait", "type", "use"];

/// The files of Rust in a folder and below, build output apart.
pub(super) fn folder(folder: &Path) -> Result<Count> {
    let mut sum = Count::default();
    // Not each folder is there today.
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

/// Whether a whole file is a test's.
fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs") || path.iter().any(|part| part == "tests")
}

fn all_tests(text: &str) -> Count {
    Count { tests: text.lines().count(), ..Count::default() }
}

/// What one file holds, which is formatted by rustfmt: an item ends at the indentation at which it begins.
fn file(text: &str) -> Count {
    let mut count = Count::default();
    // The indentation of the test's item that the line is in.
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
    fn tests_are_counted_apart() {
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
