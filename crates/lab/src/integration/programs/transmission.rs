//! transmission-daemon.

use std::net::Ipv6Addr;
use std::process::Command;

use xtask::scratch::{make_folder, write};
use xtask::shell::Result;

use super::Place;

/// What it makes of encryption, as its settings have it.
#[derive(Clone, Copy)]
pub(in crate::integration) enum Encryption {
    /// It takes it, and prefers none.
    Tolerated = 0,
    /// Its default.
    Preferred = 1,
    /// It takes nothing else.
    Required = 2,
}

/// The command that seeds.
pub(in crate::integration) fn command(place: &Place, encryption: Encryption) -> Result<Command> {
    let watched = place.folder.join("watched");
    make_folder(&watched)?;
    for torrent in place.torrents {
        let copy = watched.join(torrent.file_name().unwrap_or_default());
        std::fs::copy(torrent, &copy).map_err(|error| format!("cannot write {}: {error}", copy.display()))?;
    }
    let nodes = place.dht.iter().map(|node| format!("{} {}\n", node.ip(), node.port()));
    write(&place.folder.join("dht.bootstrap"), nodes.collect::<String>())?;
    let settings = serde_json::json!({
        "bind-address-ipv4": place.address.ip(),
        // By default it listens at all of these.
        "bind-address-ipv6": place.second.unwrap_or(Ipv6Addr::UNSPECIFIED),
        "peer-port": place.address.port(),
        "peer-port-random-on-start": false,
        "dht-enabled": place.has_dht(),
        "lpd-enabled": false,
        "pex-enabled": false,
        "utp-enabled": false,
        "port-forwarding-enabled": false,
        "encryption": encryption as u8,
        "rpc-enabled": false,
        "download-dir": place.data,
        "watch-dir-enabled": true,
        "watch-dir": watched,
        "start-added-torrents": true,
    });
    write(&place.folder.join("settings.json"), settings.to_string())?;
    let mut command = Command::new("transmission-daemon");
    command.arg("-f").arg("-g").arg(place.folder).arg("--log-error");
    Ok(command)
}
