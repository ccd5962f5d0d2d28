//! Builds the real `bt-handshake` and finds where cargo put it.

use std::path::PathBuf;

use serde_json::Value;

use crate::shell::{self, Result};

/// Builds the command and returns its executable. What the compiler has to say goes to stderr.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let mut command = shell::cargo([
        "build",
        "--locked",
        "--package",
        "cli",
        "--bin",
        "bt-handshake",
        "--message-format=json-render-diagnostics",
    ]);
    if release {
        command.arg("--release");
    }
    let messages = shell::output(&mut command)?;
    executable(&messages).ok_or_else(|| format!("`{}` named no executable", shell::shown(&command)))
}

/// The executable named in cargo's messages, one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_ours = |m: &Value| m.pointer("/target/name").is_some_and(|name| name == "bt-handshake");
    let path = |m: Value| m.get("executable").and_then(Value::as_str).map(PathBuf::from);
    messages.filter(is_ours).find_map(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"ids"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"bt-handshake"},"executable":"target/bt-handshake"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages), Some(PathBuf::from("target/bt-handshake")));
    }
}
