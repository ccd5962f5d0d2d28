//! WebTorrent of npm, driven by a script, with the addon that brings it uTP.

use std::process::Command;

use xtask::scratch::write;
use xtask::shell::Result;

use super::Place;
use crate::integration::packages;

/// The packages. 1.9 is WebTorrent Desktop's; later ones need an addon for WebRTC that is no part of the package.
pub(in crate::integration) const PACKAGES: &str = "webtorrent@1.9.7 utp-native@2.5.3";

/// The script.
const SCRIPT: &str = include_str!("../seed_webtorrent.mjs");

/// The command that seeds. It listens at every address.
pub(in crate::integration) fn command(place: &Place) -> Result<Command> {
    // A script finds its imports beside itself, or above.
    let script = packages::folder(PACKAGES).join("seed_webtorrent.mjs");
    write(&script, SCRIPT)?;
    let mut command = Command::new("node");
    command.arg(script).arg(place.address.port().to_string()).arg(place.data).args(place.torrents);
    Ok(command)
}
