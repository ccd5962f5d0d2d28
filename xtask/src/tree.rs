//! The crates that the command is built of: at most a given number, and none of those that are banned.

use std::collections::BTreeSet;

use xtask::shell::{self, Result};

/// The command that lists them.
pub(crate) const TREE: &str = "cargo tree --locked -p cli -e normal --prefix none";

/// The most crates of others that the command may be built of.
const MOST_OTHERS: usize = 130;

/// Crates the command must not contain.
const UNWANTED: &[&str] = &["tokio-util"];

/// Checks the number of crates of the command, and that none is banned.
pub(crate) fn run() -> Result {
    let crates = crates()?;
    let others = crates.iter().filter(|line| is_of_others(line)).count();
    println!(
        "cli is built of {others} crates of others, at most {MOST_OTHERS} are allowed, and {} of ours",
        crates.len() - others
    );
    if others > MOST_OTHERS {
        return Err(format!("cli is built of {others} crates of others, more than {MOST_OTHERS}"));
    }
    let unwanted: Vec<&str> =
        crates.iter().filter_map(|line| line.split(' ').next()).filter(|name| UNWANTED.contains(name)).collect();
    if unwanted.is_empty() { Ok(()) } else { Err(format!("cli contains {}", unwanted.join(", "))) }
}

/// The distinct crates that the command is built of, with versions, those of the workspace included.
pub(crate) fn crates() -> Result<BTreeSet<String>> {
    let tree = shell::output(&mut shell::cargo(TREE.split(' ').skip(1)))?;
    Ok(crates_of(&tree).into_iter().map(str::to_owned).collect())
}

/// A crate of the workspace stands with the path of its folder.
fn is_of_others(line: &str) -> bool {
    !line.contains(" (/")
}

/// The distinct crates in the output of `cargo tree --prefix none`.
fn crates_of(tree: &str) -> BTreeSet<&str> {
    // A crate that was listed before is marked with `(*)`, and its dependencies are not listed again.
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim());
    lines.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_shown_twice_counts_once() {
        let tree = "cli v0.1.0 (here)\ntokio v1.0.0\nbytes v1.1.0\n\ntokio v1.0.0 (*)\n";
        assert_eq!(crates_of(tree).len(), 3);
    }

    #[test]
    fn a_crate_of_the_workspace_has_a_path() {
        let lines = ["cli v0.1.0 (/a/crates/cli)", "tokio v1.0.0", "serde_derive v1.0.0 (proc-macro)"];
        assert_eq!(lines.map(is_of_others), [false, true, true]);
    }
}
