//! The clients of the matrix that take connections over uTP, and more: each transport that we may be limited to, with each policy of
//! encryption, and what happens by default where TCP is rejected, swallowed, or accepted and closed.

mod left;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
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
use crate::integration::torrents::{NOWHERE, link};
use crate::integration::wire::Wire;

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

/// Where packets of TCP are dropped in silence, if they are to the client whose TCP is rejected.
const SWALLOWED: Ipv4Addr = Ipv4Addr::new(127, 0, 19, 1);

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
        Ok(Self { members, torrents })
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
        let without = without.args(["--no-trackers", "--transport", "utp"]);
        let without =
            self.of(Transports::Tcp).fold(without, |row, one| names(row, &one.player, vec![one.refuses("utp")]));
        Ok([self.by_link()?, self.by_default()?, self.limited(false)?, vec![without, self.unknown()?]].concat())
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
            "--no-trackers",
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
        let row = |name: String| Row::new(name, torrent, 0).args(["--no-trackers"]);
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

    /// A torrent that no client has: one that speaks encryption has said so by that, the others are tried over uTP, too.
    fn unknown(&self) -> Result<Row> {
        let row = Row::new("unknown", self.torrents.of(Kind::Unknown)?, 1).args(["--no-trackers"]);
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

    /// Each client of IPv4 by a link, whose metadata of three pieces comes over uTP.
    fn by_link(&self) -> Result<Vec<Row>> {
        let torrent = link(self.torrents.of(Kind::Long)?, &[]);
        let v4 = self.over_utp().filter(|member| member.player.address.is_ipv4());
        let rows = v4.map(|member| {
            let row = Row::new(format!("{} by a link", member.player.client.seed.name), &torrent, 0)
                .args(["--no-trackers", "--transport", "utp", "--metadata"])
                .learns(json!({"status": "ok", "pieces": 3}));
            names(row, &member.player, lines(&member.player, Kind::Long, Policy::PreferPlain, "utp", false))
        });
        Ok(rows.collect())
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
