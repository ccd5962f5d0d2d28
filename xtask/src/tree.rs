//! The crates that the command is built of: at most a given number, and none of those that are banned.

use std::collections::BTreeSet;

use xtask::shell::{self, Result};

/// The command that lists them.
pub(crate) const TREE: &str = "cargo tree --locked -p cli -e normal --prefix none";

/// The most crates the command may consist of.
const MOST_CRATES: usize = 140;

/// Crates the command must not contain.
const UNWANTED: &[&str] = &["tokio-util"];

/// Checks the number of crates of the command, and that none is banned.
pub(crate) fn run() -> Result {
    let crates = crates()?;
    println!("cli consists of {} crates, at most {MOST_CRATES} are allowed", crates.len());
    if crates.len() > MOST_CRATES {
        return Err(format!("cli consists of {} crates, more than {MOST_CRATES}", crates.len()));
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
}
