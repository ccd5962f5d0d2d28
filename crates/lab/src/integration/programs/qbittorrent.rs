//! qbittorrent-nox.

use std::process::Command;

use xtask::scratch::{make_folder, write};
use xtask::shell::Result;

use super::{Place, Transports};
use crate::integration::ports::free_port;

/// What it makes of encryption, as its settings have it.
#[derive(Clone, Copy)]
pub(in crate::integration) enum Encryption {
    /// Its default.
    Allowed = 0,
    /// It takes nothing else.
    Required = 1,
}

/// The command that seeds. It has no setting for nodes of the DHT: one has to ask it first.
pub(in crate::integration) fn command(place: &Place, encryption: Encryption) -> Result<Command> {
    let config = place.folder.join("qBittorrent/config");
    make_folder(&config)?;
    // Its pages are served whether they are enabled or not; so they get an address of our choice.
    let settings = format!(
        "[LegalNotice]\n\
         Accepted=true\n\
         [BitTorrent]\n\
         Session\\DHTEnabled={dht}\n\
         Session\\LSDEnabled=false\n\
         Session\\PeXEnabled={exchanges}\n\
         Session\\BTProtocol={transports}\n\
         Session\\QueueingSystemEnabled=false\n\
         Session\\Encryption={encryption}\n\
         Session\\InterfaceAddress={ip}\n\
         Session\\Port={port}\n\
         [Network]\n\
         PortForwardingEnabled=false\n\
         [Preferences]\n\
         WebUI\\Address=127.0.0.1\n\
         WebUI\\LocalHostAuth=false\n\
         WebUI\\Port={pages}\n",
        dht = place.has_dht(),
        exchanges = place.exchanges,
        encryption = encryption as u8,
        ip = place.address.ip(),
        port = place.address.port(),
        transports = match place.transports {
            Transports::Tcp => "TCP",
            Transports::Utp => "UTP",
            Transports::Both => "Both",
        },
        pages = if place.pages == 0 { free_port()? } else { place.pages },
    );
    write(&config.join("qBittorrent.conf"), settings)?;
    let mut command = Command::new("qbittorrent-nox");
    command.arg(format!("--profile={}", place.folder.display()));
    command.arg(format!("--save-path={}", place.data.display()));
    command.args((!place.exchanges).then_some("--skip-hash-check"));
    command.args(["--add-paused=false", "--skip-dialog=true"]).args(place.torrents);
    Ok(command)
}
