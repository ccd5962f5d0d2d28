//! The tracker: a thread and one request a connection. It names all peers each time, of both families.

use crate::Result;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// Where it is.
pub(crate) const ADDRESS: (Ipv4Addr, u16) = (Ipv4Addr::new(11, 0, 0, 1), 6_969);

/// Starts the tracker in this thread's namespace. It ends with the process.
pub(crate) fn start(peers: &[SocketAddr]) -> Result {
    let listener = TcpListener::bind(ADDRESS)?;
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for peer in peers {
        match peer.ip() {
            IpAddr::V4(ip) => v4.extend(ip.octets().into_iter().chain(peer.port().to_be_bytes())),
            IpAddr::V6(ip) => v6.extend(ip.octets().into_iter().chain(peer.port().to_be_bytes())),
        }
    }
    let mut body = format!("d8:intervali1800e5:peers{}:", v4.len()).into_bytes();
    body.extend_from_slice(&v4);
    if !v6.is_empty() {
        body.extend_from_slice(format!("6:peers6{}:", v6.len()).as_bytes());
        body.extend_from_slice(&v6);
    }
    body.push(b'e');
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let answer: Arc<[u8]> = [head.into_bytes(), body].concat().into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that closes early gets no answer.
            std::thread::spawn(move || serve(stream, &answer));
        }
    });
    Ok(())
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    const LONGEST_REQUEST: usize = 4_096;
    let mut request = Vec::new();
    let mut part = [0; 1_024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < LONGEST_REQUEST {
        match stream.read(&mut part)? {
            0 => return Ok(()),
            came => request.extend_from_slice(&part[..came]),
        }
    }
    stream.write_all(answer)
}
