//! The programs that seed: how each is started, and by which name its peer id is known.

pub(super) mod aria2;
pub(super) mod ctorrent;
pub(super) mod deluge;
pub(super) mod libtorrent;
pub(super) mod qbittorrent;
pub(super) mod rtorrent;
pub(super) mod transmission;
pub(super) mod webtorrent;

use std::fmt::Display;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use xtask::optional::{self, Optional};
use xtask::shell::Result;

/// What there is no swarm without.
pub(super) const TOOLS: &[&Optional] = &[&optional::OPENTRACKER, &optional::MKTORRENT, &optional::TRANSMISSION_CLI];

/// A client that can seed.
#[derive(Clone, Copy)]
pub(super) struct Seed {
    /// What we call it; also the name of its folder.
    pub(super) name: &'static str,
    /// The program.
    pub(super) program: &'static Optional,
    /// How the name begins that it goes by: the one it gives itself, or else the one its peer id stands for.
    pub(super) client: &'static str,
    /// The command that seeds, and whatever files it needs.
    pub(super) command: fn(&Place) -> Result<Command>,
}

/// Where a seed lives and what it seeds.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// A folder for its own files.
    pub(super) folder: &'a Path,
    /// The folder that holds the payloads, complete.
    pub(super) data: &'a Path,
    /// Where it listens; no other seed has this IP address.
    pub(super) address: SocketAddr,
    /// A second address, where it listens at the same port if it can.
    pub(super) second: Option<Ipv6Addr>,
    /// The torrents, by file.
    pub(super) torrents: &'a [&'a Path],
    /// Nodes of the DHT to start from; without any, the DHT is off.
    pub(super) dht: &'a [SocketAddr],
    /// Whether it leeches, with nothing on its disk, and tells its peers of others (PEX). Else it seeds and tells of none.
    pub(super) exchanges: bool,
    /// What it takes connections over.
    pub(super) transports: Transports,
    /// The port of its pages or its RPC at 127.0.0.1; 0 where none is asked.
    pub(super) pages: u16,
}

/// What a client takes connections over, by default both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transports {
    Tcp,
    Utp,
    Both,
}

impl<'a> Place<'a> {
    /// It seeds from one address, without the DHT.
    pub(super) fn new(folder: &'a Path, data: &'a Path, address: SocketAddr, torrents: &'a [&'a Path]) -> Self {
        Self {
            folder,
            data,
            address,
            second: None,
            torrents,
            dht: &[],
            exchanges: false,
            transports: Transports::Tcp,
            pages: 0,
        }
    }

    /// Whether it is to have a node in the DHT, at the port where it listens.
    fn has_dht(&self) -> bool {
        !self.dht.is_empty()
    }

    /// Whether it takes connections over uTP.
    fn has_utp(&self) -> bool {
        self.transports != Transports::Tcp
    }

    /// Its addresses as it is to be told them, separated by commas.
    fn addresses<A: Display>(&self, shown: fn(&SocketAddr) -> A) -> String {
        let second = self.second.map(|ip| SocketAddr::from((ip, self.address.port())));
        let all = [self.address].into_iter().chain(second).map(|address| shown(&address).to_string());
        all.collect::<Vec<_>>().join(",")
    }
}

/// The clients of the swarm that every section has.
pub(super) const SEEDS: &[Seed] = &[
    Seed {
        name: "transmission",
        program: &optional::TRANSMISSION,
        client: "Transmission",
        command: |place| transmission::command(place, transmission::Encryption::Preferred),
    },
    Seed { name: "aria2", program: &optional::ARIA2, client: "aria2", command: |place| Ok(aria2::command(place, &[])) },
    Seed {
        name: "rtorrent",
        program: &optional::RTORRENT,
        client: "rTorrent",
        command: |place| rtorrent::command(place, rtorrent::ALLOWED),
    },
    Seed {
        name: "libtorrent",
        program: &optional::LIBTORRENT,
        client: "libtorrent",
        command: |place| libtorrent::command(place, &[]),
    },
];
