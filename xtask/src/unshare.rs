//! Namespaces of our own, as far as the kernel lets us make them.

use std::process::{Command, Stdio};

/// A network, and mounts that nothing outside sees.
pub const NETWORK: &[&str] = &["--net", "--mount", "--propagation", "private"];

/// Mounts that nothing outside sees.
pub const MOUNTS: &[&str] = &["--mount", "--propagation", "private"];

/// The command that runs what follows in such namespaces, if they can be made: root's, or a user's own.
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
