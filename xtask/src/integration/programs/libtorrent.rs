//! libtorrent, driven by a script.

use std::process::{Command, Stdio};

use super::{PYTHON, Place};
use crate::scratch::write;
use crate::shell::Result;

/// The Debian package it comes in.
pub(in crate::integration) const PACKAGE: &str = "python3-libtorrent";

/// The script.
const SCRIPT: &str = include_str!("../seed_libtorrent.py");

/// Whether Debian's Python is here and can import libtorrent.
pub(in crate::integration) fn is_installed() -> bool {
    let mut import = Command::new(PYTHON);
    import.args(["-c", "import libtorrent"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    import.status().is_ok_and(|status| status.success())
}

/// The command that seeds, with options of the script's.
pub(in crate::integration) fn command(place: &Place, options: &[&str]) -> Result<Command> {
    let script = place.folder.join("seed.py");
    write(&script, SCRIPT)?;
    let mut command = Command::new(PYTHON);
    command.arg(script).args(options).arg(place.address.to_string()).arg(place.data).args(place.torrents);
    Ok(command)
}
