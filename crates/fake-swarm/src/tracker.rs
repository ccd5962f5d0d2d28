//! An HTTP tracker (BEP 3) on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::error::Error;
use crate::http::{self, State};
use crate::request::Request;
use crate::script::TrackerScript;
use crate::server::{self, Server};

/// How long a connection may last: longer than any deadline of the code under test, so that its own deadlines are seen.
const PATIENCE: Duration = Duration::from_secs(120);

/// A tracker that answers every request, whatever its path, by its [`TrackerScript`], and remembers what it was asked.
///
/// One connection serves one request, unless the script is [`TrackerScript::KeepAlive`]. Dropping the tracker closes everything.
#[derive(Debug)]
pub struct FakeTracker {
    addr: SocketAddr,
    state: Arc<State>,
    connections: Arc<AtomicUsize>,
    _server: Server,
}

impl FakeTracker {
    /// Starts a tracker on 127.0.0.1 and a port of the kernel's choice, on the current runtime.
    ///
    /// # Errors
    /// As [`start_on`](Self::start_on).
    pub fn start(script: TrackerScript) -> Result<Self, Error> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script)
    }

    /// Starts a tracker on this loopback address, of IPv4 or IPv6; port 0 leaves the choice to the kernel.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for any other address, [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if
    /// the system refuses a socket.
    pub fn start_on(addr: SocketAddr, script: TrackerScript) -> Result<Self, Error> {
        Ok(Self::serving(server::listen(addr)?, script))
    }

    /// Starts a tracker on this address of the network namespace, for namespaces that have some of the wide world.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if the system refuses a socket.
    pub fn start_in_namespace(addr: SocketAddr, script: TrackerScript) -> Result<Self, Error> {
        Ok(Self::serving(server::listen_in_namespace(addr)?, script))
    }

    fn serving((listener, addr): (TcpListener, SocketAddr), script: TrackerScript) -> Self {
        let state = Arc::new(State::new(script));
        let connections = Arc::new(AtomicUsize::new(0));
        let server = Server::spawn(listener, {
            let (state, connections) = (Arc::clone(&state), Arc::clone(&connections));
            move |stream, remote| {
                connections.fetch_add(1, Ordering::Relaxed);
                serve(Arc::clone(&state), stream, remote)
            }
        });
        Self { addr, state, connections, _server: server }
    }

    /// Where the tracker listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL to announce to: `http://127.0.0.1:PORT/announce`.
    #[must_use]
    pub fn announce_url(&self) -> String {
        format!("http://{}/announce", self.addr)
    }

    /// Answers by another script from the next connection on.
    pub fn set_script(&self, script: TrackerScript) {
        self.state.set_script(script);
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The requests so far, in the order their heads were complete; the first 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.questions()
    }

    /// Waits until a request satisfies the predicate, one that has come already or one to come; `false` if none did
    /// before the timeout.
    pub async fn wait_for(&self, wanted: impl FnMut(&Request) -> bool, timeout: Duration) -> bool {
        self.state.wait_for(wanted, timeout).await
    }
}

async fn serve(state: Arc<State>, stream: TcpStream, remote: SocketAddr) {
    let script = state.script();
    // The end of a connection is judged by the client under test, not here.
    let _ = tokio::time::timeout(PATIENCE, http::serve(stream, remote, &state, &script)).await;
}

#[cfg(test)]
mod tests;
