//! ctorrent, which knows one torrent at a time.

use std::path::Path;
use std::process::Command;

use super::Place;
use crate::shell::{self, Result};

/// The Debian package it comes in.
pub(in crate::integration) const PACKAGE: &str = "ctorrent";

/// Whether it can be started here.
pub(in crate::integration) fn is_installed() -> bool {
    shell::find_program("ctorrent").is_some()
}

/// The command that seeds a payload of the data folder.
pub(in crate::integration) fn command(place: &Place, payload: &str) -> Result<Command> {
    let [torrent]: [&Path; 1] = place.torrents.try_into().map_err(|_| "ctorrent seeds one torrent".to_owned())?;
    let (ip, port) = (place.address.ip().to_string(), place.address.port().to_string());
    let mut command = Command::new("ctorrent");
    // In hours: as long as the test may take, and more.
    command.args(["-e", "72", "-i", &ip, "-p", &port]);
    command.arg("-s").arg(place.data.join(payload)).arg(torrent);
    Ok(command)
}
