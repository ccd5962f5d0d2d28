//! Name look-ups and other calls that block, on threads of their own.
//!
//! `getaddrinfo` cannot be cancelled and may hang for minutes. On the runtime's own blocking pool it would hold up the
//! exit of whoever drops the runtime; a plain thread is simply left behind.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// What [`resolve`] says when no thread was to be had.
pub(crate) const NO_THREAD: io::ErrorKind = io::ErrorKind::WouldBlock;

/// Threads for look-ups, abandoned ones included. Peers' host names, which a hostile tracker can list by the thousand,
/// have a budget of their own, so that they never keep a tracker waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    /// As many as trackers are asked at once.
    Trackers,
    /// A few: trackers hardly ever name peers by host.
    Peers,
    /// Peers the user named, who do not wait behind those that trackers named.
    Users,
}

static TRACKERS: Semaphore = Semaphore::const_new(64);
static PEERS: Semaphore = Semaphore::const_new(16);
static USERS: Semaphore = Semaphore::const_new(16);

/// The addresses of a host, in the resolver's order, each with `port`. The time it may take is counted from when it has a
/// thread; it waits for one no longer.
pub(crate) async fn resolve(host: &str, port: u16, budget: Budget, within: Duration) -> io::Result<Vec<SocketAddr>> {
    let threads = match budget {
        Budget::Trackers => &TRACKERS,
        Budget::Peers => &PEERS,
        Budget::Users => &USERS,
    };
    // Threads that hang may hold every permit; that is our limit, not the name's fault. The semaphores are never closed.
    let permit = tokio::time::timeout(within, threads.acquire()).await;
    let permit =
        permit.map_err(|_| io::Error::new(NO_THREAD, "no thread free for the look-up"))?.map_err(io::Error::other)?;
    let host = host.to_owned();
    let look_up = blocking(move || {
        let _permit = permit;
        Ok((host.as_str(), port).to_socket_addrs()?.collect::<Vec<_>>())
    });
    let addresses = tokio::time::timeout(within, look_up).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if addresses.is_empty() { Err(io::Error::other("the name has no address")) } else { Ok(addresses) }
}

/// Runs `work` on a thread of its own. Dropping the future abandons the thread, not the caller.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().name("blocking call".to_owned()).spawn(move || {
        // Nobody waits any more: nothing to tell.
        let _ = done.send(work());
    })?;
    result.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn literals_and_local_names_resolve() {
        assert_eq!(
            resolve("127.0.0.1", 80, Budget::Trackers, WITHIN).await.unwrap(),
            ["127.0.0.1:80".parse().unwrap()]
        );
        assert!(
            resolve("localhost", 80, Budget::Peers, WITHIN)
                .await
                .unwrap()
                .iter()
                .all(|address| address.ip().is_loopback())
        );
    }

    #[test]
    fn a_call_that_hangs_holds_up_nobody() {
        let (hang, hung) = std::sync::mpsc::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let call = blocking(move || hung.recv().map_err(io::Error::other));
            let timeout = std::time::Duration::from_secs(1);
            assert!(tokio::time::timeout(timeout, call).await.is_err());
        });
        // Dropping the runtime would wait for a task of its own blocking pool, and this test would never end.
        drop(runtime);
        drop(hang);
    }
}
