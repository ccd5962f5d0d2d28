//! aria2c.

use std::net::SocketAddr;
use std::process::Command;

use super::Place;

/// The command that seeds, with more options.
pub(in crate::integration) fn command(place: &Place, options: &[&str]) -> Command {
    let mut command = Command::new("aria2c");
    command.args(["--no-conf=true", "--enable-dht6=false", "--bt-enable-lpd=false"]);
    command.arg(format!("--enable-dht={}", place.has_dht()));
    if let Some(node) = place.dht.first() {
        command.arg(format!("--dht-entry-point={node}"));
        command.arg(format!("--dht-listen-port={}", place.address.port()));
        command.arg(format!("--dht-file-path={}", place.folder.join("dht.dat").display()));
    }
    command.args(["--seed-ratio=0.0", "--check-integrity=true"]);
    command.arg(format!("--enable-peer-exchange={}", place.exchanges));
    command.args(["--bt-hash-check-seed=true", "--file-allocation=none", "--show-console-readout=false"]);
    command.arg(format!("--dir={}", place.data.display()));
    command.arg(format!("--multiple-interface={}", place.addresses(SocketAddr::ip)));
    command.arg(format!("--listen-port={}", place.address.port()));
    command.args(options).args(place.torrents);
    command
}
