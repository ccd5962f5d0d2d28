//! Running other programs: the workspace's folder, `$CARGO`, and failures that name the command.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A task's result; the error is the text to print.
pub type Result<T = ()> = std::result::Result<T, String>;

/// The variable with the nodes from which lookups in the DHT start in place of the well-known ones, which no task may contact.
pub const DHT_BOOTSTRAP: &str = "BT_HANDSHAKE_DHT_BOOTSTRAP";

/// The folder of the workspace, which has the lock file.
pub fn root() -> PathBuf {
    // Cargo sets the variable for `run` and `test`; the value at build time is for an executable started without cargo.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| OsString::from(env!("CARGO_MANIFEST_DIR")));
    let package = PathBuf::from(package);
    let root = package.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.map_or(package.clone(), Path::to_path_buf)
}

/// The target folder of cargo.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |target| root().join(target))
}

/// The cargo that started this program (`$CARGO`), in the workspace's folder.
pub fn cargo<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).env(DHT_BOOTSTRAP, "");
    // Cargo sets these for the package that it runs. Some build scripts, such as ring's, run again when they change: a build from
    // here would rebuild all that depends on ring, and so would the user's next one.
    let of_package = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| name.starts_with(prefix))
    };
    env::vars_os().map(|(name, _)| name).filter(of_package).for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// The packages of the workspace in `cargo metadata`.
pub fn packages() -> Result<Vec<Value>> {
    let said = output(&mut cargo(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&said).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages.cloned().ok_or_else(|| "cargo metadata: unknown format".to_owned())
}

/// Whether this is the continuous integration, where a missing program is a failure and not a skip.
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// The command as typed in a shell, for messages.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// One word, in quotes if a shell would split it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs a command to its end, with the output of this process.
pub fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command))) }
}

/// Runs a command to its end and returns its stdout; its stderr is that of this process.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", shown(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{}` wrote text that is not UTF-8", shown(command)))
}

/// Runs a command and returns its stdout; its output is printed only if it fails.
pub fn run_quiet(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed: {}\n{said}{complaint}", shown(command), output.status))
}

/// Sends a signal to a process, or to a process group by its negative number, through the shell: Debian's minimal root has no
/// other `kill`.
pub fn signal(name: &str, to: &str) -> Result {
    run_quiet(Command::new("sh").args(["-c", r#"kill -s "$0" -- "$1""#, name, to])).map(drop)
}

/// The path of a program of this name on the `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/usr/bin/tool");
        command.args(["--name", "two words", ""]);
        assert_eq!(shown(&command), "tool --name 'two words' ''");
    }

    #[test]
    fn cargo_is_run_without_the_variables_of_this_package() {
        let command = cargo(["build"]);
        let removed = |name: &str| command.get_envs().any(|(key, value)| key == name && value.is_none());
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert_eq!(removed(name), env::var_os(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_root_is_the_folder_of_the_workspace() {
        assert!(root().join("crates").is_dir());
    }
}
