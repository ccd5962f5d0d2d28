//! Programs from npm.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use xtask::scratch::write;
use xtask::shell::{self, Result};
use xtask::skips::Skips;

/// The `node_modules` of a package (`NAME@VERSION`), kept in the target folder between runs; `None` when it cannot be had and the
/// part of the integration that needs it is skipped.
pub(super) fn installed(skips: &Skips, part: &str, package: &str) -> Result<Option<PathBuf>> {
    let lab = shell::target().join("integration");
    let done = lab.join(package);
    let modules = done.join("node_modules");
    if modules.exists() {
        return Ok(Some(modules));
    }
    // Elsewhere first: what is at the final place is complete.
    let unfinished = lab.join(format!("{package}-{}", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(|error| format!("cannot make {}: {error}", unfinished.display()))?;
    write(&unfinished.join("package.json"), r#"{"private": true}"#)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-package-lock"]);
    if let Err(reason) = shell::run_quiet(npm.arg(package).current_dir(&unfinished)) {
        let _ = fs::remove_dir_all(&unfinished);
        return skips.cannot_part(part, format!("npm does not have {package}: {reason}")).map(|()| None);
    }
    fs::rename(&unfinished, &done).map_err(|error| format!("cannot make {}: {error}", done.display()))?;
    Ok(Some(modules))
}
