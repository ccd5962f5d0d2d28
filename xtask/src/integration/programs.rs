//! The programs that seed: how each is started, and by which name its peer id is known.

pub(super) mod aria2;
pub(super) mod ctorrent;
pub(super) mod libtorrent;
pub(super) mod qbittorrent;
pub(super) mod rtorrent;
pub(super) mod transmission;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::shell::Result;

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

/// The clients of the swarm that every section has.
pub(super) const SEEDS: &[Seed] = &[
    Seed {
        name: "transmission",
        package: transmission::PACKAGE,
        client: "Transmission",
        installed: transmission::is_installed,
        command: |place| transmission::command(place, transmission::Encryption::Preferred),
    },
    Seed {
        name: "aria2",
        package: aria2::PACKAGE,
        client: "aria2",
        installed: aria2::is_installed,
        command: |place| Ok(aria2::command(place, &[])),
    },
    Seed {
        name: "rtorrent",
        package: rtorrent::PACKAGE,
        client: "libTorrent",
        installed: rtorrent::is_installed,
        command: |place| rtorrent::command(place, rtorrent::ALLOWED),
    },
    Seed {
        name: "libtorrent",
        package: libtorrent::PACKAGE,
        client: "libtorrent",
        installed: libtorrent::is_installed,
        command: |place| libtorrent::command(place, &[]),
    },
];

/// Debian's own Python, which is the one that sees the modules Debian installs.
pub(super) const PYTHON: &str = "/usr/bin/python3";
