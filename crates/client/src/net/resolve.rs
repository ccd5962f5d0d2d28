//! Name look-ups and other calls that block, on threads of their own.
//!
//! `getaddrinfo` cannot be cancelled and may hang for minutes. On the runtime's own blocking pool it would hold up
//! the drop of the runtime; a plain thread is simply abandoned.

use crate::limits::Limits;
use crate::net::connect::has_route_out;
use crate::net::overlay::Overlay;
use crate::net::route::Route;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, oneshot};

/// The error of [`resolve`] when no thread was free.
pub(crate) const NO_THREAD: io::ErrorKind = io::ErrorKind::WouldBlock;
/// The error of [`resolve`] when no resolver answered and this machine has no route out: the name is not to blame.
pub(crate) const NO_ROUTE: io::ErrorKind = io::ErrorKind::NetworkUnreachable;
/// Its error for a name that is not in the DNS, see [`Overlay`].
pub(crate) const NOT_IN_DNS: io::ErrorKind = io::ErrorKind::Unsupported;

/// Whose threads a look-up takes; abandoned ones count. Peers' host names, which a hostile tracker can list by the thousand,
/// have a pool of their own, so that they never keep a tracker waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LookupPool {
    /// [`TRACKER_THREADS`].
    Trackers,
    /// [`Limits::lookups_at_once`]: a few, because trackers hardly ever name peers by host.
    Peers,
    /// Peers the user named, which do not wait behind those that trackers named.
    Users,
}

/// Threads that look up trackers' host names, of all runs together.
const TRACKER_THREADS: usize = 64;

static TRACKERS: Threads = Threads::new();
static PEERS: Threads = Threads::new();
static USERS: Threads = Threads::new();

/// Threads that all runs of the process share.
#[derive(Debug)]
struct Threads {
    free: Semaphore,
    width: AtomicUsize,
}

impl Threads {
    const fn new() -> Self {
        Self { free: Semaphore::const_new(0), width: AtomicUsize::new(0) }
    }

    /// Grows the pool to the largest width that any run asked for.
    fn at_least(&self, width: usize) -> &Semaphore {
        let width = width.min(Semaphore::MAX_PERMITS);
        let before = self.width.fetch_max(width, Ordering::Relaxed);
        self.free.add_permits(width.saturating_sub(before));
        &self.free
    }
}

/// An IPv4-mapped address as IPv4; an IPv6 address keeps its scope.
pub(crate) fn unwrapped(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::from((ip, address.port())),
        IpAddr::V6(_) => address,
    }
}

/// The addresses of a host, in the resolver's order, each with `port`; IPv4-mapped ones (RFC 4291, 2.5.5.2) as IPv4.
/// [`Limits::lookup_time`] bounds the wait for a thread and the look-up, each.
pub(crate) async fn resolve(
    host: &str,
    port: u16,
    pool: LookupPool,
    limits: &Limits,
    route: Route,
) -> io::Result<Vec<SocketAddr>> {
    // This machine's resolver is asked. Through a proxy it must not be, so another route decides here.
    let Route::Direct(_) = route;
    if let Some(overlay) = Overlay::of(host) {
        return Err(io::Error::new(NOT_IN_DNS, overlay));
    }
    let threads = match pool {
        LookupPool::Trackers => TRACKERS.at_least(TRACKER_THREADS),
        LookupPool::Peers => PEERS.at_least(limits.lookups_at_once),
        LookupPool::Users => USERS.at_least(limits.lookups_at_once),
    };
    let within = limits.lookup_time;
    // Threads that hang may hold every permit; that is our limit, not the name's fault. The semaphores are never closed.
    let permit = tokio::time::timeout(within, threads.acquire()).await;
    let permit =
        permit.map_err(|_| io::Error::new(NO_THREAD, "no thread free for the look-up"))?.map_err(io::Error::other)?;
    let host = host.to_owned();
    let look_up = blocking(move || {
        let _permit = permit;
        Ok((host.as_str(), port).to_socket_addrs()?.map(unwrapped).collect::<Vec<_>>())
    });
    let found = tokio::time::timeout(within, look_up).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let addresses = found.map_err(|error| if is_unanswered(&error) { offline_or(error, route) } else { error })?;
    if addresses.is_empty() { Err(io::Error::other("the name has no address")) } else { Ok(addresses) }
}

/// Whether no resolver answered, as far as the error tells. The standard library keeps the text of `EAI_AGAIN` and not its
/// number; glibc and musl phrase it differently.
fn is_unanswered(error: &io::Error) -> bool {
    let text = error.to_string();
    text.contains("Temporary failure") || text.contains("Try again")
}

/// The error, or that this machine has no route out.
fn offline_or(error: io::Error, route: Route) -> io::Error {
    if has_route_out(route) { error } else { io::Error::new(NO_ROUTE, format!("no route to a resolver: {error}")) }
}

/// Runs `work` on a thread of its own. Dropping the future abandons the thread, not the caller.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().name("blocking call".to_owned()).spawn(move || {
        // An error when the caller has been cancelled.
        let _ = done.send(work());
    })?;
    result.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;

    const ANY: Route = Route::Direct(Bind { v4: None, v6: None, interface: None });

    #[test]
    fn a_pool_grows_to_the_widest_run() {
        let threads = Threads::new();
        let widths = [2, 1, 5, 5, usize::MAX].map(|width| threads.at_least(width).available_permits());
        assert_eq!(widths, [2, 2, 5, 5, Semaphore::MAX_PERMITS]);
    }

    #[tokio::test]
    async fn literals_and_local_names_resolve() {
        assert_eq!(
            resolve("127.0.0.1", 80, LookupPool::Trackers, &Limits::default(), ANY).await.unwrap(),
            ["127.0.0.1:80".parse().unwrap()]
        );
        assert!(
            resolve("localhost", 80, LookupPool::Peers, &Limits::default(), ANY)
                .await
                .unwrap()
                .iter()
                .all(|address| address.ip().is_loopback())
        );
    }

    #[tokio::test]
    async fn names_of_other_networks_are_not_looked_up() {
        for (host, said) in [("a.onion", "onion names"), ("b.i2p.", "i2p names")] {
            let error = resolve(host, 80, LookupPool::Peers, &Limits::default(), ANY).await.unwrap_err();
            assert!(error.kind() == NOT_IN_DNS && error.to_string().starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_call_that_hangs_holds_up_neither_caller_nor_runtime() {
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
