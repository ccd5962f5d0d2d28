//! The socket of a peer made by hand.

use std::collections::HashMap;
use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::Socket;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::packet::UtpPacket;
use super::script::{UtpQuestion, UtpScript};
use crate::error::Error;
use crate::sockets::{Reach, bound_over_both, for_runtime, udp};
use crate::state::State;

/// The longest datagram taken: more than any that UDP carries.
const DATAGRAM_LIMIT: usize = 65_536;

/// A peer over uTP that answers every datagram by its [`UtpScript`], and remembers what it was sent.
///
/// Dropping it ends it as soon as the runtime turns again.
#[derive(Debug)]
pub struct FakeUtpPeer {
    addr: SocketAddr,
    socket: Arc<UdpSocket>,
    state: Arc<State<UtpScript, UtpQuestion>>,
    _task: JoinSet<()>,
    /// Bound at the same port and never listening. Without it the port could be that of another test's peers over TCP, which would
    /// answer in place of this one.
    _refusing: Option<Socket>,
}

impl FakeUtpPeer {
    /// Starts a peer at this address of loopback, on a port of the kernel's choice and the current runtime. Connections over TCP are
    /// refused there.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for any other address, [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if the
    /// system refuses a socket.
    pub fn start(ip: impl Into<IpAddr>, script: UtpScript) -> Result<Self, Error> {
        let ip = ip.into();
        may_start(SocketAddr::new(ip, 0))?;
        let (refusing, socket, port) = bound_over_both(ip, Reach::Loopback)?;
        let addr = SocketAddr::new(ip, port);
        let socket = for_runtime(socket).map_err(|source| Error::Listen { addr, source })?;
        Ok(Self::serving(addr, socket, Some(refusing), script))
    }

    /// The same on this port, and what is there over TCP stays as it is.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_on(addr: SocketAddr, script: UtpScript) -> Result<Self, Error> {
        may_start(addr)?;
        let socket = udp(addr)?;
        let addr = socket.local_addr().map_err(|source| Error::Listen { addr, source })?;
        Ok(Self::serving(addr, socket, None, script))
    }

    fn serving(addr: SocketAddr, socket: UdpSocket, refusing: Option<Socket>, script: UtpScript) -> Self {
        let (socket, state) = (Arc::new(socket), Arc::new(State::new(script)));
        let mut task = JoinSet::new();
        task.spawn(serve(Arc::clone(&state), Arc::clone(&socket)));
        Self { addr, socket, state, _task: task, _refusing: refusing }
    }

    /// Where it is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sends a datagram that answers nothing; it is lost where the kernel does not take it at once.
    pub fn send(&self, datagram: &[u8], to: SocketAddr) {
        let _ = self.socket.try_send_to(datagram, to);
    }

    /// The datagrams so far, in the order they came; the first 10,000.
    #[must_use]
    pub fn questions(&self) -> Vec<UtpQuestion> {
        self.state.questions()
    }

    /// The types of the packets so far.
    #[must_use]
    pub fn kinds(&self) -> Vec<Option<u8>> {
        let kind = |question: UtpQuestion| question.packet.map(|packet| packet.kind);
        self.questions().into_iter().map(kind).collect()
    }

    /// Waits until a datagram satisfies the predicate, one that has come already or one to come; `false` if none did
    /// before the timeout.
    pub async fn wait_for(&self, wanted: impl FnMut(&UtpQuestion) -> bool, timeout: Duration) -> bool {
        self.state.wait_for(wanted, timeout).await
    }
}

/// On loopback, and on a runtime.
fn may_start(addr: SocketAddr) -> Result<(), Error> {
    if !addr.ip().is_loopback() {
        return Err(Error::NotLoopback(addr));
    }
    Handle::try_current().map_err(|_| Error::NoRuntime)?;
    Ok(())
}

async fn serve(state: Arc<State<UtpScript, UtpQuestion>>, socket: Arc<UdpSocket>) {
    let mut buffer = vec![0; DATAGRAM_LIMIT];
    // The datagrams from each address, and the number of its last SYN.
    let mut known: HashMap<SocketAddr, (usize, u16)> = HashMap::new();
    let (mut last, mut due) = ((Vec::new(), None), None);
    loop {
        let again = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            // A failed receive reports an ICMP message about an earlier answer; the next may be fine.
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, remote)) = received else { continue };
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                let packet = UtpPacket::parse(&bytes);
                let (before, syn) = known.entry(remote).or_default();
                if let Some(packet) = packet.as_ref().filter(|packet| packet.kind == UtpPacket::SYN) {
                    *syn = packet.seq;
                }
                let question =
                    UtpQuestion { bytes, packet, remote, at: Instant::now().into_std(), before: *before, syn: *syn };
                *before += 1;
                let answers = state.script().answers(&question);
                state.record(question);
                if !answers.is_empty() {
                    last = (answers, Some(remote));
                }
            }
            () = again => {}
        }
        let (answers, Some(remote)) = &last else { continue };
        for answer in answers {
            // The client may have closed its socket; that is not an error here.
            let _ = socket.send_to(answer, *remote).await;
        }
        due = state.script().pause().map(|pause| Instant::now() + pause);
        if due.is_none() {
            last.1 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use tokio::net::{TcpListener, TcpStream};

    const MINUTE: Duration = Duration::from_secs(60);

    async fn asked(socket: &UdpSocket, packet: &UtpPacket) {
        socket.send(&packet.to_bytes()).await.unwrap();
    }

    async fn received(socket: &UdpSocket) -> UtpPacket {
        let mut answer = [0; 2048];
        let length = tokio::time::timeout(MINUTE, socket.recv(&mut answer)).await.unwrap().unwrap();
        UtpPacket::parse(&answer[..length]).unwrap()
    }

    #[tokio::test]
    async fn a_correct_peer_and_one_that_repeats_itself() {
        for (ip, pause) in [("127.0.0.1", None), ("::1", Some(Duration::from_millis(1)))] {
            let script = UtpScript::saying(*b"hello");
            let script = pause.map_or(script.clone(), |pause| script.again(pause));
            let peer = FakeUtpPeer::start(ip.parse::<IpAddr>().unwrap(), script).unwrap();
            assert_eq!(TcpStream::connect(peer.addr()).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            assert!(TcpListener::bind(peer.addr()).await.is_err());
            let socket = UdpSocket::bind((peer.addr().ip(), 0)).await.unwrap();
            socket.connect(peer.addr()).await.unwrap();
            let syn = UtpPacket { kind: UtpPacket::SYN, version: 1, id: 7, seq: 40, ..UtpPacket::default() };
            asked(&socket, &syn).await;
            let state = received(&socket).await;
            assert_eq!((state.kind, state.id, state.ack), (UtpPacket::STATE, 7, 40));
            let ack = state.seq.wrapping_sub(1);
            if pause.is_some() {
                assert_eq!(received(&socket).await, state);
                continue;
            }
            asked(&socket, &UtpPacket { kind: UtpPacket::DATA, id: 8, seq: 41, ack, ..syn.clone() }).await;
            assert_eq!((received(&socket).await.kind, state.ack), (UtpPacket::STATE, 40));
            let data = received(&socket).await;
            assert_eq!((data.kind, data.seq, data.payload.as_slice()), (UtpPacket::DATA, state.seq, &b"hello"[..]));
            asked(&socket, &UtpPacket { kind: UtpPacket::FIN, id: 8, seq: 42, ack: data.seq, ..syn }).await;
            let (state, fin) = (received(&socket).await, received(&socket).await);
            assert_eq!((state.ack, fin.kind, fin.seq), (42, UtpPacket::FIN, data.seq.wrapping_add(1)));
            assert_eq!(peer.kinds(), [Some(UtpPacket::SYN), Some(UtpPacket::DATA), Some(UtpPacket::FIN)]);
        }
    }

    #[tokio::test]
    async fn answers_are_edited() {
        let script = UtpScript::default().from_then_on(1, UtpPacket::RESET).each(|packet| packet.id ^= 1);
        let script = script.edited(|question, reply| reply.before.push(question.bytes.clone()));
        let peer = FakeUtpPeer::start([127, 0, 0, 1], script).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(peer.addr()).await.unwrap();
        let syn = UtpPacket { kind: UtpPacket::SYN, version: 1, id: 8, seq: 1, ..UtpPacket::default() };
        for kind in [UtpPacket::STATE, UtpPacket::RESET] {
            asked(&socket, &syn).await;
            assert_eq!(received(&socket).await, syn);
            let answer = received(&socket).await;
            assert_eq!((answer.kind, answer.id), (kind, 9));
        }
        peer.send(b"unasked", socket.local_addr().unwrap());
        assert_eq!(socket.recv(&mut [0; 9]).await.unwrap(), 7);
        assert!(matches!(FakeUtpPeer::start([192, 0, 2, 1], UtpScript::default()), Err(Error::NotLoopback(_))));
    }
}
