//! The programs that seed: how each is started, and by which name its peer id is known.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::scratch::write;
use crate::shell::{self, Result};

/// What there is no swarm without: the program and its Debian package.
pub(super) const TOOLS: &[(&str, &str)] = &[
    ("opentracker", "opentracker"),
    ("mktorrent", "mktorrent"),
    ("transmission-create", "transmission-cli"),
    ("transmission-show", "transmission-cli"),
];

/// A client that can seed.
pub(super) struct Seed {
    /// What we call it; also the name of its folder.
    pub(super) name: &'static str,
    /// The Debian package it comes in.
    pub(super) package: &'static str,
    /// How the name begins that it goes by: the one it gives itself, or else the one its peer id stands for.
    pub(super) client: &'static str,
    /// Whether it can be started here.
    pub(super) installed: fn() -> bool,
    /// The command that seeds, and whatever files it needs.
    pub(super) command: fn(&Place) -> Result<Command>,
}

/// Where a seed lives and what it seeds.
pub(super) struct Place<'a> {
    /// A folder for its own files.
    pub(super) folder: &'a Path,
    /// The folder that holds the payloads, complete.
    pub(super) data: &'a Path,
    /// Where it listens; no other seed has this IP address.
    pub(super) address: SocketAddr,
    /// The torrents, by file.
    pub(super) torrents: &'a [&'a Path],
}

/// Every client we know how to start.
pub(super) const SEEDS: &[Seed] = &[
    Seed {
        name: "transmission",
        package: "transmission-daemon",
        client: "Transmission",
        installed: || shell::find_program("transmission-daemon").is_some(),
        command: transmission,
    },
    Seed {
        name: "aria2",
        package: "aria2",
        client: "aria2",
        installed: || shell::find_program("aria2c").is_some(),
        command: aria2,
    },
    Seed {
        name: "rtorrent",
        package: "rtorrent",
        client: "libTorrent",
        installed: || shell::find_program("rtorrent").is_some(),
        command: rtorrent,
    },
    Seed {
        name: "libtorrent",
        package: "python3-libtorrent",
        client: "libtorrent",
        installed: python_has_libtorrent,
        command: libtorrent,
    },
];

/// Debian's own Python, which is the one that sees the modules Debian installs.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// The script that seeds with libtorrent.
const LIBTORRENT_SCRIPT: &str = include_str!("seed_libtorrent.py");

fn transmission(place: &Place) -> Result<Command> {
    let watched = place.folder.join("watched");
    std::fs::create_dir_all(&watched).map_err(|error| format!("cannot make {}: {error}", watched.display()))?;
    for torrent in place.torrents {
        let copy = watched.join(torrent.file_name().unwrap_or_default());
        std::fs::copy(torrent, &copy).map_err(|error| format!("cannot write {}: {error}", copy.display()))?;
    }
    let settings = serde_json::json!({
        "bind-address-ipv4": place.address.ip(),
        "peer-port": place.address.port(),
        "peer-port-random-on-start": false,
        "dht-enabled": false,
        "lpd-enabled": false,
        "pex-enabled": false,
        "utp-enabled": false,
        "port-forwarding-enabled": false,
        "encryption": 1,
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

fn aria2(place: &Place) -> Result<Command> {
    let mut command = Command::new("aria2c");
    command.args(["--no-conf=true", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"]);
    command.args(["--enable-peer-exchange=false", "--seed-ratio=0.0", "--check-integrity=true"]);
    command.args(["--bt-hash-check-seed=true", "--file-allocation=none", "--show-console-readout=false"]);
    command.arg(format!("--dir={}", place.data.display()));
    command.arg(format!("--interface={}", place.address.ip()));
    command.arg(format!("--listen-port={}", place.address.port()));
    command.args(place.torrents);
    Ok(command)
}

fn rtorrent(place: &Place) -> Result<Command> {
    let session = place.folder.join("session");
    std::fs::create_dir_all(&session).map_err(|error| format!("cannot make {}: {error}", session.display()))?;
    let (ip, port) = (place.address.ip(), place.address.port());
    let mut rc = format!(
        "network.bind_address.set = {ip}\n\
         network.port_range.set = {port}-{port}\n\
         network.port_random.set = no\n\
         dht.mode.set = disable\n\
         protocol.pex.set = no\n\
         protocol.encryption.set = allow_incoming,try_outgoing,enable_retry\n\
         directory.default.set = \"{data}\"\n\
         session.path.set = \"{session}\"\n\
         system.daemon.set = true\n",
        data = place.data.display(),
        session = session.display(),
    );
    for (torrent, number) in place.torrents.iter().zip(1..) {
        rc.push_str(&format!("schedule2 = load{number},1,0,((load.start,\"{}\"))\n", torrent.display()));
    }
    let file = place.folder.join("rc");
    write(&file, rc)?;
    let mut command = Command::new("rtorrent");
    command.arg("-n").arg("-o").arg(format!("import={}", file.display()));
    Ok(command)
}

fn libtorrent(place: &Place) -> Result<Command> {
    let script = place.folder.join("seed.py");
    write(&script, LIBTORRENT_SCRIPT)?;
    let mut command = Command::new(PYTHON);
    command.arg(script).arg(place.address.to_string()).arg(place.data).args(place.torrents);
    Ok(command)
}

/// Whether Debian's Python is here and can import libtorrent.
fn python_has_libtorrent() -> bool {
    let mut import = Command::new(PYTHON);
    import.args(["-c", "import libtorrent"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    import.status().is_ok_and(|status| status.success())
}
