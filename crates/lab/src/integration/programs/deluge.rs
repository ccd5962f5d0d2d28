//! deluged, started by a script. It takes both transports.

use std::process::Command;

use xtask::optional::PYTHON;
use xtask::scratch::write;
use xtask::shell::Result;

use super::Place;

/// The script.
const SCRIPT: &str = include_str!("../seed_deluge.py");

/// The command that seeds, with what it takes of encryption by default.
pub(in crate::integration) fn command(place: &Place) -> Result<Command> {
    let script = place.folder.join("seed.py");
    write(&script, SCRIPT)?;
    let mut command = Command::new(PYTHON);
    command.arg(script).arg(place.folder).arg(place.address.to_string()).arg(place.data).args(place.torrents);
    Ok(command)
}
