//! libtorrent, driven by a script.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use xtask::optional::PYTHON;
use xtask::scratch::write;
use xtask::shell::Result;

use super::Place;

/// The script.
const SCRIPT: &str = include_str!("../seed_libtorrent.py");

/// The command that seeds, with options of the script's.
pub(in crate::integration) fn command(place: &Place, options: &[&str]) -> Result<Command> {
    command_of(Path::new(PYTHON), place, options)
}

/// The same with the libtorrent that this Python has.
pub(in crate::integration) fn command_of(python: &Path, place: &Place, options: &[&str]) -> Result<Command> {
    let script = place.folder.join("seed.py");
    write(&script, SCRIPT)?;
    let mut command = Command::new(python);
    command
        .arg(script)
        .args(place.exchanges.then_some(["--check", "--bound"]).into_iter().flatten())
        .args(place.dht.iter().map(|node| format!("--node={node}")))
        .args(place.has_utp().then_some("--utp"))
        .args(options);
    command.arg(place.addresses(SocketAddr::to_string)).arg(place.data).args(place.torrents);
    Ok(command)
}
