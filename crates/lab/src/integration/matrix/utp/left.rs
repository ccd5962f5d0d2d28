//! We leave nothing behind: by its own count no client is connected to us after a run, and what it sends us ends within a second.
//! A visitor that goes without a word shows that both would be noticed.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fake_swarm::{RESERVED, handshake};
use xtask::shell::{self, Result};

use super::{Member, World};
use crate::integration::counts;
use crate::integration::matrix::policies::Takes;
use crate::integration::matrix::torrents::Kind;
use crate::integration::torrents::hash_bytes;
use crate::integration::wire::{Packet, Wire};

/// What a client sends to somewhere that has gone ends within this.
const QUIET_AFTER: Duration = Duration::from_secs(1);
/// How long it is listened for. A libtorrent that gets no acknowledgement resends after 0.7 s and 2.2 s, a Transmission after 3 s; one
/// that was left without a word wakes after a minute.
const LISTEN: Duration = Duration::from_millis(3500);
const LISTEN_LONG: Duration = Duration::from_secs(65);

/// The first byte of a packet of uTP that asks for a connection.
const SYN: u8 = 0x41;

/// How long a client may take to answer what it is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Where the visitor comes from that goes without a word.
const VISITOR: Ipv4Addr = Ipv4Addr::new(127, 0, 19, 2);

impl World {
    /// After our last run no client counts us, and none has sent us anything since shortly after we left.
    pub(super) fn nothing_is_left(&mut self, wire: &Wire, long: bool) -> Result<Vec<String>> {
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
    pub(super) fn what_is_left_is_seen(&mut self, wire: &Wire) -> Result<Vec<String>> {
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
            Ok(member.connections(&info_hash)?.map(|count| (name, count)))
        });
        counts.filter_map(Result::transpose).collect()
    }
}

impl Member {
    /// How many connections the client counts, if it says so.
    fn connections(&mut self, info_hash: &str) -> Result<Option<usize>> {
        match self.player.client.seed.client {
            "libtorrent" | "WebTorrent" => {
                let said = self.player.process.ask(Instant::now() + ANSWER_WITHIN)?;
                said.trim().parse().map(Some).map_err(|_| format!("no number of connections: {said}"))
            }
            "Transmission" => {
                let mut list = Command::new("transmission-remote");
                list.arg(format!("127.0.0.1:{}", self.pages)).args(["--torrent", "all", "--info-peers"]);
                // Each peer begins a line, and titles are above.
                Ok(Some(shell::output(&mut list)?.lines().filter(|line| line.starts_with("127.")).count()))
            }
            "qBittorrent" => {
                let target = format!("/api/v2/sync/torrentPeers?hash={info_hash}");
                let reply = counts::get(SocketAddr::from((Ipv4Addr::LOCALHOST, self.pages)), &target);
                let list = String::from_utf8_lossy(&reply.map_err(|error| error.to_string())?).into_owned();
                let is_list = list.contains(r#""full_update":true"#);
                if is_list {
                    Ok(Some(list.matches(r#""ip":"#).count()))
                } else {
                    Err(format!("no list of peers: {list}"))
                }
            }
            // Deluge has no client without a desktop's packages.
            _ => Ok(None),
        }
    }
}

/// The last packets of a conversation: when, from where, and their head.
fn ending(packets: &[Packet], (member, visitor): (SocketAddr, SocketAddr)) -> String {
    const HEAD: usize = 20;
    const LAST: usize = 30;
    let is_theirs = |packet: &&Packet| [(member, visitor), (visitor, member)].contains(&(packet.from, packet.to));
    let all: Vec<&Packet> = packets.iter().filter(|packet| packet.is_datagram()).filter(is_theirs).collect();
    let Some(begin) = all.first().map(|packet| packet.at) else { return String::new() };
    let shown = all.iter().skip(all.len().saturating_sub(LAST)).map(|packet| {
        let head: String = packet.datagram().iter().take(HEAD).map(|byte| format!("{byte:02x}")).collect();
        format!("{:.3} s {packet} {head}", (packet.at - begin).as_secs_f64())
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Shakes hands in the clear over uTP (BEP 29), acknowledges nothing, and is not heard of again.
fn visit(from: IpAddr, at: SocketAddr, info_hash: &[u8; 20]) -> io::Result<()> {
    const DATA: u8 = 0x01;
    const ID: u16 = 4711;
    const WINDOW: u32 = 1 << 20;
    let socket = UdpSocket::bind((from, 0))?;
    socket.connect(at)?;
    socket.set_read_timeout(Some(ANSWER_WITHIN))?;
    let send = |kind: u8, id: u16, number: u16, acknowledges: u16, payload: &[u8]| {
        let id = id.to_be_bytes();
        let numbers = [number.to_be_bytes(), acknowledges.to_be_bytes()].concat();
        socket.send(&[&[kind, 0], &id[..], &[0; 8], &WINDOW.to_be_bytes(), &numbers, payload].concat())
    };
    let mut reply = [0; 1500];
    send(SYN, ID, 1, 0, &[])?;
    socket.recv(&mut reply)?;
    // The number of the first packet that it is going to send.
    let [.., high, low] = reply.first_chunk::<18>().copied().unwrap_or([0; 18]);
    let acknowledged = u16::from_be_bytes([high, low]).wrapping_sub(1);
    send(DATA, ID + 1, 2, acknowledged, &handshake(RESERVED, info_hash, b"-qB4520-withoutaword"))?;
    while reply.first() != Some(&DATA) {
        socket.recv(&mut reply)?;
    }
    Ok(())
}
