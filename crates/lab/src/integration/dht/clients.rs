//! The clients, and how each is started with a node in the DHT.

use std::path::PathBuf;
use std::process::Command;

use xtask::optional::{self, Optional};
use xtask::scratch::write;
use xtask::shell::Result;

use super::super::packages;
use super::super::programs::{Place, aria2, libtorrent, qbittorrent, rtorrent, transmission};

/// The packages that are not Debian's; both registries keep every version.
pub(in crate::integration) const LIBTORRENT: &str = "libtorrent==2.1.1";
pub(super) const BITTORRENT_DHT: &str = "bittorrent-dht@11.0.12";

/// A client, or a library with a script around it.
pub(super) struct Client {
    pub(super) name: &'static str,
    /// The programs that it needs.
    needs: &'static [&'static Optional],
    /// The package that it is, where it is not Debian's.
    package: Option<&'static str>,
    /// The name that its handshake tells.
    pub(super) client: &'static str,
    /// The name that its node tells; Transmission and bittorrent-dht send none.
    pub(super) software: Option<&'static str>,
    /// Whether its node says which address it sees.
    pub(super) sees_us: bool,
    /// Whether it is in the DHT over IPv6, too.
    pub(super) has_v6: bool,
    /// Whether its peer is asked for its node's port (PORT, BEP 5). It seeds a private torrent, too.
    pub(super) tells_port: bool,
    /// Whether it announces itself within seconds. Measured in this network: aria2 after 2 to more than 120 s, rTorrent after 50 s,
    /// Transmission after 55 to 83 s.
    pub(super) is_quick: bool,
    /// The command that seeds the place's torrents, or announces these hashes.
    pub(super) command: fn(&Place, &[&str]) -> Result<Command>,
}

/// All of them; the last one announces what others seed.
pub(super) const CLIENTS: &[Client] = &[
    Client {
        name: "libtorrent",
        needs: &[&optional::LIBTORRENT],
        package: None,
        client: "libtorrent/2.0.",
        software: Some("libtorrent 2.0."),
        sees_us: true,
        has_v6: false,
        tells_port: true,
        is_quick: true,
        command: |place, _| libtorrent::command(place, &[]),
    },
    Client {
        name: "libtorrent of PyPI",
        needs: &[&optional::VENV],
        package: Some(LIBTORRENT),
        client: "libtorrent/2.1.1",
        software: Some("libtorrent 2.1.1"),
        sees_us: true,
        has_v6: true,
        tells_port: false,
        is_quick: true,
        command: |place, _| libtorrent::command_of(&packages::folder(LIBTORRENT).join("bin/python"), place, &[]),
    },
    Client {
        name: "qbittorrent",
        needs: &[&optional::QBITTORRENT],
        package: None,
        client: "qBittorrent",
        software: Some("libtorrent 2.0."),
        sees_us: true,
        has_v6: false,
        tells_port: false,
        is_quick: true,
        command: |place, _| qbittorrent::command(place, qbittorrent::Encryption::Allowed),
    },
    Client {
        name: "aria2",
        needs: &[&optional::ARIA2],
        package: None,
        client: "aria2",
        software: Some("aria2"),
        sees_us: false,
        has_v6: false,
        tells_port: false,
        is_quick: false,
        command: |place, _| Ok(aria2::command(place, &[])),
    },
    Client {
        name: "rtorrent",
        needs: &[&optional::RTORRENT],
        package: None,
        client: "rTorrent",
        software: Some("rTorrent"),
        sees_us: false,
        has_v6: false,
        tells_port: false,
        is_quick: false,
        command: |place, _| rtorrent::command(place, rtorrent::ALLOWED),
    },
    Client {
        name: "transmission",
        needs: &[&optional::TRANSMISSION],
        package: None,
        client: "Transmission",
        software: None,
        sees_us: false,
        has_v6: false,
        tells_port: true,
        is_quick: false,
        command: |place, _| transmission::command(place, transmission::Encryption::Preferred),
    },
    Client {
        name: "bittorrent-dht",
        needs: &[&optional::NODE, &optional::NPM],
        package: Some(BITTORRENT_DHT),
        // It is no client: at its address a scripted peer shakes hands.
        client: "qBittorrent",
        software: None,
        sees_us: false,
        has_v6: false,
        tells_port: false,
        is_quick: true,
        command: bittorrent_dht,
    },
];

impl Client {
    /// Whether it is here, and its package was installed before.
    pub(super) fn is_here(&self) -> bool {
        self.needs.iter().all(|one| one.is_here())
            && self.package.is_none_or(|package| packages::folder(package).exists())
    }

    /// Whether it is the node that announces whatever hash it is told to.
    pub(super) fn announces_all(&self) -> bool {
        self.package == Some(BITTORRENT_DHT)
    }
}

/// A node of bittorrent-dht that announces these hashes.
fn bittorrent_dht(place: &Place, hashes: &[&str]) -> Result<Command> {
    // A script finds its imports beside itself, or above.
    let script: PathBuf = packages::folder(BITTORRENT_DHT).join("dht_node.mjs");
    write(&script, include_str!("../dht_node.mjs"))?;
    let nodes: Vec<String> = place.dht.iter().map(ToString::to_string).collect();
    let mut command = Command::new("node");
    command.arg(script).arg(place.address.to_string()).arg(nodes.join(",")).args(hashes);
    Ok(command)
}
