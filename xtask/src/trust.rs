//! `cargo xtask trust`: what lets others trust the build. One toolchain that is also the oldest, no unsafe code, lock files
//! that are there and current, and of every dependency only the features that are asked for by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::shell::{self, Result};
use crate::skips::Skips;

/// Packages outside the workspace, each with a lock file of its own.
const OUTSIDE: &[&str] = &[BENCH, FUZZ];
const BENCH: &str = "xtask/bench";
const FUZZ: &str = "xtask/fuzz";

/// The only files that may have unsafe code: the benches measure against C++ and bare system calls.
const MAY_BE_UNSAFE: &[&str] = &["xtask/bench/src/libtorrent.rs", "xtask/bench/src/swarm/system.rs"];

/// What allows it. Written in pieces, so that this file does not seem to.
const ALLOW: &str = concat!("allow(un", "safe_code");

/// The files that git tracks and we look at, by path: manifests, lock files, sources and prose.
type Files = BTreeMap<String, String>;

/// Checks everything; the error lists every complaint.
pub(crate) fn run(skips: &Skips) -> Result {
    let Some(files) = tracked(skips, &shell::root())? else { return Ok(()) };
    let mut wrong = locks(&files);
    let json = metadata("Cargo.toml")?;
    let metadata: Value = serde_json::from_str(&json).map_err(|error| format!("cargo metadata: {error}"))?;
    let members = members(&metadata).ok_or("cargo metadata: not the format we know")?;
    wrong.extend(homes(&files, &members));
    wrong.extend(toolchain(&files, &members));
    wrong.extend(unsafe_code(&files, &members));
    wrong.extend(default_features(&metadata).ok_or("cargo metadata: not the format we know")?);
    if wrong.is_empty() { Ok(()) } else { Err(format!("trust:\n  {}", wrong.join("\n  "))) }
}

/// Reads what git tracks; `None` where git cannot list it.
fn tracked(skips: &Skips, root: &Path) -> Result<Option<Files>> {
    let kinds = ["--", "*Cargo.toml", "*Cargo.lock", "rust-toolchain.toml", "*.rs", "*.md"];
    let Some(paths) = shell::listed_files(skips, root, &kinds)? else { return Ok(None) };
    // A file may be tracked and gone: deleted, and not yet committed so.
    let read = |path: String| fs::read_to_string(root.join(&path)).ok().map(|text| (path, text));
    Ok(Some(paths.into_iter().filter_map(read).collect()))
}

/// Resolves a package by its lock file alone.
fn metadata(manifest: &str) -> Result<String> {
    let args = ["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest];
    shell::run_quiet(&mut shell::cargo(args))
}

/// Lock files that are not there or not current. The workspace's own is seen to by whoever resolves it.
fn locks(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in OUTSIDE {
        wrong.extend(metadata(&format!("{folder}/Cargo.toml")).err());
    }
    let locks = OUTSIDE.iter().map(|folder| format!("{folder}/Cargo.lock")).chain(["Cargo.lock".to_owned()]);
    wrong.extend(locks.filter(|lock| !files.contains_key(lock)).map(|lock| format!("{lock}: is not committed")));
    wrong
}

/// The manifests of the workspace's members.
fn members(metadata: &Value) -> Option<BTreeSet<String>> {
    let root = metadata["workspace_root"].as_str()?;
    let ids = metadata["workspace_members"].as_array()?;
    let packages = metadata["packages"].as_array()?.iter().filter(|package| ids.contains(&package["id"]));
    packages
        .map(|package| {
            let path = package["manifest_path"].as_str()?.strip_prefix(root)?;
            Some(path.trim_start_matches(['/', '\\']).replace('\\', "/"))
        })
        .collect()
}

/// Packages that nothing here looks at.
fn homes(files: &Files, members: &BTreeSet<String>) -> Vec<String> {
    let known = |path: &str| path == "Cargo.toml" || members.contains(path) || OUTSIDE.contains(&folder(path));
    let strangers = files.keys().filter(|path| path.ends_with("Cargo.toml") && !known(path));
    strangers.map(|path| format!("{path}: neither in the workspace nor one of the packages outside")).collect()
}

/// Where a file is.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The text of a file, empty where there is none.
fn text<'a>(files: &'a Files, path: &str) -> &'a str {
    files.get(path).map_or("", String::as_str)
}

/// The value of a key in a section of a manifest, as it is written; good enough for the manifests of this house.
fn value<'a>(manifest: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let inside = manifest.lines().skip_while(|line| line.trim() != section).skip(1);
    let mut pairs = inside.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

/// A version of Rust, quoted or not, with or without its last number.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut numbers = text.trim_matches('"').split('.').map(|number| number.parse().ok());
    let (major, minor) = (numbers.next()??, numbers.next()??);
    let patch = numbers.next().unwrap_or(Some(0))?;
    numbers.next().is_none().then_some([major, minor, patch])
}

/// Every place that names a version of Rust and not that of the toolchain.
fn toolchain(files: &Files, members: &BTreeSet<String>) -> Vec<String> {
    let channel = value(text(files, "rust-toolchain.toml"), "[toolchain]", "channel").and_then(version);
    let Some(channel) = channel else {
        return vec!["rust-toolchain.toml: the channel is not the number of a release".to_owned()];
    };
    let own = [("Cargo.toml".to_owned(), "[workspace.package]")];
    let outside = OUTSIDE.iter().map(|folder| (format!("{folder}/Cargo.toml"), "[package]"));
    let named = own
        .into_iter()
        .chain(outside)
        .filter(|(path, section)| value(text(files, path), section, "rust-version").and_then(version) != Some(channel));
    let mut wrong: Vec<String> =
        named.map(|(path, _)| format!("{path}: `rust-version` is not that of rust-toolchain.toml")).collect();
    let heirs = members.iter().filter(|path| lacks(files, path, "[package]", "rust-version.workspace"));
    wrong.extend(heirs.map(|path| format!("{path}: does not say `rust-version.workspace = true`")));
    for (path, prose) in files.iter().filter(|(path, _)| path.ends_with(".md")) {
        let lines = prose.lines().zip(1..).filter(|(line, _)| line.contains("MSRV"));
        for (_, number) in lines.filter(|(line, _)| versions(line).any(|version| version != channel)) {
            wrong.push(format!("{path}:{number}: the MSRV is not that of rust-toolchain.toml"));
        }
    }
    wrong
}

/// Whether a member does not inherit what it should.
fn lacks(files: &Files, path: &str, section: &str, key: &str) -> bool {
    value(text(files, path), section, key) != Some("true")
}

/// The versions that a line of prose names.
fn versions(line: &str) -> impl Iterator<Item = [u32; 3]> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.filter_map(|word| version(word.trim_matches('.')))
}

/// Every place where unsafe code is not kept out, or let in without being named here.
fn unsafe_code(files: &Files, members: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let levels = [
        ("Cargo.toml".to_owned(), "[workspace.lints.rust]", "\"forbid\""),
        (format!("{BENCH}/Cargo.toml"), "[lints.rust]", "\"deny\""),
        (format!("{FUZZ}/Cargo.toml"), "[lints.rust]", "\"forbid\""),
    ];
    for (path, section, level) in levels {
        if value(text(files, &path), section, "unsafe_code") != Some(level) {
            wrong.push(format!("{path}: {section} does not say `unsafe_code = {level}`"));
        }
    }
    let heirs = members.iter().filter(|path| lacks(files, path, "[lints]", "workspace"));
    wrong.extend(heirs.map(|path| format!("{path}: [lints] does not say `workspace = true`")));
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let allowed: Vec<&str> = text.lines().filter(|line| line.contains(ALLOW)).collect();
        let named = MAY_BE_UNSAFE.contains(&path.as_str());
        if named == allowed.is_empty() {
            let what = if named { "allows no unsafe code: strike it from the list" } else { "may not be unsafe" };
            wrong.push(format!("{path}: {what}"));
        }
        if allowed.iter().any(|line| line.starts_with("#!") || !line.contains("reason = ")) {
            wrong.push(format!("{path}: unsafe code is allowed for one item, and with a reason"));
        }
    }
    wrong
}

/// The dependencies whose default features a member of ours takes without saying which they are.
fn default_features(metadata: &Value) -> Option<BTreeSet<String>> {
    let packages = metadata["packages"].as_array()?;
    let packages: HashMap<&str, &Value> =
        packages.iter().map(|package| Some((package["id"].as_str()?, package))).collect::<Option<_>>()?;
    let members = metadata["workspace_members"].as_array()?;
    let nodes = metadata.pointer("/resolve/nodes")?.as_array()?;
    let mut wrong = BTreeSet::new();
    for node in nodes.iter().filter(|node| members.contains(&node["id"])) {
        let member = packages.get(node["id"].as_str()?)?;
        let asked = member["dependencies"].as_array()?;
        for dep in node["deps"].as_array()? {
            let used = packages.get(dep["pkg"].as_str()?)?;
            let all = asked.iter().any(|asked| asked["name"] == used["name"] && asked["uses_default_features"] == true);
            let defaults = used.pointer("/features/default").and_then(Value::as_array).into_iter().flatten();
            let defaults: Vec<&str> = defaults.filter_map(Value::as_str).collect();
            if all && !defaults.is_empty() {
                let (member, used) = (member["name"].as_str()?, used["name"].as_str()?);
                let what = "say `default-features = false`, and which of them it needs";
                wrong.insert(format!(
                    "{member} -> {used}: takes its default features ({}); {what}",
                    defaults.join(", ")
                ));
            }
        }
    }
    Some(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A small house in good order, as paths and texts.
    fn house() -> Files {
        let files = [
            ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n"),
            (
                "Cargo.toml",
                "[workspace.package]\nrust-version = \"1.95\"\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
            ),
            (
                "crates/a/Cargo.toml",
                "[package]\nname = \"a\"\nrust-version.workspace = true\n\n[lints]\nworkspace = true\n",
            ),
            (
                "xtask/bench/Cargo.toml",
                "[package]\nrust-version = \"1.95\"\n[lints.rust]\n# why\nunsafe_code = \"deny\"\n",
            ),
            ("xtask/fuzz/Cargo.toml", "[package]\nrust-version = \"1.95.0\"\n[lints.rust]\nunsafe_code = \"forbid\"\n"),
            ("README.md", "Rust 1.95 is the MSRV.\nAnother line may name 1.70.\n"),
        ];
        let contender = (MAY_BE_UNSAFE[0], format!("#[{ALLOW}, reason = \"C++\")]"));
        let system = (MAY_BE_UNSAFE[1], format!("#[{ALLOW}, reason = \"bare\")]"));
        let files = files.map(|(path, text)| (path, text.to_owned())).into_iter().chain([contender, system]);
        files.map(|(path, text)| (path.to_owned(), text)).collect()
    }

    fn members() -> BTreeSet<String> {
        BTreeSet::from(["crates/a/Cargo.toml".to_owned()])
    }

    fn complaints(files: &Files) -> Vec<String> {
        [homes(files, &members()), toolchain(files, &members()), unsafe_code(files, &members())].concat()
    }

    #[test]
    fn a_good_house_passes() {
        assert_eq!(complaints(&house()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found_once() {
        let cases = [
            ("rust-toolchain.toml", "1.95.0", "stable", "not the number of a release"),
            ("Cargo.toml", "1.95", "1.94", "Cargo.toml: `rust-version`"),
            ("crates/a/Cargo.toml", "rust-version.workspace = true", "", "does not say `rust-version.workspace"),
            ("xtask/bench/Cargo.toml", "1.95", "1.95.1", "xtask/bench/Cargo.toml: `rust-version`"),
            ("README.md", "1.95", "1.85", "README.md:1: the MSRV"),
            ("Cargo.toml", "forbid", "deny", "does not say `unsafe_code = \"forbid\"`"),
            ("crates/a/Cargo.toml", "workspace = true\n", "workspace = false\n", "[lints]"),
            ("xtask/bench/Cargo.toml", "deny", "warn", "does not say `unsafe_code = \"deny\"`"),
            ("xtask/fuzz/Cargo.toml", "forbid", "deny", "xtask/fuzz/Cargo.toml: [lints.rust] does not say"),
            ("xtask/bench/src/libtorrent.rs", "reason", "because", "with a reason"),
            ("xtask/bench/src/libtorrent.rs", "#[", "#![", "for one item"),
            ("xtask/bench/src/swarm/system.rs", "allow", "expect", "strike it from the list"),
        ];
        for (path, from, to, expected) in cases {
            let mut files = house();
            let text = files.get_mut(path).unwrap();
            *text = match text.rsplit_once(from) {
                Some((before, after)) => format!("{before}{to}{after}"),
                None => panic!("{path} has no {from}"),
            };
            let wrong = complaints(&files);
            assert!(wrong.len() == 1 && wrong[0].contains(expected), "{path}, {from}: {wrong:?}");
        }
    }

    #[test]
    fn strangers_are_found() {
        let mut files = house();
        files.insert("crates/b/Cargo.toml".to_owned(), String::new());
        files.insert("crates/a/src/lib.rs".to_owned(), format!("#[{ALLOW}, reason = \"fast\")]"));
        let wrong = complaints(&files);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("neither in the workspace") && wrong[1].contains("may not be unsafe"), "{wrong:?}");
    }

    #[test]
    fn versions_of_rust() {
        assert_eq!(version("\"1.95\""), version("1.95.0"));
        for other in ["stable", "1", "1.95.0.1", "1.x", ""] {
            assert_eq!(version(other), None, "{other}");
        }
        assert_eq!(versions("Rust 1.95, or (1.96.1).").collect::<Vec<_>>(), [[1, 95, 0], [1, 96, 1]]);
    }

    #[test]
    fn default_features_that_somebody_takes() {
        let asks = |name: &str, all: bool| json!({"name": name, "uses_default_features": all});
        let metadata = json!({
            "packages": [
                {"id": "1", "name": "ours", "features": {}, "dependencies": [asks("std", true), asks("none", true), asks("named", false)]},
                {"id": "2", "name": "std", "features": {"default": ["std"]}, "dependencies": [asks("named", true)]},
                {"id": "3", "name": "none", "features": {"default": []}, "dependencies": []},
                {"id": "4", "name": "named", "features": {"default": ["std"]}, "dependencies": []},
            ],
            "workspace_members": ["1"],
            "resolve": {"nodes": [
                {"id": "1", "deps": [{"pkg": "2"}, {"pkg": "3"}, {"pkg": "4"}]},
                {"id": "2", "deps": [{"pkg": "4"}]},
            ]},
        });
        let wrong: Vec<String> = default_features(&metadata).unwrap().into_iter().collect();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("ours -> std: takes its default features (std)"), "{wrong:?}");
    }
}
