//! `cargo xtask bare`: the checks in which other programs take part, on a machine that has none of the optional ones: they
//! must pass, and name each as what was skipped.
//!
//! The machine is this one, seen from a mount namespace in which the folders of programs have only what a bare machine
//! has and the checks take for granted: the Rust toolchain, a C compiler, and a few programs of Debian's minimal root.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xtask::optional;
use xtask::scratch::{Scratch, make_folder};
use xtask::shell::{self, Result};
use xtask::skips::Skips;
use xtask::unshare;

/// The task by which the program calls itself.
pub(crate) const INSIDE: &str = "inside-bare";

/// All programs that the checks may take for granted.
const ESSENTIAL: &[&str] = &[
    // the toolchain
    "cargo",
    "cargo-clippy",
    "cargo-fmt",
    "clippy-driver",
    "rustc",
    "rustdoc",
    "rustfmt",
    // a C compiler
    "ar",
    "as",
    "cc",
    "ld",
    // of Debian's minimal root
    "cat",
    "mkfifo",
    "sh",
    "sleep",
];

/// Folders of programs, beside those of `PATH`.
const FOLDERS: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/games", "/sbin", "/bin"];

/// Makes the machine and runs the checks on it.
pub(crate) fn run(skips: &Skips) -> Result {
    if !skips.can(&[&optional::UTIL_LINUX, &optional::MOUNT])? {
        return Ok(());
    }
    let Some(mut command) = unshare::command(unshare::MOUNTS) else {
        return skips.cannot("no mount namespace can be made (as root, or where the kernel lets users make them)");
    };
    let scratch = Scratch::new(false)?;
    let ourselves = std::env::current_exe().map_err(|error| format!("cannot find ourselves: {error}"))?;
    command.arg(ourselves).arg(INSIDE).arg(scratch.folder("bare")?).arg(namespace()?);
    // There, skipping is what is wanted.
    shell::run(command.env_remove("CI").stdin(Stdio::null()))
}

/// What happens inside: hides the programs and runs the checks.
pub(crate) fn inside(args: &[String]) -> Result {
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [folder, outside] if namespace()? != Path::new(outside) => hide(Path::new(folder)),
        _ => Err("it is `cargo xtask bare` that starts this, in a mount namespace of its own".to_owned()),
    }
}

/// Which mount namespace we are in.
fn namespace() -> Result<PathBuf> {
    fs::read_link("/proc/self/ns/mnt").map_err(|error| format!("cannot tell the mount namespace: {error}"))
}

/// Hides all programs but the essential ones and becomes the process that checks. Where it returns it has failed.
fn hide(place: &Path) -> Result {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = distinct(std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from)));
    let essential = essential(&path);
    let kept = keep(&folders, place)?;
    let mount_program = shell::find_program("mount").and_then(|file| fs::canonicalize(file).ok());
    let mount_program = aside(&mount_program.ok_or("mount is not installed")?, &kept);
    let libraries = optional::faketime().and_then(|file| Some(file.parent()?.to_path_buf()));
    for folder in folders.iter().chain(&libraries) {
        shell::run_quiet(Command::new(&mount_program).args(["-t", "tmpfs", "none"]).arg(folder))?;
    }
    let programs = place.join("programs");
    make_folder(&programs)?;
    for (name, file) in &essential {
        let failed = |error| format!("cannot put {name} back: {error}");
        // At its old place: a compiler looks for its parts from there.
        let from = aside(file, &kept);
        if from != *file && !file.exists() {
            file.parent().map_or(Ok(()), make_folder)?;
            fs::copy(from, file).map_err(failed)?;
        }
        symlink(file, programs.join(name)).map_err(failed)?;
    }
    let mut checks = shell::cargo(["xtask", "ci", "--bare"]);
    let error = checks.env("PATH", programs).exec();
    Err(format!("cannot start `{}`: {error}", shell::shown(&checks)))
}

/// Shows each folder in another place too, read-only, which will still show it when it is hidden.
fn keep(folders: &BTreeSet<PathBuf>, place: &Path) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut kept = BTreeMap::new();
    for (folder, number) in folders.iter().zip(0..) {
        let aside = place.join(format!("kept-{number}"));
        make_folder(&aside)?;
        shell::run_quiet(Command::new("mount").args(["--bind", "--options", "ro"]).arg(folder).arg(&aside))?;
        kept.insert(folder.clone(), aside);
    }
    Ok(kept)
}

/// The folders that exist, each once and none inside another.
fn distinct(folders: impl Iterator<Item = PathBuf>) -> BTreeSet<PathBuf> {
    let all: BTreeSet<PathBuf> = folders.filter_map(|folder| fs::canonicalize(folder).ok()).collect();
    let inside = |folder: &PathBuf| all.iter().any(|other| other != folder && folder.starts_with(other));
    all.iter().filter(|folder| !inside(folder)).cloned().collect()
}

/// The programs that a bare machine has, by name, and where each is. Those of the toolchain that runs us come first: what
/// `PATH` has may be rustup's, which needs more.
fn essential(path: &OsStr) -> BTreeMap<&'static str, PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let toolchain = Path::new(&cargo).parent().map(Path::to_path_buf);
    let folders: Vec<PathBuf> = toolchain.into_iter().chain(std::env::split_paths(path)).collect();
    let find = |name: &&'static str| {
        let file = folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file())?;
        Some((*name, fs::canonicalize(file).ok()?))
    };
    ESSENTIAL.iter().filter_map(find).collect()
}

/// Where a file is once the folders are moved aside.
fn aside(file: &Path, kept: &BTreeMap<PathBuf, PathBuf>) -> PathBuf {
    let moved = kept.iter().find_map(|(folder, aside)| Some(aside.join(file.strip_prefix(folder).ok()?)));
    moved.unwrap_or_else(|| file.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_optional_is_essential() {
        let optional = optional::ALL.iter().flat_map(|one| one.programs).filter(|name| ESSENTIAL.contains(name));
        assert_eq!(optional.collect::<Vec<_>>(), [&""; 0]);
    }

    #[test]
    fn files_are_found_where_their_folders_went() {
        let kept = BTreeMap::from([("/usr/bin".into(), "/kept-0".into())]);
        assert_eq!(aside(Path::new("/usr/bin/sub/cc"), &kept), Path::new("/kept-0/sub/cc"));
        assert_eq!(aside(Path::new("/usr/binary/cc"), &kept), Path::new("/usr/binary/cc"));
    }
}
