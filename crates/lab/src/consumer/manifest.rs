//! The manifests of the packages outside: the lines that the README gives, and those that an example needs.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use xtask::shell::Result;

/// The heading of the section on the library.
const HEADING: &str = "\n## As a library\n";

/// What the README gives a user of the library.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lines<'r> {
    /// Of `Cargo.toml`.
    pub(super) manifest: &'r str,
    /// Of `main.rs`.
    pub(super) main: &'r str,
}

/// Finds them in the README.
pub(super) fn lines(readme: &str) -> Result<Lines<'_>> {
    let (_, section) = readme.split_once(HEADING).ok_or_else(|| format!("README.md has no heading{HEADING}"))?;
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let block = |kind: &str| {
        let block = section.split_once(&format!("```{kind}\n")).and_then(|(_, rest)| rest.split_once("```"));
        block.map(|(block, _)| block).ok_or_else(|| format!("README.md, As a library: there is no block of {kind}"))
    };
    Ok(Lines { manifest: block("toml")?, main: block("rust")? })
}

/// A package that is built on its own.
pub(super) fn package(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n")
}

/// The README's lines, with the crates of ours that come by `git` or `path` taken from this checkout.
pub(super) fn here(manifest: &str, root: &Path) -> Result<String> {
    let mut ours = 0;
    let mut lines = Vec::new();
    if !manifest.contains("[dependencies]") {
        lines.push("[dependencies]".to_owned());
    }
    for line in manifest.lines() {
        let source = ["git", "path"].iter().find_map(|key| Some((*key, pair(line, key)?)));
        let Some((_, old)) = source else {
            lines.push(line.to_owned());
            continue;
        };
        let name = line.split('=').next().unwrap_or_default().trim();
        let package = pair(line, "package").and_then(value).unwrap_or(name);
        let folder = root.join("crates").join(package);
        if !folder.is_dir() {
            return Err(format!("README.md, As a library: there is no crate {package} for `{line}`"));
        }
        let mut line = line.replace(old, &format!("path = {:?}", folder.display().to_string()));
        for key in ["branch", "tag", "rev"] {
            if let Some(pinned) = pair(&line, key).map(str::to_owned) {
                line = line.replace(&format!(", {pinned}"), "");
            }
        }
        ours += 1;
        lines.push(line);
    }
    match ours {
        0 => Err("README.md, As a library: no line of Cargo.toml names a crate of ours by `git` or `path`".to_owned()),
        _ => Ok(lines.join("\n") + "\n"),
    }
}

/// `key = "value"` in a line, where the key is a whole word.
fn pair<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let beginning = format!("{key} = \"");
    let at = line
        .match_indices(&beginning)
        .map(|(at, _)| at)
        .find(|at| line.get(..*at).is_some_and(|before| before.ends_with([' ', '{', ','])))?;
    let rest = line.get(at..)?;
    let end = rest.get(beginning.len()..)?.find('"')? + beginning.len() + 1;
    rest.get(..end)
}

/// The value of such a pair.
fn value(pair: &str) -> Option<&str> {
    pair.split('"').nth(1)
}

/// The dependencies, one line each, of those that a program names: `declared` has all that its own package may name, as
/// `cargo metadata` tells them.
pub(super) fn dependencies(declared: &[&Value], source: &str) -> Option<String> {
    let names: BTreeSet<&str> = declared.iter().filter_map(|one| one["name"].as_str()).collect();
    let mut lines = String::new();
    for name in names.into_iter().filter(|name| is_named(source, name)) {
        let same: Vec<&Value> = declared.iter().copied().filter(|one| one["name"] == name).collect();
        let first = same.first()?;
        let features: BTreeSet<String> =
            same.iter().filter_map(|one| one["features"].as_array()).flatten().map(Value::to_string).collect();
        let features: Vec<String> = features.into_iter().collect();
        let from = match first["path"].as_str() {
            Some(path) => format!("path = {path:?}"),
            None => format!("version = {}", first["req"]),
        };
        let defaults = same.iter().any(|one| one["uses_default_features"] == true);
        lines.push_str(&format!(
            "{name} = {{ {from}, default-features = {defaults}, features = [{}] }}\n",
            features.join(", ")
        ));
    }
    Some(lines)
}

/// Whether a program names a crate.
fn is_named(source: &str, name: &str) -> bool {
    let path = format!("{}::", name.replace('-', "_"));
    let part_of_a_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    source.match_indices(&path).any(|(at, _)| source.get(..at).is_some_and(|before| !before.ends_with(part_of_a_name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use xtask::shell;

    const README: &str = "# it\n```toml\nother = \"1\"\n```\n## As a library\nIn `Cargo.toml`:\n```toml\n[dependencies]\n\
        client = { git = \"https://forge.example/it\", rev = \"0123\" }\ntokio = { version = \"1\", features = [\"full\"] }\n\
        ```\n```rust\nfn main() {}\n```\n## Next\n```rust\nfn other() {}\n```\n";

    #[test]
    fn the_blocks_are_those_under_the_heading() {
        let lines = lines(README).unwrap();
        assert!(lines.manifest.starts_with("[dependencies]\nclient") && lines.manifest.ends_with("] }\n"), "{lines:?}");
        assert_eq!(lines.main, "fn main() {}\n");
    }

    #[test]
    fn a_readme_without_them_is_told_so() {
        for (readme, lacks) in [
            ("# it\n", "## As a library"),
            ("\n## As a library\n```toml\n```\n## Next\n```rust\n```\n", "block of rust"),
            ("\n## As a library\n```rust\n```\n## Next\n```toml\n```\n", "block of toml"),
        ] {
            let reason = lines(readme).unwrap_err();
            assert!(reason.contains(lacks), "{reason}");
        }
    }

    #[test]
    fn crates_of_ours_come_from_here() {
        let root = shell::root();
        let client = root.join("crates/client");
        let (client, root) = (client.display(), root.as_path());
        let expected = format!("[dependencies]\nclient = {{ path = \"{client}\" }}\ntokio = \"1\"\n");
        for line in [
            "client = { path = \"../it/crates/client\" }",
            "client = { git = \"https://forge.example/it\", tag = \"v1\" }",
            "client = { git = \"https://forge.example/it\", branch = \"main\", rev = \"01\" }",
        ] {
            assert_eq!(here(&format!("{line}\ntokio = \"1\"\n"), root).as_deref(), Ok(&*expected), "{line}");
        }
        let renamed = here("[dependencies]\nbt = { git = \"g\", package = \"client\" }\n", root).unwrap();
        assert_eq!(renamed, format!("[dependencies]\nbt = {{ path = \"{client}\", package = \"client\" }}\n"));
        assert!(here("tokio = \"1\"\n", root).is_err());
        assert!(here("swarm = { git = \"g\" }\n", root).is_err());
    }

    #[test]
    fn an_example_depends_on_what_it_names() {
        let one = |name: &str, features: &[&str], kind: &str| json!({"name": name, "req": "^1", "features": features, "uses_default_features": false, "kind": kind});
        let mut ours = one("peer-wire", &[], "");
        ours["path"] = "/here/crates/peer-wire".into();
        let declared = [ours, one("tokio", &["rt"], ""), one("tokio", &["net"], "dev"), one("bytes", &[], "")];
        let source = "use peer_wire::Handshake;\n#[tokio::main]\nasync fn main() { megabytes::a(); std::bytes::b() }";
        let expected = "peer-wire = { path = \"/here/crates/peer-wire\", default-features = false, features = [] }\n\
            tokio = { version = \"^1\", default-features = false, features = [\"net\", \"rt\"] }\n";
        assert_eq!(dependencies(&declared.iter().collect::<Vec<_>>(), source).as_deref(), Some(expected));
    }
}
