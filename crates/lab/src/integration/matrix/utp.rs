//! The clients of the matrix that take connections over uTP, and more: each transport that we may be limited to, with each policy of
//! encryption, and what happens by default where TCP is rejected, swallowed, or accepted and closed.
//!
//! We leave nothing behind: by its own count no client is connected to us after a run, and what it sends us ends within a second.
//! A visitor that goes without a word shows that both would be noticed.

mod traces;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fake_swarm::{FakeSwarm, Peer, PexList, PexScript, Serving, peer_ip};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use xtask::optional;
use xtask::scratch::make_folder;
use xtask::shell::{self, Result};

use super::super::section::{Lab, Part};
use super::clients::{CLIENTS as OF_MATRIX, Client, Met, OVER_UTP, WEBTORRENT};
use super::policies::{Policy, Takes};
use super::rows::{lines, merged, names};
use super::swarms::Player;
use super::torrents::{Kind, Torrents};
use crate::integration::dht::LIBTORRENT;
use crate::integration::namespace::{self, Namespace};
use crate::integration::packages;
use crate::integration::parallel;
use crate::integration::process;
use crate::integration::programs::{Place, Transports, webtorrent};
use crate::integration::row::Row;
use crate::integration::torrents::{NOWHERE, hash_bytes, link};
use crate::integration::wire::{Packet, Wire};
use traces::{SYN, connections, ending, visit};

/// The name of the section.
pub(in crate::integration) const NAME: &str = "utp";

/// The clients, of which those that are here take part.
pub(in crate::integration) const CLIENTS: Part = (
    "clients of utp",
    &[
        &optional::TRANSMISSION,
        &optional::QBITTORRENT,
        &optional::DELUGE,
        &optional::NODE,
        &optional::NPM,
        &optional::VENV,
    ],
);

/// What is said of a client that was not reached over TCP.
const ONLY_UTP: &str = "uTP";

/// How long all clients together may take to be up; it takes some seconds on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How long a default run on a client without TCP may take.
const DEFAULT_WITHIN: Duration = Duration::from_secs(4);
/// What a client sends to somewhere that has gone ends within this.
const QUIET_AFTER: Duration = Duration::from_secs(1);
/// How long it is listened for. A libtorrent that gets no acknowledgement resends after 0.7 s and 2.2 s, a Transmission after 3 s; one
/// that was left without a word wakes after a minute.
const LISTEN: Duration = Duration::from_millis(3500);
const LISTEN_LONG: Duration = Duration::from_secs(65);

/// Where packets of TCP are dropped in silence, if they are to the client whose TCP is rejected.
const SWALLOWED: Ipv4Addr = Ipv4Addr::new(127, 0, 19, 1);
/// Where the visitor comes from that goes without a word.
const VISITOR: Ipv4Addr = Ipv4Addr::new(127, 0, 19, 2);

/// A client at work.
struct Member {
    player: Player,
    transports: Transports,
    /// Its outcome over the other transport.
    otherwise: &'static str,
    /// The port at which it is asked for its peers.
    pages: u16,
}

/// Everything that runs, and what it is about.
struct World {
    members: Vec<Member>,
    torrents: Torrents,
    /// A peer that names all members of IPv4, with the flag of uTP (PEX, BEP 11).
    bridge: FakeSwarm,
    /// Plays the bridge.
    _runtime: Runtime,
}

/// Installs what is from npm and PyPI, and runs everything else in a namespace.
pub(in crate::integration) fn run(lab: &Lab) -> Result {
    if optional::VENV.is_here() {
        packages::pypi(lab.skips, NAME, LIBTORRENT)?;
    }
    if optional::NPM.is_here() {
        packages::npm(lab.skips, NAME, webtorrent::PACKAGES)?;
    }
    namespace::run(lab, NAME)
}

/// Starts the clients, runs all rows as often as asked for, and looks at what is left.
pub(in crate::integration) fn run_inside(namespace: &Namespace) -> Result {
    let begin = Instant::now();
    let mut world = World::start(namespace)?;
    world.wait_until_ready(namespace, begin + UP_WITHIN)?;
    println!("up in {:.1} s: {} clients", begin.elapsed().as_secs_f64(), world.members.len());

    let (wire, mut faults) = (Wire::new()?, Vec::new());
    for number in 1..=namespace.runs {
        let name = format!("run {number} of {}", namespace.runs);
        let part = namespace.part.as_deref().unwrap_or_default();
        let chosen = |mut rows: Vec<Row>| {
            rows.retain(|row| row.name().contains(part));
            rows
        };
        let rows = [(false, chosen(world.rows()?)), (true, chosen(world.limited(true)?))];
        faults.extend(parallel::faults(2, &rows, |(v6, rows)| match v6 {
            false => namespace.prober.judge(&name, rows),
            // All from the one address, of which clients take one connection at a time, and the next one at once.
            true => namespace.prober.judge_in_turn(&format!("{name}, ::1"), rows),
        }));
    }
    faults.extend(world.nothing_is_left(&wire, namespace.long)?);
    faults.extend(world.what_is_left_is_seen(&wire).unwrap_or_else(|reason| vec![reason]));
    world.members.iter_mut().try_for_each(|member| member.player.process.check_alive())?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

impl World {
    /// Starts all clients that are here.
    fn start(namespace: &Namespace) -> Result<Self> {
        let torrents = Torrents::make(&namespace.folder, NOWHERE)?;
        let take_utp = |client: &&Client| {
            client.kinds.contains(&Kind::V1)
                && matches!(client.met, Met::Listed | Met::SecretV6)
                && ["Transmission", "qBittorrent", "libtorrent"].contains(&client.seed.client)
        };
        let of_matrix = OF_MATRIX.iter().filter(take_utp).map(|client| (*client, Transports::Both, ""));
        let mut members = Vec::new();
        for ((client, transports, otherwise), number) in of_matrix.chain(OVER_UTP.iter().copied()).zip(1..) {
            let packages = [("libtorrent-of-pypi", LIBTORRENT), (WEBTORRENT, webtorrent::PACKAGES)];
            let lacks = |(name, package)| client.seed.name == name && !packages::folder(package).exists();
            // What is not here is noted as skipped.
            if !client.seed.program.is_here() || packages.into_iter().any(lacks) {
                continue;
            }
            let ip = match client.met {
                Met::SecretV6 => IpAddr::from(Ipv6Addr::LOCALHOST),
                _ if client.seed.name == WEBTORRENT => Ipv4Addr::LOCALHOST.into(),
                _ => Ipv4Addr::new(127, 0, 10, number).into(),
            };
            let (address, pages) = (SocketAddr::new(ip, 6800 + u16::from(number)), 9100 + u16::from(number));
            let folder = namespace.folder.join(client.seed.name);
            make_folder(&folder)?;
            let client = Client { kinds: &[Kind::V1, Kind::Long], ..client };
            let player =
                Player::start(client, address, &folder, &torrents, |place| Place { transports, pages, ..place })?;
            members.push(Member { player, transports, otherwise, pages });
        }
        let addresses = members.iter().map(|member| member.player.address).filter(SocketAddr::is_ipv4);
        let list = PexList::naming(addresses).flagged(PexList::UTP);
        let bridge = Peer::default().serving(Serving::pex(PexScript::of([list])));
        let info_hash = hash_bytes(&torrents.of(Kind::V1)?.info_hash);
        let failed = |error: &dyn Display| format!("no bridge: {error}");
        let runtime = Runtime::new().map_err(|error| failed(&error))?;
        let entered = runtime.enter();
        let bridge = FakeSwarm::start(info_hash, &[(peer_ip(0), bridge)]).map_err(|error| failed(&error))?;
        drop(entered);
        Ok(Self { members, torrents, bridge, _runtime: runtime })
    }

    /// Waits until each answers as it is to, then takes TCP away from the one that cannot do so itself.
    fn wait_until_ready(&mut self, namespace: &Namespace, deadline: Instant) -> Result {
        for member in &mut self.members {
            member.player.process.wait_until_listening(member.player.address, deadline)?;
        }
        let of_transmission =
            self.of(Transports::Utp).filter(|member| member.player.client.seed.client == "Transmission");
        of_transmission.map(|member| reject_tcp(member.player.address)).collect::<Result<Vec<_>>>()?;
        process::poll(deadline, || {
            self.members.iter_mut().try_for_each(|member| member.player.process.check_alive())?;
            let rows = [self.named(false, Policy::PreferPlain, "utp")?, self.named(true, Policy::PreferPlain, "utp")?];
            Ok(rows.iter().try_for_each(|row| row.run(&namespace.prober)))
        })
    }

    /// The members that take connections over these.
    fn of(&self, transports: Transports) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.transports == transports)
    }

    /// The members that take connections over uTP.
    fn over_utp(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.transports != Transports::Tcp)
    }

    /// All rows of IPv4.
    fn rows(&self) -> Result<Vec<Row>> {
        let without = Row::new("without uTP", self.torrents.of(Kind::V1)?, 1);
        let without = without.args(["--sources", "none", "--transport", "utp"]);
        let without =
            self.of(Transports::Tcp).fold(without, |row, one| names(row, &one.player, vec![one.refuses("utp")]));
        Ok([self.by_link()?, self.by_default()?, self.limited(false)?, vec![without, self.unknown()?, self.flagged()?]]
            .concat())
    }

    /// uTP alone with each policy, and TCP alone.
    fn limited(&self, v6: bool) -> Result<Vec<Row>> {
        let policies = [Policy::PreferPlain, Policy::Prefer, Policy::Require, Policy::Off];
        let over_utp = policies.into_iter().map(|policy| self.named(v6, policy, "utp"));
        over_utp.chain([self.named(v6, Policy::PreferPlain, "tcp")]).collect()
    }

    /// The clients of a family are named to us, with a policy and one transport.
    fn named(&self, v6: bool, policy: Policy, transport: &'static str) -> Result<Row> {
        let name = format!("{transport} alone, {policy:?}{}", if v6 { ", ::1" } else { "" });
        let row = Row::new(name, self.torrents.of(Kind::V1)?, 0).args([
            "--sources",
            "none",
            "--transport",
            transport,
            "--encryption",
            policy.argument(),
        ]);
        let row = if v6 { row.from(Ipv6Addr::LOCALHOST) } else { row };
        let members = self.over_utp().filter(|member| member.player.address.is_ipv6() == v6);
        Ok(members.fold(row, |row, member| {
            let lines = match (transport, member.transports) {
                ("tcp", Transports::Utp) => vec![member.refuses("tcp")],
                _ => lines(&member.player, Kind::V1, policy, transport, false),
            };
            names(row, &member.player, lines)
        }))
    }

    /// All clients of IPv4, and each that takes no TCP alone, once more where it is silent over TCP instead of closed.
    fn by_default(&self) -> Result<Vec<Row>> {
        let torrent = self.torrents.of(Kind::V1)?;
        let row = |name: String| Row::new(name, torrent, 0).args(["--sources", "none"]);
        let line = |member: &Member, otherwise: &str| {
            if member.transports != Transports::Utp {
                return lines(&member.player, Kind::V1, Policy::PreferPlain, "tcp", false);
            }
            let tcp = |encryption: &str, outcome: &str| json!({"transport": "tcp", "encryption": encryption, "outcome": outcome});
            let mut attempts = vec![tcp("none", otherwise)];
            // A client that accepts and closes may require encryption.
            attempts.extend((otherwise == "closed_before_handshake").then(|| tcp("rc4", "encryption_failed")));
            attempts.push(json!({"transport": "utp", "encryption": "none", "outcome": "ok"}));
            let lines = lines(&member.player, Kind::V1, Policy::PreferPlain, "utp", false);
            lines.into_iter().map(|line| merged([line, json!({"attempts": attempts, "hint": ONLY_UTP})])).collect()
        };
        let v4 = self.members.iter().filter(|member| member.player.address.is_ipv4());
        let all = v4.fold(row("by default".to_owned()), |row, member| {
            names(row, &member.player, line(member, member.otherwise))
        });
        let mut rows = vec![all.sums_up(json!({"only_utp": self.of(Transports::Utp).count()}))];
        for member in self.of(Transports::Utp) {
            let row = row(format!("{} by default", member.player.client.seed.name)).within(DEFAULT_WITHIN);
            let row = row.sums_up(json!({"ok": 1, "only_utp": 1}));
            rows.push(names(row.clone(), &member.player, line(member, member.otherwise)));
            if member.player.client.seed.client == "Transmission" {
                rows.push(names(row, &member.player, line(member, "connect_timeout")).from(SWALLOWED));
            }
        }
        Ok(rows)
    }

    /// All clients of IPv4, of which a peer says that they speak uTP: that is tried first, and TCP where it fails.
    fn flagged(&self) -> Result<Row> {
        let address = self.bridge.addr(peer_ip(0)).to_string();
        let row = Row::new("flagged", self.torrents.of(Kind::V1)?, 0).args(["--sources", "pex", "--peer", &address]);
        let row = row.finds_one_of(&address, vec![json!({"outcome": "ok", "transport": "tcp"})]);
        let v4 = self.members.iter().filter(|member| member.player.address.is_ipv4());
        Ok(v4.fold(row, |row, member| {
            let line = |transport| lines(&member.player, Kind::V1, Policy::PreferPlain, transport, false);
            let fails = json!({"attempts": [member.refuses("utp"), {"transport": "tcp", "outcome": "ok"}]});
            let lines = match member.transports {
                Transports::Tcp => line("tcp").into_iter().map(|line| merged([line, fails.clone()])).collect(),
                _ => line("utp"),
            };
            row.finds_one_of(member.player.address, lines)
        }))
    }

    /// A torrent that no client has: one that speaks encryption has said so by that, the others are tried over uTP, too.
    fn unknown(&self) -> Result<Row> {
        let row = Row::new("unknown", self.torrents.of(Kind::Unknown)?, 1).args(["--sources", "none"]);
        let attempts = [("tcp", "none"), ("tcp", "rc4"), ("utp", "none"), ("utp", "rc4")];
        let attempts =
            attempts.map(|(transport, encryption)| json!({"transport": transport, "encryption": encryption}));
        let v4 = self.of(Transports::Both).filter(|member| member.player.address.is_ipv4());
        Ok(v4.fold(row, |row, Member { player, .. }| {
            let attempts = if player.client.takes == Takes::Plaintext { &attempts[..] } else { &attempts[..2] };
            let line = json!({
                "outcome": "closed_before_handshake", "transport": "tcp", "bytes_received": 0, "attempts": attempts
            });
            names(row, player, vec![line])
        }))
    }

    /// Clients of IPv4 by a link, whose metadata of three pieces comes over uTP. Of Transmission, which takes up to 3 s for each, there
    /// is one.
    fn by_link(&self) -> Result<Vec<Row>> {
        let torrent = link(self.torrents.of(Kind::Long)?, &[]);
        let is_one = |member: &&Member| {
            let is_transmission = member.player.client.seed.client == "Transmission";
            member.player.address.is_ipv4() && (!is_transmission || member.transports == Transports::Utp)
        };
        let rows = self.over_utp().filter(is_one).map(|member| {
            let row = Row::new(format!("{} by a link", member.player.client.seed.name), &torrent, 0)
                .args(["--sources", "none", "--transport", "utp"])
                .learns(json!({"status": "ok", "pieces": 3}));
            names(row, &member.player, lines(&member.player, Kind::Long, Policy::PreferPlain, "utp", false))
        });
        Ok(rows.collect())
    }

    /// After our last run no client counts us, and none has sent us anything since shortly after we left.
    fn nothing_is_left(&mut self, wire: &Wire, long: bool) -> Result<Vec<String>> {
        thread::sleep(if long { LISTEN_LONG } else { LISTEN });
        let packets = wire.take()?;
        let echoes = self.echoes(&packets);
        let last = echoes.values().max().copied().unwrap_or_default();
        println!("of {} conversations over UDP the last packet came {} ms after ours", echoes.len(), last.as_millis());
        let late = echoes.iter().filter(|(_, after)| **after > QUIET_AFTER);
        let mut faults: Vec<String> = late
            .map(|(ends, after)| {
                format!("{} still sends {after:?} after we left:\n{}", ends.0, ending(&packets, *ends))
            })
            .collect();
        for (member, count) in self.connections()? {
            faults.extend((count != 0).then(|| format!("{member} counts {count} connections after we left")));
        }
        Ok(faults)
    }

    /// A visitor that goes without a word: each client counts it, and goes on to send to it.
    fn what_is_left_is_seen(&mut self, wire: &Wire) -> Result<Vec<String>> {
        let info_hash = hash_bytes(&self.torrents.of(Kind::V1)?.info_hash);
        let visited = |member: &&Member| member.player.client.takes != Takes::Encryption;
        for Member { player, .. } in self.over_utp().filter(visited) {
            let from = if player.address.is_ipv4() { VISITOR.into() } else { IpAddr::from(Ipv6Addr::LOCALHOST) };
            let failed = |error| format!("no visit to {}: {error}", player.client.seed.name);
            visit(from, player.address, &info_hash).map_err(failed)?;
        }
        thread::sleep(LISTEN);
        let echoes = self.echoes(&wire.take()?);
        let connections = self.connections()?;
        let mut faults = Vec::new();
        for Member { player, .. } in self.over_utp().filter(visited) {
            let name = player.client.seed.name;
            let sends = echoes.iter().any(|((member, _), after)| *member == player.address && *after > QUIET_AFTER);
            faults.extend((!sends).then(|| format!("{name} is silent after a visitor that went without a word")));
            let counts_none = connections.iter().any(|(member, count)| *member == name && *count == 0);
            faults.extend(counts_none.then(|| format!("{name} does not count a visitor that went without a word")));
        }
        Ok(faults)
    }

    /// How long after the last datagram of each visitor a client sent it its own last one.
    fn echoes(&self, packets: &[Packet]) -> BTreeMap<(SocketAddr, SocketAddr), Duration> {
        let member = |at: SocketAddr| self.members.iter().map(|member| &member.player).find(|one| one.address == at);
        let mut last = BTreeMap::new();
        for packet in packets.iter().filter(|packet| packet.is_datagram() && member(packet.to).is_some()) {
            last.insert((packet.to, packet.from), (packet.at, Duration::ZERO));
        }
        for packet in packets.iter().filter(|packet| packet.is_datagram()) {
            // Transmission 3.00 calls where visitors came from, after ten seconds: see `pex`.
            let calls = member(packet.from).is_some_and(|one| one.client.seed.client == "Transmission")
                && packet.datagram().first() == Some(&SYN);
            if let Some((at, after)) = last.get_mut(&(packet.from, packet.to)).filter(|_| !calls) {
                *after = (*after).max(packet.at.saturating_duration_since(*at));
            }
        }
        last.into_iter().map(|(ends, (_, after))| (ends, after)).collect()
    }

    /// How many connections each client counts that says so.
    fn connections(&mut self) -> Result<Vec<(&'static str, usize)>> {
        let info_hash = self.torrents.of(Kind::V1)?.info_hash.clone();
        let counts = self.members.iter_mut().map(|member| {
            let name = member.player.client.seed.name;
            Ok(connections(&mut member.player, member.pages, &info_hash)?.map(|count| (name, count)))
        });
        counts.filter_map(Result::transpose).collect()
    }
}

/// Has the kernel reject TCP to an address, and swallow it where it comes from [`SWALLOWED`].
fn reject_tcp(address: SocketAddr) -> Result {
    let to = format!("ip daddr {} tcp dport {}", address.ip(), address.port());
    for line in [
        "add table inet lab",
        "add chain inet lab in { type filter hook input priority 0; }",
        &format!("add rule inet lab in ip saddr {SWALLOWED} {to} drop"),
        &format!("add rule inet lab in {to} reject with tcp reset"),
    ] {
        shell::run_quiet(Command::new("nft").arg(line))?;
    }
    Ok(())
}

impl Member {
    /// What is said of it over the transport that it lacks.
    fn refuses(&self, transport: &str) -> Value {
        json!({"outcome": self.otherwise, "transport": transport})
    }
}
