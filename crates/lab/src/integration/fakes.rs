//! Who plays inside a namespace: trackers at any address, a peer that answers, and victims that only count.
//!
//! The scripts of `fake-swarm` decide what is said where they can; it opens sockets on loopback only.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fake_swarm::bencoding::{dictionary, integer, string};
use fake_swarm::{Datagram, HANDSHAKE_LENGTH, RESERVED, Request, UdpScript, handshake};
use xtask::shell::Result;

/// How long a connection may stay silent: longer than any deadline of the binary.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest request head taken.
const HEAD_LIMIT: usize = 64 * 1024;

/// Every connection that was made to one of our listeners, when, and to which address.
#[derive(Clone, Default)]
pub(super) struct Dialled(Arc<Mutex<Vec<(Instant, SocketAddr)>>>);

impl Dialled {
    fn count(&self, stream: &TcpStream) {
        let now = Instant::now();
        if let Ok(address) = stream.local_addr() {
            self.lock().push((now, SocketAddr::new(address.ip().to_canonical(), address.port())));
        }
    }

    /// All addresses, with how often.
    pub(super) fn all(&self) -> BTreeMap<SocketAddr, u64> {
        let mut all = BTreeMap::new();
        for (_, address) in &*self.lock() {
            *all.entry(*address).or_default() += 1;
        }
        all
    }

    /// The most connections that came within such a time.
    pub(super) fn most_within(&self, time: Duration) -> usize {
        let mut times: Vec<Instant> = self.lock().iter().map(|(at, _)| *at).collect();
        times.sort_unstable();
        let since = |last: usize| {
            let last_at = times.get(last).copied()?;
            Some(last + 1 - times.partition_point(|at| *at + time < last_at))
        };
        (0..times.len()).filter_map(since).max().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, SocketAddr)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves HTTP on a port of every address until the process ends; the port is the kernel's choice for 0.
pub(super) fn http(
    port: u16,
    dialled: &Dialled,
    answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
) -> Result<u16> {
    listen(everywhere(port), dialled, move |mut stream| {
        let Some(head) = head(&mut stream)? else { return Ok(()) };
        let remote = stream.peer_addr()?;
        stream.write_all(&answer(&Request::parse(&head, remote)))
    })
}

/// A request's head; `None` when the other side closes instead.
pub(super) fn head(stream: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.extend(byte);
    }
    Ok(Some(head))
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

/// A tracker's answer with both compact lists.
pub(super) fn compact(peers: impl Iterator<Item = SocketAddr>) -> Vec<u8> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for peer in peers {
        match peer.ip() {
            IpAddr::V4(ip) => v4.extend(ip.octets().into_iter().chain(peer.port().to_be_bytes())),
            IpAddr::V6(ip) => v6.extend(ip.octets().into_iter().chain(peer.port().to_be_bytes())),
        }
    }
    dictionary([("interval", integer(60)), ("peers", string(v4)), ("peers6", string(v6))])
}

/// A web server's answer about a file of zeros: its last 1,024 bytes.
pub(super) fn end_of_file(length: u64) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: 1024\r\n\
         Content-Range: bytes {}-{}/{length}\r\n\r\n",
        length - 1024,
        length - 1
    );
    [head.into_bytes(), vec![0; 1024]].concat()
}

/// Serves UDP on one address until the process ends.
pub(super) fn udp(address: SocketAddr, script: UdpScript) -> Result {
    serve_datagrams(address, move |datagram| script.answers(datagram, 0))
}

/// Answers datagrams at one address until the process ends.
pub(super) fn serve_datagrams(
    address: SocketAddr,
    mut answers: impl FnMut(&Datagram) -> Vec<Vec<u8>> + Send + 'static,
) -> Result {
    let socket = UdpSocket::bind(address).map_err(|error| format!("cannot serve UDP at {address}: {error}"))?;
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, remote)) = socket.recv_from(&mut buffer) {
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            for answer in answers(&Datagram { bytes, remote }) {
                // The client may be gone.
                let _ = socket.send_to(&answer, remote);
            }
        }
    });
    Ok(())
}

/// A peer which answers any handshake with the same info-hash; its port.
pub(super) fn peer(address: SocketAddr, dialled: &Dialled) -> Result<u16> {
    talking_peer(address, Vec::new(), dialled)
}

/// The same, which sends this after its handshake.
pub(super) fn talking_peer(address: SocketAddr, says: Vec<u8>, dialled: &Dialled) -> Result<u16> {
    listen(address, dialled, move |mut stream| {
        shake_hands(&mut stream, Duration::ZERO)?;
        stream.write_all(&says)?;
        // Until the other side closes.
        std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
    })
}

/// The same, but it answers later and closes then.
pub(super) fn late_peer(address: SocketAddr, pause: Duration, dialled: &Dialled) -> Result<u16> {
    listen(address, dialled, move |mut stream| shake_hands(&mut stream, pause))
}

fn shake_hands(stream: &mut TcpStream, pause: Duration) -> std::io::Result<()> {
    let mut theirs = [0; HANDSHAKE_LENGTH];
    stream.read_exact(&mut theirs)?;
    let info_hash = theirs.get(28..48).and_then(|hash| hash.try_into().ok()).unwrap_or([0; 20]);
    thread::sleep(pause);
    stream.write_all(&handshake(RESERVED, &info_hash, b"-qB4520-abcdefghijkl"))
}

/// A peer that accepts connections and sends nothing.
pub(super) fn silent_peer(address: SocketAddr, dialled: &Dialled) -> Result<u16> {
    listen(address, dialled, |mut stream| std::io::copy(&mut stream, &mut std::io::sink()).map(drop))
}

/// A service on a port of every address that must not be dialled: it is only counted who does.
pub(super) fn victim(port: u16, dialled: &Dialled) -> Result {
    listen(everywhere(port), dialled, |_| Ok(())).map(drop)
}

/// A port of every address of both families.
pub(super) fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
}

/// Listens until the process ends; each connection is counted first, and served while others wait for nothing.
pub(super) fn listen(
    address: SocketAddr,
    dialled: &Dialled,
    serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> Result<u16> {
    let failed = |error: std::io::Error| format!("cannot listen at {address}: {error}");
    let listener = TcpListener::bind(address).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
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
    Ok(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_within_a_time_is_counted() {
        let (begin, at) = (Instant::now(), SocketAddr::from(([127, 0, 0, 1], 1)));
        let dialled = Dialled::default();
        assert_eq!(dialled.most_within(Duration::from_secs(1)), 0);
        dialled.lock().extend([0, 900, 1000, 1100, 5000].map(|ms| (begin + Duration::from_millis(ms), at)));
        let most = [0, 100, 1000, 1100, 9000].map(|ms| dialled.most_within(Duration::from_millis(ms)));
        assert_eq!(most, [1, 2, 3, 4, 5]);
        assert_eq!(dialled.all(), [(at, 5)].into());
    }
}
