//! What our lookups take of CPU time. Their memory is bounded by a test of `dht`.

use crate::Result;
use crate::emulator::{Emulator, Query, written};
use crate::lookup::drive;
use crate::lookup::network::{Network, Torrent};
use crate::lookup::random::Random;
use crate::population::{self, saved, torrents};
use crate::side::Side;
use crate::targets::Targets;
use crate::turn::Turn;
use dht::NodeId;
use dht::krpc::{self, Message, Method};
use dht::lookup::{Family, Lookup, Options, Start};
use guard::AddressPolicy;
use ids::InfoHash;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Lookups without sockets: the state machine and the codec, each datagram written and read.
pub(crate) fn alone(targets: &mut Targets) {
    let network = population::network(0.45);
    let mut random = Random(3);
    let torrents = torrents(&network, 64, &mut random);
    let mut took = 0.0;
    for torrent in &torrents {
        let now = Instant::now();
        let mut lookup = Lookup::new(InfoHash(torrent.target.0), Options::new(Family::V4, NodeId([1; 20])), now);
        for (address, id) in saved(&network, &mut random) {
            lookup.add_contact(Start { address, id, policy: AddressPolicy::User });
        }
        let answers = recorded(&network, torrent, &lookup, now, &mut random);
        let begun = used();
        let _ = drive::run(lookup, now, |to, transaction| {
            let method = Method::GetPeers { info_hash: InfoHash(torrent.target.0), scrape: false };
            drop(krpc::Query { transaction, id: NodeId([1; 20]), method }.encode());
            let (time, datagram) = answers.get(&(to, transaction))?;
            let Ok(Message::Reply(reply)) = Message::parse(datagram) else { return None };
            Some((*time, reply))
        });
        took += used().iter().sum::<f64>() - begun.iter().sum::<f64>();
    }
    let each = took * 1e3 / torrents.len() as f64;
    targets.at_most("state machine and codec: CPU of a lookup", each, 0.4, " ms");
}

type Answers = HashMap<(std::net::SocketAddr, [u8; 4]), (Duration, Vec<u8>)>;

/// The answers of a lookup as datagrams, so that the second run of it has nothing else to do.
fn recorded(network: &Network, torrent: &Torrent, lookup: &Lookup, now: Instant, random: &mut Random) -> Answers {
    let mut answers = HashMap::new();
    let asker = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
    drive::run(lookup.clone(), now, |to, transaction| {
        let (time, reply) = network.answer(to, transaction, torrent, random)?;
        let query = Query::get_peers(transaction.to_vec(), torrent.target);
        answers.insert((to, transaction), (time, written(&query, &reply, asker)));
        Some((time, reply))
    });
    answers
}

/// Lookups over sockets, many at once.
pub(crate) fn with_sockets(network: &Arc<Network>, count: u16, targets: &mut Targets) -> Result {
    let mut random = Random(11);
    let torrents = torrents(network, 32, &mut random);
    let all: Vec<NodeId> = torrents.iter().map(|torrent| torrent.target).collect();
    let _emulator = Emulator::start(network, torrents.into_iter().map(|torrent| (torrent.target, torrent)).collect())?;
    let mut side = Side::of_this_program("ours, many")?;
    for lookup in 0..count {
        let target = all[usize::from(lookup) % all.len()];
        side.begin(&Turn { port: 30_000 + lookup, target, nodes: saved(network, &mut random) })?;
        std::thread::sleep(Duration::from_millis(20));
    }
    let line = side.close()?;
    let used: Vec<f64> = line.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [user, system] = used[..] else { return Err(format!("wrong line: {line}").into()) };
    let each = |seconds: f64| seconds * 1e3 / f64::from(count);
    println!("\nA lookup with its socket: {:.2} ms of user time, {:.2} ms of system time.", each(user), each(system));
    targets.at_most("with a socket: CPU of a lookup, user and system", each(user + system), 2.0, " ms");
    Ok(())
}

/// User and system time of this process, in seconds.
pub(crate) fn used() -> [f64; 2] {
    let used = getrusage(UsageWho::RUSAGE_SELF).expect("this process can be asked about");
    [used.user_time(), used.system_time()].map(|time| time.num_microseconds() as f64 / 1e6)
}
