//! New namespaces, if the kernel allows them.

use std::process::{Command, Stdio};

/// Flags for a new network, and mounts that are invisible outside.
pub const NETWORK: &[&str] = &["--net", "--mount", "--propagation", "private"];

/// Flags for mounts that are invisible outside.
pub const MOUNTS: &[&str] = &["--mount", "--propagation", "private"];

/// A command that runs its arguments in such namespaces, as root or as a user; `None` if they cannot be made.
pub fn command(namespaces: &[&str]) -> Option<Command> {
    let command = |rights: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(rights).args(namespaces);
        command
    };
    let works = |rights: &&[&str]| {
        let mut attempt = command(rights);
        attempt.arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        attempt.status().is_ok_and(|status| status.success())
    };
    [&[][..], &["--map-root-user"]].into_iter().find(works).map(command)
}
