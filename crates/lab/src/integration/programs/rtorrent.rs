//! rtorrent.

use std::process::Command;

use xtask::scratch::{make_folder, write};
use xtask::shell::Result;

use super::Place;

/// Its default: encryption is taken and tried.
pub(in crate::integration) const ALLOWED: &str = "allow_incoming,try_outgoing,enable_retry";
/// Nothing but RC4 is taken.
pub(in crate::integration) const REQUIRED: &str = "allow_incoming,try_outgoing,require,require_RC4";

/// The command that seeds.
pub(in crate::integration) fn command(place: &Place, encryption: &str) -> Result<Command> {
    let session = place.folder.join("session");
    make_folder(&session)?;
    let (ip, port) = (place.address.ip(), place.address.port());
    let mut rc = format!(
        "network.bind_address.set = {ip}\n\
         network.port_range.set = {port}-{port}\n\
         network.port_random.set = no\n\
         dht.mode.set = {dht}\n\
         dht.port.set = {port}\n\
         protocol.pex.set = {pex}\n\
         protocol.encryption.set = {encryption}\n\
         directory.default.set = \"{data}\"\n\
         session.path.set = \"{session}\"\n\
         system.daemon.set = true\n",
        dht = if place.has_dht() { "on" } else { "disable" },
        pex = if place.exchanges { "yes" } else { "no" },
        data = place.data.display(),
        session = session.display(),
    );
    for (torrent, number) in place.torrents.iter().zip(1..) {
        rc.push_str(&format!("schedule2 = load{number},1,0,((load.start,\"{}\"))\n", torrent.display()));
    }
    for (node, number) in place.dht.iter().zip(1..) {
        rc.push_str(&format!("schedule2 = node{number},1,0,((dht.add_node,\"{node}\"))\n"));
    }
    let file = place.folder.join("rc");
    write(&file, rc)?;
    let mut command = Command::new("rtorrent");
    command.arg("-n").arg("-o").arg(format!("import={}", file.display()));
    Ok(command)
}
