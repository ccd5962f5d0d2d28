//! The listening socket and the accept loop that all fakes over TCP share.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};

use crate::error::Error;

/// How long to wait after a failed accept: most likely no descriptor is free, and trying at once would only spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

/// How often the other tasks run between the accept of a connection and its beginning: one that the other side closed before it
/// made this one has then ended, and no count of what is open has both.
const TURNS_OF_OTHERS: usize = 3;

/// A socket that listens on this loopback address, of IPv4 or IPv6, and its address; port 0 leaves the choice to the kernel.
pub(crate) fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    if addr.ip().is_loopback() { listen_in_namespace(addr) } else { Err(Error::NotLoopback(addr)) }
}

/// The same on any address of this network namespace.
pub(crate) fn listen_in_namespace(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    // A socket cannot be given to a runtime that is not there; tokio would panic.
    Handle::try_current().map_err(|_| Error::NoRuntime)?;
    let failed = |source| Error::Listen { addr, source };
    let listener = std::net::TcpListener::bind(addr).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// A listening socket and a task for each of its connections. Dropping it stops all of them.
#[derive(Debug)]
pub(crate) struct Server {
    listener: Arc<TcpListener>,
    /// Holds the accept loop, which holds the connections.
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves the listener's connections on the current runtime.
    pub(crate) fn spawn<S, F>(listener: TcpListener, serve: S) -> Self
    where
        S: Fn(TcpStream, SocketAddr) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = Arc::new(listener);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept_all(Arc::clone(&listener), serve));
        Self { listener, _tasks: tasks }
    }
}

impl Drop for Server {
    /// An aborted task lets go of its sockets only when the runtime next runs it; this closes the port at once.
    fn drop(&mut self) {
        // It fails only where there is nothing left to close.
        let _ = SockRef::from(&*self.listener).shutdown(std::net::Shutdown::Both);
    }
}

pub(crate) async fn let_others_run() {
    for _ in 0..TURNS_OF_OTHERS {
        yield_now().await;
    }
}

async fn accept_all<S, F>(listener: Arc<TcpListener>, serve: S)
where
    S: Fn(TcpStream, SocketAddr) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => {
                    let_others_run().await;
                    connections.spawn(serve(stream, remote));
                }
                Err(_) => tokio::time::sleep(PAUSE_AFTER_ERROR).await,
            },
            // Finished connections are let go as they finish.
            Some(_) = connections.join_next() => {}
        }
    }
}
