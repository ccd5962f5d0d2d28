//! A node of the DHT on this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sha1::{Digest, Sha1};
use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::query::DhtQuery;
use super::script::{KnownNode, NodeReply, NodeScript};
use crate::error::Error;
use crate::state::State;

/// The longest datagram taken: more than any that UDP carries.
const DATAGRAM_LIMIT: usize = 65_536;

/// A node that answers every query by its [`NodeScript`], and remembers what it was asked.
///
/// Dropping it ends it as soon as the runtime turns again.
#[derive(Debug)]
pub struct FakeNode {
    id: [u8; 20],
    addr: SocketAddr,
    socket: Arc<UdpSocket>,
    state: Arc<State<NodeScript, DhtQuery>>,
    _task: JoinSet<()>,
}

/// The id of the `number`-th fake node: they are spread over all ids, and the same each time.
#[must_use]
pub fn node_id(number: usize) -> [u8; 20] {
    Sha1::digest(format!("fake node {number}")).into()
}

/// The address of the `number`-th fake node, each in a /24 of its own: a lookup may count nodes by network.
#[must_use]
pub fn node_ip(number: u16) -> Ipv4Addr {
    let [high, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 64 + (high & 0x3f), low, 7)
}

impl FakeNode {
    /// Starts a node with this id at an IP address of this machine, on a port of the kernel's choice and the current runtime. Any
    /// address will do, for network namespaces that have some of the wide world.
    ///
    /// # Errors
    /// As [`start_on`](Self::start_on).
    pub fn start(ip: impl Into<IpAddr>, id: [u8; 20], script: NodeScript) -> Result<Self, Error> {
        Self::start_on(SocketAddr::new(ip.into(), 0), id, script)
    }

    /// The same on this port.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for the unspecified address, [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if the
    /// system refuses a socket.
    pub fn start_on(addr: SocketAddr, id: [u8; 20], script: NodeScript) -> Result<Self, Error> {
        if addr.ip().is_unspecified() {
            return Err(Error::NotLoopback(addr));
        }
        // A socket cannot be given to a runtime that is not there; tokio would panic.
        Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let failed = |source| Error::Listen { addr, source };
        let socket = std::net::UdpSocket::bind(addr).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let socket = Arc::new(UdpSocket::from_std(socket).map_err(failed)?);
        let addr = socket.local_addr().map_err(failed)?;
        let state = Arc::new(State::new(script));
        let mut task = JoinSet::new();
        task.spawn(serve(id, Arc::clone(&state), Arc::clone(&socket)));
        Ok(Self { id, addr, socket, state, _task: task })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> [u8; 20] {
        self.id
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// As others name it.
    #[must_use]
    pub fn known(&self) -> KnownNode {
        (self.id, self.addr)
    }

    /// Answers by another script from the next query on.
    pub fn set_script(&self, script: NodeScript) {
        self.state.set_script(script);
    }

    /// Answers by what this makes of its script from the next query on.
    pub fn change(&self, change: impl FnOnce(NodeScript) -> NodeScript) {
        self.set_script(change(NodeScript::clone(&self.state.script())));
    }

    /// Sends a datagram that answers nothing; it is lost where the kernel does not take it at once.
    pub fn send(&self, datagram: &[u8], to: SocketAddr) {
        let _ = self.socket.try_send_to(datagram, to);
    }

    /// The datagrams so far, in the order they came; the first 10,000.
    #[must_use]
    pub fn queries(&self) -> Vec<DhtQuery> {
        self.state.questions()
    }

    /// Waits until a datagram satisfies the predicate, one that has come already or one to come; `false` if none did
    /// before the timeout.
    pub async fn wait_for(&self, wanted: impl FnMut(&DhtQuery) -> bool, timeout: Duration) -> bool {
        self.state.wait_for(wanted, timeout).await
    }
}

async fn serve(id: [u8; 20], state: Arc<State<NodeScript, DhtQuery>>, socket: Arc<UdpSocket>) {
    let mut buffer = vec![0; DATAGRAM_LIMIT];
    let mut held = JoinSet::new();
    let mut before = 0;
    loop {
        // A failed receive reports an ICMP message about an earlier answer; the next may be fine.
        let Ok((length, remote)) = socket.recv_from(&mut buffer).await else { continue };
        let query = DhtQuery::parse(buffer.get(..length).unwrap_or_default(), remote, before);
        before += 1;
        let script = state.script();
        let reply = script.reply(id, &query);
        state.record(query);
        let Some(gate) = script.gate().cloned() else {
            send(&socket, reply, remote).await;
            continue;
        };
        let socket = Arc::clone(&socket);
        held.spawn(async move {
            gate.opened().await;
            send(&socket, reply, remote).await;
        });
        while held.try_join_next().is_some() {}
    }
}

async fn send(socket: &UdpSocket, reply: NodeReply, to: SocketAddr) {
    let other = match reply.from {
        Some(from) => UdpSocket::bind(from).await.ok(),
        None => None,
    };
    for datagram in reply.datagrams() {
        // The client may have closed its socket; that is not an error here.
        let _ = other.as_ref().unwrap_or(socket).send_to(&datagram, to).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Gate;

    const MINUTE: Duration = Duration::from_secs(60);
    const PING: &[u8] = b"d1:ad2:id20:iiiiiiiiiiiiiiiiiiiie1:q4:ping1:t4:tttt1:y1:qe";

    async fn asked(node: &FakeNode) -> UdpSocket {
        let socket = UdpSocket::bind(SocketAddr::new(node.addr().ip(), 0)).await.unwrap();
        socket.send_to(PING, node.addr()).await.unwrap();
        socket
    }

    async fn received(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
        let mut answer = vec![0; DATAGRAM_LIMIT];
        let (length, from) = tokio::time::timeout(MINUTE, socket.recv_from(&mut answer)).await.unwrap().unwrap();
        (answer[..length].to_vec(), from)
    }

    #[tokio::test]
    async fn both_families_answer_and_are_recorded() {
        for ip in [IpAddr::from(node_ip(300)), "::1".parse().unwrap()] {
            let node = FakeNode::start(ip, node_id(1), NodeScript::default()).unwrap();
            let socket = asked(&node).await;
            let (answer, from) = received(&socket).await;
            assert!(answer.ends_with(b"1:t4:tttt1:y1:re"), "{}", answer.escape_ascii());
            assert_eq!((from, node.known()), (node.addr(), (node_id(1), from)));
            let [query] = node.queries().try_into().unwrap();
            assert_eq!((query.method.as_str(), query.remote), ("ping", socket.local_addr().unwrap()));
        }
    }

    #[tokio::test]
    async fn a_script_can_change_hold_back_and_come_from_elsewhere() {
        let gate = Gate::default();
        let node = FakeNode::start(node_ip(0), node_id(0), NodeScript::default().held_by(&gate)).unwrap();
        let socket = asked(&node).await;
        assert!(node.wait_for(|query| query.method == "ping", MINUTE).await);
        assert!(socket.try_recv(&mut [0; 9]).is_err());
        gate.open();
        received(&socket).await;
        node.change(|script| script.from((node_ip(1), 0)).version(b"LT"));
        let socket = asked(&node).await;
        let (answer, from) = received(&socket).await;
        assert_eq!(from.ip(), node_ip(1));
        assert!(answer.ends_with(b"1:v2:LT1:y1:re"));
        node.set_script(NodeScript::default().silent());
        let socket = asked(&node).await;
        assert!(node.wait_for(|query| query.before == 2, MINUTE).await);
        node.send(b"unasked", socket.local_addr().unwrap());
        assert_eq!(received(&socket).await.0, b"unasked");
    }

    #[tokio::test]
    async fn not_everywhere() {
        let start = |addr: &str| FakeNode::start_on(addr.parse().unwrap(), [0; 20], NodeScript::default());
        assert!(matches!(start("0.0.0.0:0"), Err(Error::NotLoopback(_))));
        // Documentation addresses are no machine's.
        assert!(matches!(start("192.0.2.1:0"), Err(Error::Listen { .. })));
    }
}
