//! `cargo xtask audit`: current lock files, also of the packages outside the workspace, and no dependency whose default
//! features are enabled without being named.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use xtask::shell::{self, Result};

/// The manifests whose lock files are checked, the workspace's first.
const MANIFESTS: &[&str] = &["Cargo.toml", "xtask/bench/Cargo.toml", "xtask/fuzz/Cargo.toml"];

/// Checks everything; the error lists every complaint.
pub(crate) fn run() -> Result {
    let resolved: Vec<Result<String>> = MANIFESTS.iter().map(|manifest| metadata(manifest)).collect();
    let mut wrong: Vec<String> = resolved.iter().filter_map(|one| one.clone().err()).collect();
    if let Some(Ok(workspace)) = resolved.first() {
        let metadata = serde_json::from_str(workspace).map_err(|error| format!("cargo metadata: {error}"))?;
        wrong.extend(default_features(&metadata).ok_or("cargo metadata: unknown format")?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("audit:\n  {}", wrong.join("\n  "))) }
}

/// Resolves a package by its lock file alone; it is an error if that is missing or not current.
fn metadata(manifest: &str) -> Result<String> {
    let args = ["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest];
    shell::run_quiet(&mut shell::cargo(args))
}

/// The dependencies whose default features a member enables without naming them.
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
                let what = "set `default-features = false`, and name those it needs";
                wrong.insert(format!(
                    "{member} -> {used}: enables its default features ({}); {what}",
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

    #[test]
    fn default_features_that_a_member_does_not_name_are_found() {
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
        assert!(wrong[0].starts_with("ours -> std: enables its default features (std)"), "{wrong:?}");
    }
}
