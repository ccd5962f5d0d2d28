//! A tracker over HTTP: one thread, one request a connection.
//!
//! * `/announce/good/1000` names 1,000 good peers, `/announce/silent/1000` as many silent ones, `/announce/mute/1000` mute ones;
//! * `/announce/as-users`, `/announce/dead`, `/announce/utp-silent` and `/announce/dead-over-both` the mixed swarms.

use crate::Result;
use crate::addresses::{AS_USERS, DEAD_HEAVY, DEAD_OVER_BOTH, Ports, UTP_SILENT, mixed, of_peer};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};

/// Starts the tracker; returns the given ports with its own.
pub(crate) fn start(ports: Ports) -> Result<Ports> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let ports = Ports { tracker: listener.local_addr()?.port(), ..ports };
    // The thread ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that closes early gets no answer.
            let _ = serve(stream, &ports);
        }
    });
    Ok(ports)
}

fn serve(mut stream: TcpStream, ports: &Ports) -> std::io::Result<()> {
    const LONGEST_REQUEST: usize = 4096;
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LONGEST_REQUEST {
        match stream.read(&mut part)? {
            0 => return Ok(()),
            came => request.extend_from_slice(&part[..came]),
        }
    }
    let request = String::from_utf8_lossy(&request);
    let target = request.split(' ').nth(1).unwrap_or_default();
    stream.write_all(&reply(target, ports))
}

fn reply(target: &str, ports: &Ports) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(peers) = path.strip_prefix("/announce/").and_then(|list| peers(list, ports)) else {
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    };
    let peers = if query.split('&').any(|pair| pair == "event=stopped") { Vec::new() } else { peers };
    let mut body = format!("d8:completei{}e8:intervali1800e5:peers{}:", peers.len(), peers.len() * 6).into_bytes();
    for peer in peers {
        body.extend_from_slice(&peer.ip().octets());
        body.extend_from_slice(&peer.port().to_be_bytes());
    }
    body.push(b'e');
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

fn peers(list: &str, ports: &Ports) -> Option<Vec<SocketAddrV4>> {
    let at = |port, count: &str| {
        let count: u32 = count.parse().ok()?;
        Some((0..count).map(|number| SocketAddrV4::new(of_peer(number), port)).collect())
    };
    match list.split_once('/') {
        Some(("good", count)) => at(ports.good, count),
        Some(("silent", count)) => at(ports.silent, count),
        Some(("mute", count)) => at(ports.mute, count),
        Some(_) => None,
        None => match list {
            "as-users" => Some(mixed(&AS_USERS, ports)),
            "dead" => Some(mixed(&DEAD_HEAVY, ports)),
            "utp-silent" => Some(mixed(&UTP_SILENT, ports)),
            "dead-over-both" => Some(mixed(&DEAD_OVER_BOTH, ports)),
            _ => None,
        },
    }
}
