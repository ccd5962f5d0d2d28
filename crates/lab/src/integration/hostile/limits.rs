//! That no limit is without a scenario which needs it.

use std::collections::BTreeSet;

use xtask::shell::Result;

use super::scenario::Scenario;

/// Options of the binary that are limits too.
const OPTIONS: &[&str] =
    &["--connect-timeout", "--handshake-timeout", "--linger", "--max-peers", "--max-per-address", "--rate"];

/// Every limit that the binary names, and every option that is one, must be lifted for some scenario.
pub(super) fn all_are_needed<'s>(binary: &std::path::Path, scenarios: impl Iterator<Item = &'s Scenario>) -> Result {
    let lifted: Vec<&str> = scenarios.flat_map(|scenario| scenario.needs.iter().map(|need| need.lifted_by)).collect();
    let limits = names(binary)?.into_iter().map(|name| format!("--limit {name}="));
    let options = OPTIONS.iter().map(|option| format!("{option} "));
    let unneeded = limits.chain(options).filter(|limit| !lifted.iter().any(|lifted| lifted.starts_with(limit)));
    let unneeded: Vec<String> = unneeded.collect();
    if unneeded.is_empty() { Ok(()) } else { Err(format!("no scenario needs {}", unneeded.join(", "))) }
}

/// The limits by name, as the binary says when it is asked for one that it has not.
fn names(binary: &std::path::Path) -> Result<BTreeSet<String>> {
    let output = xtask::binary::command(binary).args(["--limit", "nothing=1", "-"]).output();
    let output = output.map_err(|error| format!("{}: {error}", binary.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let names = in_complaint(&said);
    if names.is_empty() { Err(format!("no limits are named in: {said}")) } else { Ok(names) }
}

fn in_complaint(said: &str) -> BTreeSet<String> {
    let list = said.split_once("the limits are ").and_then(|(_, list)| list.lines().next());
    list.into_iter().flat_map(|list| list.split(", ")).map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_complaint() {
        let said = "error: invalid value: the limits are trackers, peer-bytes\n\nFor more information\n";
        assert_eq!(in_complaint(said), BTreeSet::from(["peer-bytes".to_owned(), "trackers".to_owned()]));
        assert!(in_complaint("error").is_empty());
    }
}
