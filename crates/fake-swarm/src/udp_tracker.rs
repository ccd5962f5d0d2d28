//! A UDP tracker (BEP 15) on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::datagram::Datagram;
use crate::error::Error;
use crate::state::State;
use crate::udp_script::UdpScript;

/// The longest datagram taken: more than any that UDP carries.
const DATAGRAM_LIMIT: usize = 65_536;

/// A tracker that answers every datagram by its [`UdpScript`], and remembers what it was asked.
///
/// Dropping it ends it as soon as the runtime turns again.
#[derive(Debug)]
pub struct FakeUdpTracker {
    addr: SocketAddr,
    state: Arc<State<UdpScript, Datagram>>,
    _task: JoinSet<()>,
}

impl FakeUdpTracker {
    /// Starts a tracker on 127.0.0.1 and a port of the kernel's choice, on the current runtime.
    ///
    /// # Errors
    /// As [`start_on`](Self::start_on).
    pub fn start(script: UdpScript) -> Result<Self, Error> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script)
    }

    /// Starts a tracker on this loopback address, of IPv4 or IPv6; port 0 leaves the choice to the kernel.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for any other address, [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if
    /// the system refuses a socket.
    pub fn start_on(addr: SocketAddr, script: UdpScript) -> Result<Self, Error> {
        if !addr.ip().is_loopback() {
            return Err(Error::NotLoopback(addr));
        }
        // A socket cannot be given to a runtime that is not there; tokio would panic.
        Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let failed = |source| Error::Listen { addr, source };
        let socket = std::net::UdpSocket::bind(addr).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let socket = UdpSocket::from_std(socket).map_err(failed)?;
        let addr = socket.local_addr().map_err(failed)?;
        let state = Arc::new(State::new(script));
        let mut task = JoinSet::new();
        task.spawn(serve(Arc::clone(&state), socket));
        Ok(Self { addr, state, _task: task })
    }

    /// Where the tracker listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL to announce to: `udp://127.0.0.1:PORT/announce`.
    #[must_use]
    pub fn announce_url(&self) -> String {
        format!("udp://{}/announce", self.addr)
    }

    /// Answers by another script from the next datagram on.
    pub fn set_script(&self, script: UdpScript) {
        self.state.set_script(script);
    }

    /// The datagrams so far, in the order they came; the first 10,000.
    #[must_use]
    pub fn datagrams(&self) -> Vec<Datagram> {
        self.state.questions()
    }

    /// Waits until a datagram satisfies the predicate, one that has come already or one to come; `false` if none did
    /// before the timeout.
    pub async fn wait_for(&self, wanted: impl FnMut(&Datagram) -> bool, timeout: Duration) -> bool {
        self.state.wait_for(wanted, timeout).await
    }
}

async fn serve(state: Arc<State<UdpScript, Datagram>>, socket: UdpSocket) {
    let mut buffer = vec![0; DATAGRAM_LIMIT];
    let mut before = 0;
    loop {
        // A failed receive reports an ICMP message about an earlier answer; the next may be fine.
        let Ok((length, remote)) = socket.recv_from(&mut buffer).await else { continue };
        let question = Datagram { bytes: buffer.get(..length).unwrap_or_default().to_vec(), remote };
        let script = state.script();
        let answers = script.answers(&question, before);
        before += 1;
        state.record(question);
        let other = match script.replies_from.filter(|from| from.ip().is_loopback()) {
            Some(from) => UdpSocket::bind(from).await.ok(),
            None => None,
        };
        for answer in answers {
            // The client may have closed its socket; that is not an error here.
            let _ = other.as_ref().unwrap_or(&socket).send_to(&answer, remote).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: &[u8; 16] = b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0TTTT";
    const MINUTE: Duration = Duration::from_secs(60);

    async fn client(tracker: &FakeUdpTracker) -> UdpSocket {
        let socket = UdpSocket::bind(SocketAddr::new(tracker.addr().ip(), 0)).await.unwrap();
        socket.connect(tracker.addr()).await.unwrap();
        socket
    }

    async fn received(socket: &UdpSocket) -> Vec<u8> {
        let mut answer = vec![0; 2048];
        let length = tokio::time::timeout(MINUTE, socket.recv(&mut answer)).await.unwrap().unwrap();
        answer.truncate(length);
        answer
    }

    #[tokio::test]
    async fn both_families_connect_and_announce() {
        for addr in ["127.0.0.1:0", "[::1]:0"] {
            let tracker = FakeUdpTracker::start_on(addr.parse().unwrap(), UdpScript::default()).unwrap();
            assert_eq!(tracker.announce_url(), format!("udp://{}/announce", tracker.addr()));
            let socket = client(&tracker).await;
            socket.send(CONNECT).await.unwrap();
            let connected = received(&socket).await;
            assert_eq!(connected.len(), 16);
            let announce = [&connected[8..], b"\0\0\0\x01tttt", &[7; 82]].concat();
            socket.send(&announce).await.unwrap();
            assert_eq!(received(&socket).await, b"\0\0\0\x01tttt\0\0\x07\x08\0\0\0\0\0\0\0\0");
            let datagrams = tracker.datagrams();
            assert_eq!(datagrams.len(), 2);
            assert_eq!(datagrams[1].announce().unwrap().info_hash, [7; 20]);
            assert_eq!(datagrams[1].remote, socket.local_addr().unwrap());
        }
    }

    #[tokio::test]
    async fn the_script_can_change_and_silence_is_recorded() {
        let tracker = FakeUdpTracker::start(UdpScript::silence()).unwrap();
        let socket = client(&tracker).await;
        socket.send(CONNECT).await.unwrap();
        assert!(tracker.wait_for(|datagram| datagram.action() == Some(0), MINUTE).await);
        tracker.set_script(UdpScript { silent_for: 1, ..UdpScript::default() });
        socket.send(CONNECT).await.unwrap();
        assert_eq!(received(&socket).await.len(), 16);
        assert!(!tracker.wait_for(|datagram| datagram.action() == Some(2), Duration::ZERO).await);
    }

    #[tokio::test]
    async fn replies_may_come_from_another_address() {
        let from = SocketAddr::from(([127, 0, 0, 2], 0));
        let script = UdpScript { replies_from: Some(from), ..UdpScript::default() };
        let tracker = FakeUdpTracker::start(script).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(CONNECT, tracker.addr()).await.unwrap();
        let (length, remote) = tokio::time::timeout(MINUTE, socket.recv_from(&mut [0; 99])).await.unwrap().unwrap();
        assert_eq!((length, remote.ip()), (16, from.ip()));
    }

    #[tokio::test]
    async fn only_on_loopback() {
        let everywhere = "0.0.0.0:0".parse().unwrap();
        assert!(matches!(FakeUdpTracker::start_on(everywhere, UdpScript::default()), Err(Error::NotLoopback(_))));
        let tracker = FakeUdpTracker::start(UdpScript::default()).unwrap();
        let taken = FakeUdpTracker::start_on(tracker.addr(), UdpScript::default()).unwrap_err();
        assert!(matches!(taken, Error::Listen { .. }), "{taken}");
    }

    #[test]
    fn a_runtime_is_required() {
        assert!(matches!(FakeUdpTracker::start(UdpScript::default()), Err(Error::NoRuntime)));
    }
}
