//! ctorrent, which knows one torrent at a time.

use std::path::Path;
use std::process::Command;

use xtask::shell::Result;

use super::Place;

/// The command that seeds a payload of the data folder.
pub(in crate::integration) fn command(place: &Place, payload: &str) -> Result<Command> {
    let [torrent]: [&Path; 1] = place.torrents.try_into().map_err(|_| "ctorrent seeds one torrent".to_owned())?;
    let (ip, port) = (place.address.ip().to_string(), place.address.port().to_string());
    let mut command = Command::new("ctorrent");
    // For so many hours, more than it is needed. With -f it takes the payload for complete: else it calls itself a leecher
    // first, and tells the tracker better 15 s later.
    command.args(["-e", "72", "-f", "-i", &ip, "-p", &port]);
    command.arg("-s").arg(place.data.join(payload)).arg(torrent);
    Ok(command)
}
