//! Builds the real `bt-handshake`, or all examples, and finds where cargo put them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::shell::{self, Result};

/// The schema of each line of `--json`, below the workspace's folder.
pub const SCHEMA: &str = "crates/report/schema.json";

/// Builds the command and returns its executable. The compiler's messages go to stderr.
pub fn build(release: bool) -> Result<PathBuf> {
    build_with(if release { "release" } else { "dev" })
}

/// Builds the command with this profile and returns its executable.
pub fn build_with(profile: &str) -> Result<PathBuf> {
    let mut command = shell::cargo([
        "build",
        "--locked",
        "--package",
        "cli",
        "--bin",
        "bt-handshake",
        "--message-format=json-render-diagnostics",
        "--profile",
        profile,
    ]);
    let messages = shell::output(&mut command)?;
    let built = executables(&messages).remove("bt-handshake");
    built.ok_or_else(|| format!("`{}` named no executable", shell::shown(&command)))
}

/// A command that runs this executable, whose lookups in the DHT start at no well-known node.
pub fn command(binary: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(binary);
    command.env(shell::DHT_BOOTSTRAP, "");
    command
}

/// Builds the examples of all crates, and returns their executables by name.
pub fn examples() -> Result<BTreeMap<String, PathBuf>> {
    let build = ["build", "--locked", "--workspace", "--examples", "--message-format=json-render-diagnostics"];
    Ok(executables(&shell::output(&mut shell::cargo(build))?))
}

/// The executables named in cargo's messages, one JSON object a line.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = |message: Value| {
        let name = message.pointer("/target/name")?.as_str()?;
        Some((name.to_owned(), message.get("executable")?.as_str()?.into()))
    };
    messages.filter_map(executable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_in_the_messages_of_cargo() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"ids"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"bt-handshake"},"executable":"target/bt-handshake"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let found = BTreeMap::from([("bt-handshake".to_owned(), PathBuf::from("target/bt-handshake"))]);
        assert_eq!(executables(messages), found);
    }
}
