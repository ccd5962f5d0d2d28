//! Clients with an address of each family, which one answer of a tracker names together: each is one client, and neither
//! address is called encrypted, full or without the torrent.
//!
//! What the clients of Debian 12 do with a second address:
//! * Transmission 3.00 and aria2 1.36 listen there and announce the first one alone, to which they bind what they send by
//!   HTTP. The second one is announced for them. They have one peer id.
//! * libtorrent 2.0.8 listens there and announces both. It draws a peer id for each connection, so that two addresses
//!   may be two clients.
//! * rTorrent 0.9.8 listens at one address.
//!
//! Clients that find themselves in the tracker's list connect to themselves, and libtorrent then refuses the address
//! that this came from: 127.0.0.1, and its own one of IPv6. Runs come from others.

use std::fs::OpenOptions;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask::scratch::make_folder;
use xtask::shell::Result;

use super::bittorrent_tracker::{self, BittorrentTracker};
use super::counts;
use super::dns;
use super::namespace::{self, Namespace};
use super::ports::free_port;
use super::process::Process;
use super::programs::{Place, SEEDS, Seed, libtorrent};
use super::row::Row;
use super::section::Lab;
use super::torrents::{self, Torrent};

/// The name of the section.
pub(super) const NAME: &str = "dual-stack";

/// The tracker's name, which leads to an address of each family.
const HOST: &str = "tracker.test";
const HOST_ADDRESSES: [&str; 2] = ["127.0.0.1", "2001:db8:77::100"];

/// aria2 asks for IPv4 addresses only where the machine has one besides those of loopback.
const ANY_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// How long all clients together may take to be up and announced; it takes some seconds on an idle machine.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// What the leecher has of `torrents::DESERTED`, in bytes: the first of two pieces.
const LEECHED: u64 = 32 * 1024;

/// The leecher's number; those of the seeds are lower.
const LEECHER_NUMBER: u8 = 20;

/// What a client does with a second address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// It does not listen there.
    Unused,
    /// It listens there, by the peer id that it has at the first one.
    Listens,
    /// The same, by another peer id, and it announces both.
    Announces,
}

/// The clients by name.
const CLIENTS: &[(&str, Second)] = &[
    ("transmission", Second::Listens),
    ("aria2", Second::Listens),
    ("rtorrent", Second::Unused),
    ("libtorrent", Second::Announces),
];

/// One that has a part of another torrent. Leechers may get more, so a run stays connected for a while.
const LEECHER: Seed = Seed {
    name: "libtorrent that leeches",
    program: &xtask::optional::LIBTORRENT,
    client: "libtorrent",
    command: |place| libtorrent::command(place, &["--check"]),
};

/// Installs the tracker, and runs everything else in a namespace.
pub(super) fn run(lab: &Lab) -> Result {
    let folder = lab.swarm.scratch.folder(NAME)?;
    if bittorrent_tracker::install(lab.skips, &folder)? { namespace::run(lab, NAME) } else { Ok(()) }
}

/// Starts the tracker and the clients, and asks about them as often as asked for.
pub(super) fn run_inside(namespace: &Namespace) -> Result {
    let begin = Instant::now();
    dns::parsed(&HOST_ADDRESSES[1..]).into_iter().chain([ANY_ADDRESS.into()]).try_for_each(namespace::add_address)?;
    dns::Resolver::start(&[(HOST, &HOST_ADDRESSES)])?;
    let tracker = BittorrentTracker::start_dual_stack(&namespace.folder)?;
    let url = format!("http://{HOST}:{}/announce", tracker.http(false).port());
    let mut swarms = Swarms::start(&namespace.folder, &url)?;
    swarms.wait_until_listed(&tracker, begin + UP_WITHIN)?;
    println!("up in {:.1} s: bittorrent-tracker, {}", begin.elapsed().as_secs_f64(), swarms.names());

    let mut faults = Vec::new();
    for number in 1..=namespace.runs {
        let rows = rows(namespace, &swarms, &tracker, &url)?;
        faults.extend(namespace.prober.judge_in_turn(&format!("run {number} of {}", namespace.runs), &rows).err());
    }
    // A wrong verdict about a client that has died is the client's fault: say so first.
    swarms.check_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Every way to ask, each from addresses that no run had before.
fn rows(namespace: &Namespace, swarms: &Swarms, tracker: &BittorrentTracker, url: &str) -> Result<Vec<Row>> {
    let row = |name: &str, swarm: &Swarm, code| -> Result<Row> {
        let row = Row::new(name, &swarm.torrent, code).anywhere().args(fresh_sources(namespace)?);
        Ok(swarm.players.iter().fold(row, |row, player| player.met(row)))
    };
    let answer =
        |swarm: &Swarm, family: &str| json!({"status": "ok", "family": family, "peers": swarm.tally().endpoints()});
    let by_name = |row: Row, swarm| row.tracker(url).says(answer(swarm, "ipv4")).says(answer(swarm, "ipv6"));

    let seeds = &swarms.seeds;
    let tally = seeds.tally();
    let seeding = |name, code| row(name, seeds, code).map(|row| row.sums_up(tally.of_seeds()));
    // Conditions count a client that may be another one once.
    let (enough, too_many) = (format!("seeds={0},copies={0}", tally.clients), format!("seeds={}", tally.clients + 1));
    let [v4, v6] = [false, true].map(|over_v6| tracker.url("http", over_v6));
    let mut rows = vec![
        seeding("over IPv4", 0)?.tracker(v4).args(["--fail-under", &enough]).says(answer(seeds, "ipv4")),
        seeding("over IPv6", 1)?.tracker(v6).args(["--fail-under", &too_many]).says(answer(seeds, "ipv6")),
        by_name(seeding("by name", 0)?, seeds),
    ];
    if let Some(leechers) = &swarms.leechers {
        let row = row("a leecher", leechers, 0)?.sums_up(leechers.tally().of_leechers());
        rows.push(by_name(row, leechers));
    }
    Ok(rows)
}

/// The option that has a run come from an address of each family that no run had before.
fn fresh_sources(namespace: &Namespace) -> Result<[String; 4]> {
    let IpAddr::V4(v4) = namespace.prober.fresh_source() else { return Err("fresh addresses are of IPv4".to_owned()) };
    let [.., a, b] = v4.to_ipv6_mapped().segments();
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 1, 0, 0, a, b);
    namespace::add_address(v6)?;
    Ok(["--bind".to_owned(), v4.to_string(), "--bind".to_owned(), v6.to_string()])
}

/// Everything that runs.
struct Swarms {
    seeds: Swarm,
    /// `None` without libtorrent.
    leechers: Option<Swarm>,
}

/// The clients that have a torrent.
struct Swarm {
    torrent: Torrent,
    players: Vec<Player>,
}

/// A client at work.
struct Player {
    process: Process,
    name: &'static str,
    /// How it names itself.
    client: &'static str,
    role: &'static str,
    does: Second,
    address: SocketAddr,
    /// The same port at its second address.
    second: SocketAddr,
}

impl Swarms {
    /// Starts all clients that are here.
    fn start(folder: &Path, announce: &str) -> Result<Self> {
        torrents::write_payloads(folder)?;
        let maker = torrents::Maker { folder, announce };
        let mut seeds = Swarm { torrent: maker.mktorrent("seeded", torrents::FILE)?, players: Vec::new() };
        for (seed, number) in SEEDS.iter().filter(|seed| seed.program.is_here()).zip(1..) {
            let player = Player::start(seed, number, "seed", folder, &seeds.torrent)?;
            seeds.players.push(player);
        }
        let mut leechers = None;
        if LEECHER.program.is_here() {
            let torrent = maker.mktorrent("leeched", torrents::DESERTED)?;
            let player = Player::start(&LEECHER, LEECHER_NUMBER, "leech", folder, &torrent)?;
            leechers = Some(Swarm { torrent, players: vec![player] });
        }
        Ok(Self { seeds, leechers })
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Swarm> {
        [&mut self.seeds].into_iter().chain(&mut self.leechers)
    }

    fn names(&self) -> String {
        let players = self.seeds.players.iter().chain(self.leechers.iter().flat_map(|swarm| &swarm.players));
        players.map(|player| player.name).collect::<Vec<_>>().join(", ")
    }

    /// Announces what the clients do not, and waits until the tracker counts every address.
    fn wait_until_listed(&mut self, tracker: &BittorrentTracker, deadline: Instant) -> Result {
        for Swarm { torrent, players } in self.all() {
            let mut addresses = 0;
            for player in players {
                for address in player.addresses() {
                    player.process.wait_until_listening(address, deadline)?;
                    addresses += 1;
                }
                if player.does == Second::Listens {
                    tracker.list_over_v6(&torrent.info_hash, player.second)?;
                }
            }
            counts::wait_until(tracker.http(false), &torrent.info_hash, deadline, |counts| {
                counts.complete + counts.incomplete == addresses
            })?;
        }
        Ok(())
    }

    /// Fails when a client has ended.
    fn check_alive(&mut self) -> Result {
        self.all().flat_map(|swarm| &mut swarm.players).try_for_each(|player| player.process.check_alive())
    }
}

impl Player {
    /// Starts a client with a number of its own, and what it is to have of the torrent.
    fn start(seed: &Seed, number: u8, role: &'static str, folder: &Path, torrent: &Torrent) -> Result<Self> {
        let does = CLIENTS.iter().find(|(name, _)| seed.name == *name).map_or(Second::Announces, |(_, does)| *does);
        let (folder, port) = (folder.join(seed.name), free_port()?);
        let (ip, second) =
            (Ipv4Addr::new(127, 0, 10, number), Ipv6Addr::new(0x2001, 0xdb8, 0x77, 0, 0, 0, 0, number.into()));
        namespace::add_address(second)?;
        let data = folder.join("data");
        make_folder(&data)?;
        torrents::write_payloads(&data)?;
        if role == "leech" {
            shorten(&data.join(torrents::DESERTED), LEECHED)?;
        }
        let torrents = [torrent.file.as_path()];
        let place =
            Place { second: Some(second), ..Place::new(&folder, &data, SocketAddr::from((ip, port)), &torrents) };
        Ok(Self {
            process: Process::start(seed.name, &(seed.command)(&place)?, &folder)?,
            name: seed.name,
            client: seed.client,
            role,
            does,
            address: place.address,
            second: SocketAddr::from((second, port)),
        })
    }

    /// Where it listens.
    fn addresses(&self) -> Vec<SocketAddr> {
        let second = (self.does != Second::Unused).then_some(self.second);
        [self.address].into_iter().chain(second).collect()
    }

    /// The row, which must tell of this client at each address; which of the two comes first is not known.
    fn met(&self, row: Row) -> Row {
        let line = |first: Option<SocketAddr>| {
            let first = first.map(|address| address.to_string());
            let (same, maybe) = if self.does == Second::Announces { (None, first) } else { (first, None) };
            json!({
                "outcome": "ok", "stage": "done", "attempts": [{"encryption": "none", "outcome": "ok"}], "error": null,
                "hint": null, "role": self.role, "client": self.client, "same_as": same, "maybe_same_as": maybe,
            })
        };
        let addresses = self.addresses();
        addresses.iter().fold(row, |row, address| {
            let other = addresses.iter().find(|other| *other != address);
            row.finds_one_of(address, [None, other.copied()].map(line).into())
        })
    }
}

/// How often clients are to be counted.
#[derive(Clone, Copy)]
struct Tally {
    clients: u32,
    /// Of these, those with a second address that is known to be theirs.
    repeated: u32,
    /// And those with one that may be another client's.
    maybe_repeated: u32,
}

impl Swarm {
    fn tally(&self) -> Tally {
        let count = |does: Option<Second>| {
            let count = self.players.iter().filter(|player| does.is_none_or(|does| player.does == does)).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        Tally {
            clients: count(None),
            repeated: count(Some(Second::Listens)),
            maybe_repeated: count(Some(Second::Announces)),
        }
    }
}

impl Tally {
    fn endpoints(self) -> u32 {
        self.clients + self.repeated + self.maybe_repeated
    }

    /// The summary of a run on clients that have everything.
    fn of_seeds(self) -> Value {
        let Self { clients, repeated, maybe_repeated } = self;
        let (endpoints, most) = (self.endpoints(), clients + maybe_repeated);
        json!({
            "peers": endpoints, "ok": endpoints, "repeated": repeated, "maybe_repeated": maybe_repeated,
            "roles": {"seed": clients}, "copies_min": f64::from(clients), "copies_max": f64::from(most), "missing_pieces": 0,
            "claimed_seeds": endpoints, "verified_seeds": clients, "verified_seeds_max": most, "unseen_seeds": null,
            "coverage": {"named": endpoints, "reached": endpoints, "with_piece_info": endpoints}, "verdict": "healthy",
        })
    }

    /// The summary of a run on clients that have one of two pieces, the same one, whose copies are none of the torrent.
    fn of_leechers(self) -> Value {
        let Self { clients, repeated, maybe_repeated } = self;
        let endpoints = self.endpoints();
        json!({
            "peers": endpoints, "ok": endpoints, "repeated": repeated, "maybe_repeated": maybe_repeated,
            "roles": {"leech": clients}, "copies_min": 0.5, "copies_max": 0.5, "missing_piece_ranges": [[1, 1]],
            "claimed_seeds": 0, "verified_seeds": 0, "verified_seeds_max": 0, "unseen_seeds": null,
            "coverage": {"named": endpoints, "reached": endpoints, "with_piece_info": endpoints}, "verdict": "incomplete",
        })
    }
}

/// Takes away the end of a file.
fn shorten(file: &Path, to: u64) -> Result {
    let shortened = OpenOptions::new().write(true).open(file).and_then(|open| open.set_len(to));
    shortened.map_err(|error| format!("cannot shorten {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_what_each_client_does() {
        let (known, all): (Vec<_>, Vec<_>) =
            (CLIENTS.iter().map(|(name, _)| *name).collect(), SEEDS.iter().map(|seed| seed.name).collect());
        assert_eq!(known, all);
    }
}
