//! Who plays inside a namespace: trackers at any address, a peer that answers, and victims that only count.
//!
//! The scripts of `fake-swarm` decide what is said where they can; it opens sockets on loopback only.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use fake_swarm::{Datagram, HANDSHAKE_LENGTH, RESERVED, Request, UdpScript, handshake};

use crate::shell::Result;

/// How long a connection may stay silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest request head taken.
const HEAD_LIMIT: usize = 64 * 1024;

/// Every connection that was made to one of our listeners, by the address that was dialled.
#[derive(Clone, Default)]
pub(super) struct Dialled(Arc<Mutex<BTreeMap<SocketAddr, u64>>>);

impl Dialled {
    fn count(&self, stream: &TcpStream) {
        if let Ok(address) = stream.local_addr() {
            let address = SocketAddr::new(address.ip().to_canonical(), address.port());
            *self.lock().entry(address).or_default() += 1;
        }
    }

    /// All of them, with how often.
    pub(super) fn all(&self) -> BTreeMap<SocketAddr, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves HTTP on a port of every address until the process ends.
pub(super) fn http(
    port: u16,
    dialled: &Dialled,
    answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
) -> Result {
    listen(everywhere(port), dialled, move |mut stream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
            let mut byte = [0];
            if stream.read(&mut byte)? == 0 {
                return Ok(());
            }
            head.extend(byte);
        }
        let remote = stream.peer_addr()?;
        stream.write_all(&answer(&Request::parse(&head, remote)))
    })
}

/// A reply with this bencoded body.
pub(super) fn ok(body: Vec<u8>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

/// A redirect.
pub(super) fn found(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// Serves UDP on one address until the process ends.
pub(super) fn udp(address: SocketAddr, script: UdpScript) -> Result {
    serve_datagrams(address, move |datagram| script.answers(datagram, 0))
}

/// Answers datagrams at one address until the process ends.
pub(super) fn serve_datagrams(
    address: SocketAddr,
    answers: impl Fn(&Datagram) -> Vec<Vec<u8>> + Send + 'static,
) -> Result {
    let socket = UdpSocket::bind(address).map_err(|error| format!("cannot serve UDP at {address}: {error}"))?;
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, remote)) = socket.recv_from(&mut buffer) {
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            for answer in answers(&Datagram { bytes, remote }) {
                // Whoever asked may be gone.
                let _ = socket.send_to(&answer, remote);
            }
        }
    });
    Ok(())
}

/// A peer which answers any handshake with the same info-hash.
pub(super) fn peer(address: SocketAddr, dialled: &Dialled) -> Result {
    listen(address, dialled, |mut stream| {
        let mut theirs = [0; HANDSHAKE_LENGTH];
        stream.read_exact(&mut theirs)?;
        let info_hash = theirs.get(28..48).and_then(|hash| hash.try_into().ok()).unwrap_or([0; 20]);
        stream.write_all(&handshake(RESERVED, &info_hash, b"-qB4520-abcdefghijkl"))?;
        // Until the other side closes.
        std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
    })
}

/// A service on a port of every address that must not be dialled: it is only counted who does.
pub(super) fn victim(port: u16, dialled: &Dialled) -> Result {
    listen(everywhere(port), dialled, |_| Ok(()))
}

/// A port of every address of both families.
pub(super) fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
}

/// Listens until the process ends; each connection is counted first, and served while others wait for nothing.
fn listen(
    address: SocketAddr,
    dialled: &Dialled,
    serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> Result {
    let listener = TcpListener::bind(address).map_err(|error| format!("cannot listen at {address}: {error}"))?;
    let (dialled, serve) = (dialled.clone(), Arc::new(serve));
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            dialled.count(&stream);
            let serve = Arc::clone(&serve);
            thread::spawn(move || {
                // How a connection ends is the other side's affair.
                let _ = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| serve(stream));
            });
        }
    });
    Ok(())
}
