//! Programs and libraries of npm and PyPI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::optional::PYTHON;
use xtask::scratch::write;
use xtask::shell::{self, Result};
use xtask::skips::Skips;

/// The `node_modules` of packages of npm (`NAME@VERSION NAME@VERSION`); `None` when it cannot be had and the part of the integration that needs it is
/// skipped.
pub(super) fn npm(skips: &Skips, part: &str, package: &str) -> Result<Option<PathBuf>> {
    let install = |folder: &Path| {
        write(&folder.join("package.json"), r#"{"private": true}"#)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-package-lock"]);
        shell::run_quiet(npm.args(package.split(' ')).current_dir(folder)).map(drop)
    };
    let folder = kept(package, install);
    let failed = |reason| skips.cannot_part(part, format!("npm does not have {package}: {reason}")).map(|()| None);
    folder.map_or_else(failed, |folder| Ok(Some(folder.join("node_modules"))))
}

/// A folder with a package of PyPI (`NAME==VERSION`), whose Python is `bin/python`; `None` as for [`npm`].
pub(super) fn pypi(skips: &Skips, part: &str, package: &str) -> Result<Option<PathBuf>> {
    let install = |folder: &Path| {
        shell::run_quiet(Command::new(PYTHON).args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]);
        shell::run_quiet(pip.arg(package)).map(drop)
    };
    let folder = kept(package, install);
    let failed = |reason| skips.cannot_part(part, format!("PyPI does not have {package}: {reason}")).map(|()| None);
    folder.map_or_else(failed, |folder| Ok(Some(folder)))
}

/// The folder of a package, which is kept in the target folder between runs; it need not be installed.
pub(super) fn folder(package: &str) -> PathBuf {
    shell::target().join("integration").join(package)
}

/// The same, installed if it is not yet.
fn kept(package: &str, install: impl FnOnce(&Path) -> Result) -> Result<PathBuf> {
    let done = folder(package);
    if done.exists() {
        return Ok(done);
    }
    // Elsewhere first: what is at the final place is complete.
    let unfinished = folder(&format!("{package}-{}", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(|error| format!("cannot make {}: {error}", unfinished.display()))?;
    if let Err(reason) = install(&unfinished) {
        let _ = fs::remove_dir_all(&unfinished);
        return Err(reason);
    }
    fs::rename(&unfinished, &done).map_err(|error| format!("cannot make {}: {error}", done.display()))?;
    Ok(done)
}
