//! transmission-daemon.

use std::net::Ipv6Addr;
use std::path::Path;
use std::process::Command;

use fake_swarm::bencoding;
use xtask::scratch::{make_folder, write};
use xtask::shell::Result;

use super::Place;
use crate::integration::torrents::hash_bytes;

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
    for (torrent, number) in place.torrents.iter().zip(1..) {
        let copy = watched.join(format!("{number}.torrent"));
        match as_link(torrent) {
            Some(link) => write(&copy, link)?,
            None => {
                std::fs::copy(torrent, &copy).map_err(|error| format!("cannot write {}: {error}", copy.display()))?;
            }
        }
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
        "pex-enabled": place.exchanges,
        "utp-enabled": place.has_utp(),
        "port-forwarding-enabled": false,
        "encryption": encryption as u8,
        "rpc-enabled": place.pages != 0,
        "rpc-bind-address": "127.0.0.1",
        "rpc-port": place.pages,
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

/// A link in the form in which it keeps links, if it is one of v1: it takes them over its network interface otherwise.
fn as_link(torrent: &Path) -> Option<Vec<u8>> {
    let (hash, _) = torrent.to_str()?.strip_prefix("magnet:?xt=urn:btih:")?.split_at_checked(40)?;
    let link = bencoding::dictionary([("info_hash", bencoding::string(hash_bytes(hash)))]);
    Some(bencoding::dictionary([("magnet-info", link)]))
}
