//! aria2c.

use std::process::Command;

use super::Place;
use crate::shell;

/// The Debian package it comes in.
pub(in crate::integration) const PACKAGE: &str = "aria2";

/// Whether it can be started here.
pub(in crate::integration) fn is_installed() -> bool {
    shell::find_program("aria2c").is_some()
}

/// The command that seeds, with more options.
pub(in crate::integration) fn command(place: &Place, options: &[&str]) -> Command {
    let mut command = Command::new("aria2c");
    command.args(["--no-conf=true", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"]);
    command.args(["--enable-peer-exchange=false", "--seed-ratio=0.0", "--check-integrity=true"]);
    command.args(["--bt-hash-check-seed=true", "--file-allocation=none", "--show-console-readout=false"]);
    command.arg(format!("--dir={}", place.data.display()));
    command.arg(format!("--interface={}", place.address.ip()));
    command.arg(format!("--listen-port={}", place.address.port()));
    command.args(options).args(place.torrents);
    command
}
