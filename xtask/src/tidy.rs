//! `cargo xtask tidy`: rules of style that no compiler checks.
//!
//! Reads the files that git tracks, and new ones that it does not ignore, so build output is never read.

mod bootstrap;
mod circles;
mod imports;
mod modules;
mod tokens;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::optional;
use xtask::shell::{self, Result};
use xtask::skips::Skips;

use modules::Crate;

/// All names that are allowed at the top level, besides dot-files and licences.
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "crates",
    "xtask",
    "fixtures",
    "findings",
    "README.md",
    "deny.toml",
    "rust-toolchain.toml",
];

/// Findings about outside software: a list, and a script for each entry.
const FINDINGS: &str = "findings/";

/// The most lines of a file; a longer one holds two things, and is to be split.
const LONGEST_FILE: usize = 500;

/// The most lines of an example, which is what users copy first.
const LONGEST_EXAMPLE: usize = 39;

/// Files written by others or by programs; the rules of style do not apply to them.
const NOT_OURS: &[&str] = &["Cargo.lock", "xtask/bench/Cargo.lock", "LICENSE-", "xtask/fuzz/Cargo.lock", "fixtures/"];

/// Text that no source file may contain, and why. Written in pieces, so that this file passes its own test.
const BANNED: &[(&str, &str)] = &[
    (concat!("to", "do!"), "unfinished"),
    (concat!("unimpl", "emented!"), "unfinished"),
    (concat!("TO", "DO"), "unfinished: do it, or open an issue"),
    (concat!("FIX", "ME"), "unfinished: do it, or open an issue"),
    (concat!("#[ig", "nore"), "a test that does not run"),
    (concat!("db", "g!("), "left over from debugging"),
];

/// The only places that may sleep: scripts that are slow on purpose, the polling of outside programs, and the time that those of a
/// comparison get to warm up.
const MAY_SLEEP: &[&str] =
    &["crates/fake-swarm/", "crates/lab/src/integration", "xtask/bench/src/dht/", "xtask/bench/src/truth/"];

/// Folders of one developer's or build machine, which do not exist elsewhere.
const PRIVATE_FOLDERS: &[&str] = &[concat!("/ro", "ot"), concat!("/ho", "me"), concat!("/Us", "ers")];

/// Checks the whole repository; the error lists every complaint.
pub(crate) fn run(skips: &Skips) -> Result {
    let Some(complaints) = complaints(skips, &shell::root())? else { return Ok(()) };
    if complaints.is_empty() { Ok(()) } else { Err(format!("tidy:\n  {}", complaints.join("\n  "))) }
}

/// Every complaint about the repository at `root`; `None` where git cannot list its files.
fn complaints(skips: &Skips, root: &Path) -> Result<Option<Vec<String>>> {
    let Some(files) = listed_files(skips, root)? else { return Ok(None) };
    let mut found = top_level(files.iter().map(String::as_str));
    found.extend(
        files
            .iter()
            .filter(|path| !is_in_place(path))
            .map(|path| format!("{path}: {FINDINGS} has README.md and scripts named NAME.sh, nothing else")),
    );
    // A listed file may be missing: deleted, and not yet committed.
    let ours = files.into_iter().filter(|path| !NOT_OURS.iter().any(|prefix| path.starts_with(prefix)));
    let texts = ours.filter_map(|path| fs::read_to_string(root.join(&path)).ok().map(|text| (path, text)));
    let texts: BTreeMap<String, String> = texts.collect();
    for (path, text) in &texts {
        found.extend(file(path, text));
        if path == "Cargo.toml" {
            found.extend(unexplained_dependencies(text));
        }
    }
    found.extend(words::complaints(&texts));
    found.extend(bootstrap::complaints(&texts));
    for root in texts.keys().filter(|path| is_crate_root(path)) {
        let read = Crate::read(root, &texts);
        found.extend(imports::complaints(&read));
        found.extend(circles::complaints(&read));
    }
    Ok(Some(found))
}

/// Whether a file is the root module of a library or a program. Tests and examples use public items only.
fn is_crate_root(path: &str) -> bool {
    path.contains("/src/") && (path.ends_with("/lib.rs") || path.ends_with("/main.rs"))
}

/// The files that git tracks, and new ones that it does not ignore; `None` without git or a repository.
fn listed_files(skips: &Skips, root: &Path) -> Result<Option<Vec<String>>> {
    if !skips.can(&[&optional::GIT])? {
        return Ok(None);
    }
    if !root.join(".git").exists() {
        return skips.cannot("not a git repository, so the project's files are unknown").map(|()| None);
    }
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let list = shell::output(&mut git)?;
    Ok(Some(list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()))
}

/// Names that are not allowed at the top level.
fn top_level<'a>(files: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = files.map(|path| path.split('/').next().unwrap_or(path)).collect();
    names.dedup();
    names.retain(|name| !name.starts_with('.') && !name.starts_with("LICENSE") && !TOP_LEVEL.contains(name));
    names.iter().map(|name| format!("{name}: does not belong at the top level")).collect()
}

/// Whether a file below [`FINDINGS`] is allowed; files elsewhere are.
fn is_in_place(path: &str) -> bool {
    let Some(name) = path.strip_prefix(FINDINGS) else { return true };
    let is_script = name.strip_suffix(".sh").is_some_and(|stem| !stem.is_empty() && !stem.contains('/'));
    name == "README.md" || is_script
}

/// Complaints about one text file.
fn file(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    let is_rust = path.ends_with(".rs");
    let longest = if is_rust && path.contains("/examples/") { LONGEST_EXAMPLE } else { LONGEST_FILE };
    if lines > longest {
        found.push(format!("{path}: {lines} lines, at most {longest} are allowed"));
    }
    if is_rust && !["//!", "#![doc = include_str!("].iter().any(|start| text.starts_with(start)) {
        found.push(format!("{path}:1: a module starts with `//!` or its README, saying what it is"));
    }
    let may_sleep = MAY_SLEEP.iter().any(|prefix| path.starts_with(prefix));
    for (line, number) in text.lines().zip(1..) {
        let mut complain = |what: &str| found.push(format!("{path}:{number}: {what}"));
        if line.ends_with([' ', '\t']) {
            complain("white space at the end of the line");
        }
        if let Some(folder) = PRIVATE_FOLDERS.iter().find(|folder| names_folder(line, folder)) {
            complain(&format!("`{folder}` is a folder of one machine"));
        }
        if !is_rust {
            continue;
        }
        for (_, why) in BANNED.iter().filter(|(banned, _)| line.contains(banned)) {
            complain(why);
        }
        if !may_sleep && calls_sleep(line) {
            complain("sleep: wait for an event or a deadline, or use paused time");
        }
    }
    found
}

/// Whether the line names the folder as an absolute path, and not as a part of another name.
fn names_folder(line: &str, folder: &str) -> bool {
    let part_of_a_name = |c: char| c.is_alphanumeric() || "._-".contains(c);
    line.match_indices(folder).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let after = rest.strip_prefix(folder).unwrap_or_default();
        !before.ends_with(part_of_a_name) && !after.starts_with(part_of_a_name)
    })
}

/// Whether the line calls a function named exactly `sleep`. `sleep_until` is a deadline and is allowed.
fn calls_sleep(line: &str) -> bool {
    line.match_indices(concat!("sle", "ep(")).any(|(at, _)| {
        let before = line.split_at(at).0;
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

/// The dependencies of the workspace's manifest that no comment directly above explains.
fn unexplained_dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.lines().zip(1..).skip_while(|(line, _)| *line != "[workspace.dependencies]");
    let mut above = "";
    let mut found = Vec::new();
    for (line, number) in section.skip(1).take_while(|(line, _)| !line.starts_with('[')) {
        let name = line.split_once('=').map(|(name, _)| name.trim()).filter(|name| is_key(name));
        if let Some(name) = name
            && !line.contains("path =")
            && !above.starts_with('#')
        {
            found.push(format!("Cargo.toml:{number}: say in a comment directly above what `{name}` is for"));
        }
        above = line;
    }
    found
}

/// Whether this is the name of a dependency, and not an item of a list over several lines.
fn is_key(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        // Without git no file is checked; `ci` says so.
        let found = complaints(&Skips::default(), &shell::root()).unwrap().unwrap_or_default();
        assert!(found.is_empty(), "{}\nrepeat with: cargo xtask tidy", found.join("\n"));
    }

    #[test]
    fn unknown_names_at_the_top_level_are_complaints() {
        let files = ["Cargo.toml", ".ci/run", "LICENSE-MIT", "notes.txt", "docs/a", "docs/b", "xtask/src/main.rs"];
        assert_eq!(top_level(files.into_iter()).len(), 2);
    }

    #[test]
    fn findings_other_than_a_list_and_scripts_are_complaints() {
        for path in ["findings/README.md", "findings/full-client.sh", "crates/findings/a.rs", ".github/SECURITY.md"] {
            assert!(is_in_place(path), "{path}");
        }
        for path in ["findings/a.py", "findings/.sh", "findings/a/b.sh", "findings/a/README.md", "findings/notes.md"] {
            assert!(!is_in_place(path), "{path}");
        }
        let files = ["findings/README.md", ".github/SECURITY.md", "docs/a"];
        assert_eq!(top_level(files.into_iter()), ["docs: does not belong at the top level"]);
    }

    #[test]
    fn each_rule_has_its_complaint() {
        let cases = [
            "fn f() {}\n".to_owned(),
            "//! A.\nlet a = 1; \n".to_owned(),
            format!("//! A.\n{}()\n", concat!("to", "do!")),
            format!("//! A.\ntokio::time::{}a).await;\n", concat!("sle", "ep(")),
            format!("//! A.\nlet home = \"{}/x\";\n", concat!("/ro", "ot")),
            format!("//! A.\n{}", "\n".repeat(LONGEST_FILE)),
        ];
        for text in cases {
            assert_eq!(file("crates/a/src/lib.rs", &text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_long_example_is_a_complaint() {
        let text = format!("//! A.\n{}", "\n".repeat(LONGEST_EXAMPLE - 1));
        assert_eq!(file("crates/a/examples/b.rs", &text), Vec::<String>::new());
        assert_eq!(file("crates/a/examples/b.rs", &(text + "\n")).len(), 1);
        assert_eq!(file("crates/a/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n"), Vec::<String>::new());
    }

    #[test]
    fn text_that_resembles_a_complaint_is_allowed() {
        let text = "//! A.\n// tracker/rootdir, /rooted, a/root/b, /homestead\nsleep_until(deadline).await;\n";
        assert_eq!(file("crates/a/src/lib.rs", text), Vec::<String>::new());
        let slow = format!("//! A.\n{}1)\n", concat!("sle", "ep("));
        assert_eq!(file("crates/fake-swarm/src/lib.rs", &slow), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_without_a_comment_is_a_complaint() {
        let manifest = "[workspace.dependencies]\nown = { path = \"crates/own\" }\n\n# why\ngood = \"1\"\nbad = { version = \"1\", features = [\n  \"x\",\n] }\n[profile.release]\nlto = true\n";
        let found = unexplained_dependencies(manifest);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`bad`"));
    }
}
