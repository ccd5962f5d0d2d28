//! What a visit over uTP leaves at a client: what it counts and what it sends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use fake_swarm::{RESERVED, handshake};
use xtask::shell::{self, Result};

use crate::integration::counts;
use crate::integration::matrix::swarms::Player;
use crate::integration::wire::Packet;

/// The first byte of a packet of uTP that asks for a connection.
pub(super) const SYN: u8 = 0x41;

/// How long a client may take to answer what it is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How many connections the client counts, if it says so.
pub(super) fn connections(player: &mut Player, pages: u16, info_hash: &str) -> Result<Option<usize>> {
    match player.client.seed.client {
        "libtorrent" | "WebTorrent" => {
            let said = player.process.ask(Instant::now() + ANSWER_WITHIN)?;
            said.trim().parse().map(Some).map_err(|_| format!("no number of connections: {said}"))
        }
        "Transmission" => {
            let mut list = Command::new("transmission-remote");
            list.arg(format!("127.0.0.1:{}", pages)).args(["--torrent", "all", "--info-peers"]);
            // Each peer begins a line, and titles are above.
            Ok(Some(shell::output(&mut list)?.lines().filter(|line| line.starts_with("127.")).count()))
        }
        "qBittorrent" => {
            let target = format!("/api/v2/sync/torrentPeers?hash={info_hash}");
            let reply = counts::get(SocketAddr::from((Ipv4Addr::LOCALHOST, pages)), &target);
            let list = String::from_utf8_lossy(&reply.map_err(|error| error.to_string())?).into_owned();
            let is_list = list.contains(r#""full_update":true"#);
            if is_list { Ok(Some(list.matches(r#""ip":"#).count())) } else { Err(format!("no list of peers: {list}")) }
        }
        // Deluge has no client without a desktop's packages.
        _ => Ok(None),
    }
}

/// The last packets of a conversation: when, from where, and their head.
pub(super) fn ending(packets: &[Packet], (member, visitor): (SocketAddr, SocketAddr)) -> String {
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
pub(super) fn visit(from: IpAddr, at: SocketAddr, info_hash: &[u8; 20]) -> io::Result<()> {
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
