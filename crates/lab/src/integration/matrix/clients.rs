//! The clients: how each is started, what it takes, and what it says of itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use serde_json::{Value, json};
use xtask::optional;
use xtask::shell::Result;

use super::policies::Takes;
use super::torrents::{Kind, PIECES};
use crate::integration::dht::LIBTORRENT;
use crate::integration::packages;
use crate::integration::programs::{
    Place, Seed, Transports, aria2, ctorrent, deluge, libtorrent, qbittorrent, rtorrent, transmission, webtorrent,
};

/// A client.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) seed: Seed,
    pub(super) takes: Takes,
    /// The torrents it has. One that has a v2 torrent knows both halves of a hybrid, others the v1 half.
    pub(super) kinds: &'static [Kind],
    /// Pieces it has of each.
    pub(super) pieces: u32,
    /// How it is met.
    pub(super) met: Met,
    /// What it says of itself in the clear and encrypted, when it listens at this port.
    pub(super) says: fn(u16) -> Value,
}

impl Client {
    /// Whether it knows both halves of a hybrid torrent.
    pub(super) fn knows_v2(&self) -> bool {
        self.kinds.contains(&Kind::V2)
    }
}

/// How a client is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// The tracker lists it.
    Listed,
    /// Only we know of it.
    Secret,
    /// The same, and it listens at `::1`.
    SecretV6,
    /// Only the lab knows its address, and it answers no connection.
    Paused,
}

/// The command that starts a client.
type Start = fn(&Place) -> Result<Command>;

/// Every kind that libtorrent and its kin seed.
const ALL_VERSIONS: &[Kind] = &[Kind::V1, Kind::V2, Kind::Hybrid, Kind::Long, Kind::Longest, Kind::Private];

/// Of version 1, those with longer metadata and a private one included.
const V1: &[Kind] = &[Kind::V1, Kind::Long, Kind::Longest, Kind::Private];

/// All clients.
pub(super) const CLIENTS: &[Client] = &[
    transmission("transmission-tolerates", Takes::Both, transmission_says_0, |place| {
        transmission::command(place, transmission::Encryption::Tolerated)
    }),
    transmission("transmission-prefers", Takes::Both, transmission_says_1, |place| {
        transmission::command(place, transmission::Encryption::Preferred)
    }),
    transmission("transmission-requires", Takes::Encryption, transmission_says_1, |place| {
        transmission::command(place, transmission::Encryption::Required)
    }),
    aria2("aria2", Takes::Both, |place| Ok(aria2::command(place, &[]))),
    aria2("aria2-require-crypto", Takes::Encryption, |place| Ok(aria2::command(place, &["--bt-require-crypto=true"]))),
    aria2("aria2-force-encryption", Takes::Encryption, |place| {
        Ok(aria2::command(place, &["--bt-force-encryption=true"]))
    }),
    Client {
        kinds: &[Kind::V1, Kind::Hybrid, Kind::Long, Kind::Longest, Kind::Private],
        ..rtorrent("rtorrent", Takes::Both, |place| rtorrent::command(place, rtorrent::ALLOWED))
    },
    rtorrent("rtorrent-requires", Takes::Encryption, |place| rtorrent::command(place, rtorrent::REQUIRED)),
    qbittorrent("qbittorrent", Takes::Both, |place| qbittorrent::command(place, qbittorrent::Encryption::Allowed)),
    qbittorrent("qbittorrent-requires", Takes::Encryption, |place| {
        qbittorrent::command(place, qbittorrent::Encryption::Required)
    }),
    Client {
        seed: Seed {
            name: "ctorrent",
            program: &optional::CTORRENT,
            client: "CTorrent",
            command: |place| ctorrent::command(place, Kind::V1.payload()),
        },
        takes: Takes::Plaintext,
        kinds: &[Kind::V1],
        pieces: PIECES,
        met: Met::Listed,
        says: |_| json!({"reserved": "0000000000000000", "role": "seed", "role_from": "bitfield", "extension": null}),
    },
    libtorrent("libtorrent", Takes::Both, |place| libtorrent::command(place, &[])),
    libtorrent("libtorrent-forced", Takes::Encryption, |place| libtorrent::command(place, &["--encryption=forced"])),
    libtorrent("libtorrent-disabled", Takes::Plaintext, |place| libtorrent::command(place, &["--encryption=disabled"])),
    Client {
        met: Met::SecretV6,
        says: |_| json!({"role": "seed", "role_from": "have_all", "extension": {"yourip": "::1"}}),
        ..libtorrent("libtorrent-v6", Takes::Both, |place| libtorrent::command(place, &["--secret"]))
    },
    Client {
        kinds: &[Kind::V1],
        met: Met::Paused,
        ..libtorrent("libtorrent-paused", Takes::Both, |place| libtorrent::command(place, &["--secret", "--paused"]))
    },
    Client {
        kinds: &[Kind::Partial],
        met: Met::Secret,
        ..libtorrent("libtorrent-secret", Takes::Both, |place| libtorrent::command(place, &["--secret"]))
    },
    waiting(transmission("transmission-magnet", Takes::Both, waits_for_metadata, |place| {
        transmission::command(place, transmission::Encryption::Preferred)
    })),
    // It closes, as we say nothing of metadata.
    waiting(aria2("aria2-magnet", Takes::Both, |place| Ok(aria2::command(place, &[])))),
    waiting(rtorrent("rtorrent-magnet", Takes::Both, |place| rtorrent::command(place, rtorrent::ALLOWED))),
    waiting(qbittorrent("qbittorrent-magnet", Takes::Both, |place| {
        qbittorrent::command(place, qbittorrent::Encryption::Allowed)
    })),
    waiting(libtorrent("libtorrent-magnet", Takes::Both, |place| libtorrent::command(place, &["--secret"]))),
    // A seed that hides what it has lets us download at once; one that has nothing to give does not.
    Client {
        kinds: &[Kind::Hidden],
        says: says_hidden,
        ..libtorrent("libtorrent-hides", Takes::Both, |place| libtorrent::command(place, &["--super-seeding"]))
    },
    Client { pieces: 0, says: says_none, ..leecher("libtorrent-0-percent") },
    Client { pieces: 4, ..leecher("libtorrent-40-percent") },
    Client { pieces: 9, ..leecher("libtorrent-without-the-last") },
];

/// More clients with what they take connections over, for runs over uTP; and their outcome over the other transport.
pub(super) const OVER_UTP: &[(Client, Transports, &str)] = &[
    (
        libtorrent("libtorrent-of-pypi", Takes::Both, |place| {
            libtorrent::command_of(&packages::folder(LIBTORRENT).join("bin/python"), place, &[])
        }),
        Transports::Both,
        "",
    ),
    (
        Client {
            seed: Seed { name: "deluge", program: &optional::DELUGE, client: "Deluge", command: deluge::command },
            says: |_| json!({"role": "seed", "role_from": "have_all", "extension": {"v": "Deluge", "upload_only": true}}),
            ..libtorrent("deluge", Takes::Both, deluge::command)
        },
        Transports::Both,
        "",
    ),
    (
        Client {
            seed: Seed {
                name: WEBTORRENT,
                program: &optional::NPM,
                client: "WebTorrent",
                command: webtorrent::command,
            },
            takes: Takes::Plaintext,
            kinds: V1,
            pieces: PIECES,
            met: Met::Secret,
            says: |_| json!({"role": "seed", "role_from": "have_all", "extension": {"m": {"ut_metadata": 1}}}),
        },
        Transports::Both,
        "",
    ),
    (
        Client {
            met: Met::SecretV6,
            ..qbittorrent("qbittorrent-v6", Takes::Both, |place| {
                qbittorrent::command(place, qbittorrent::Encryption::Allowed)
            })
        },
        Transports::Both,
        "",
    ),
    (
        qbittorrent("qbittorrent-without-tcp", Takes::Both, |place| {
            qbittorrent::command(place, qbittorrent::Encryption::Allowed)
        }),
        Transports::Utp,
        // It accepts and resets.
        "closed_before_handshake",
    ),
    // It has no such setting: the kernel rejects what it is not to have.
    (
        transmission("transmission-without-tcp", Takes::Both, transmission_says_1, |place| {
            transmission::command(place, transmission::Encryption::Preferred)
        }),
        Transports::Utp,
        "connect_refused",
    ),
    (aria2("aria2", Takes::Both, |place| Ok(aria2::command(place, &[]))), Transports::Tcp, "connect_refused"),
    (
        // With a node of the DHT at the same port.
        Client {
            says: |_| json!({"reserved": "0000000000100005", "role": "seed", "role_from": "have_all"}),
            ..aria2("aria2-with-dht", Takes::Both, |place| {
                Ok(aria2::command(&Place { dht: &[NO_NODE], ..*place }, &[]))
            })
        },
        Transports::Tcp,
        "no_utp_answer",
    ),
    (
        rtorrent("rtorrent", Takes::Both, |place| rtorrent::command(place, rtorrent::ALLOWED)),
        Transports::Tcp,
        "connect_refused",
    ),
];

/// Where no node of the DHT is.
const NO_NODE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// It listens at every address, and answers from the kernel's choice.
pub(super) const WEBTORRENT: &str = "webtorrent";

const fn transmission(name: &'static str, takes: Takes, says: fn(u16) -> Value, command: Start) -> Client {
    let seed = Seed { name, program: &optional::TRANSMISSION, client: "Transmission", command };
    // It takes up to 3 s for a piece of metadata.
    Client { seed, takes, kinds: &[Kind::V1, Kind::Long, Kind::Private], pieces: PIECES, met: Met::Listed, says }
}

fn transmission_says_0(port: u16) -> Value {
    transmission_says(port, false)
}

fn transmission_says_1(port: u16) -> Value {
    transmission_says(port, true)
}

/// It says whether it prefers encryption.
fn transmission_says(port: u16, prefers_encryption: bool) -> Value {
    json!({
        "reserved": "0000000000100004", "role": "seed", "role_from": "have_all",
        "extension": {"v": "Transmission", "m": {"ut_metadata": 3}, "p": port, "upload_only": true, "e": prefers_encryption}
    })
}

const fn aria2(name: &'static str, takes: Takes, command: Start) -> Client {
    let seed = Seed { name, program: &optional::ARIA2, client: "aria2", command };
    Client { seed, takes, kinds: V1, pieces: PIECES, met: Met::Listed, says: aria2_says }
}

fn aria2_says(port: u16) -> Value {
    json!({
        "reserved": "0000000000100004", "role": "seed", "role_from": "have_all",
        "extension": {"v": "aria2", "m": {"ut_metadata": 9}, "p": port, "upload_only": null}
    })
}

const fn rtorrent(name: &'static str, takes: Takes, command: Start) -> Client {
    let seed = Seed { name, program: &optional::RTORRENT, client: "rTorrent", command };
    Client { seed, takes, kinds: V1, pieces: PIECES, met: Met::Listed, says: rtorrent_says }
}

/// It has no Fast extension (BEP 6).
fn rtorrent_says(port: u16) -> Value {
    json!({
        "reserved": "0000000000100000", "role": "seed", "role_from": "bitfield",
        "extension": {"v": "libTorrent", "m": {"ut_metadata": 2}, "p": port, "reqq": 2048, "upload_only": null}
    })
}

const fn qbittorrent(name: &'static str, takes: Takes, command: Start) -> Client {
    let seed = Seed { name, program: &optional::QBITTORRENT, client: "qBittorrent", command };
    Client { seed, takes, kinds: ALL_VERSIONS, pieces: PIECES, met: Met::Listed, says: qbittorrent_says }
}

fn qbittorrent_says(_: u16) -> Value {
    json!({
        "role": "seed", "role_from": "have_all",
        "extension": {"v": "qBittorrent", "m": {"lt_donthave": 7}, "upload_only": true, "reqq": 2000}
    })
}

const fn libtorrent(name: &'static str, takes: Takes, command: Start) -> Client {
    let seed = Seed { name, program: &optional::LIBTORRENT, client: "libtorrent", command };
    Client { seed, takes, kinds: ALL_VERSIONS, pieces: PIECES, met: Met::Listed, says: libtorrent_says }
}

fn libtorrent_says(_: u16) -> Value {
    json!({
        "role": "seed", "role_from": "have_all",
        "extension": {"v": "libtorrent", "m": {"ut_pex": 1}, "upload_only": true}
    })
}

/// One that has what is on its disk, and makes no connections.
const fn leecher(name: &'static str) -> Client {
    let command: Start = |place| libtorrent::command(place, &["--check", "--without=127.0.10.0-127.0.10.255"]);
    Client { kinds: &[Kind::Partial], says: leecher_says, ..libtorrent(name, Takes::Both, command) }
}

fn leecher_says(_: u16) -> Value {
    json!({"role": "leech", "role_from": "bitfield", "extension": {"v": "libtorrent", "upload_only": null}})
}

/// The same client with a link alone.
const fn waiting(client: Client) -> Client {
    Client { kinds: &[Kind::Unknown], pieces: 0, met: Met::Secret, says: waits_for_metadata, ..client }
}

fn waits_for_metadata(_: u16) -> Value {
    json!({"completeness": null, "extension": {"metadata_size": null}, "hint": "still fetches the torrent's metadata"})
}

fn says_hidden(_: u16) -> Value {
    json!({
        "role": "super_seed", "role_from": "none_and_unchoke", "completeness": null,
        "extension": {"v": "libtorrent", "upload_only": null}
    })
}

fn says_none(_: u16) -> Value {
    json!({
        "role": "leech", "role_from": "have_none", "completeness": {"have": 0, "pieces": PIECES},
        "extension": {"v": "libtorrent", "upload_only": null}
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_client_is_among_those_that_may_be_skipped() {
        let (_, programs) = super::super::CLIENTS;
        assert!(CLIENTS.iter().all(|client| programs.iter().any(|one| one.name == client.seed.program.name)));
    }

    #[test]
    fn clients_have_names_of_their_own() {
        let names: BTreeSet<_> = CLIENTS.iter().map(|client| client.seed.name).collect();
        assert_eq!(names.len(), CLIENTS.len());
    }
}
