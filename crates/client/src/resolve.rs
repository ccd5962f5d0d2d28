//! Name look-ups and other calls that block, on threads of their own.
//!
//! `getaddrinfo` cannot be cancelled and may hang for minutes. On the runtime's own blocking pool it would hold up the
//! exit of whoever drops the runtime; a plain thread is simply left behind.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::LazyLock;
use tokio::sync::{Semaphore, oneshot};

/// Threads that may be blocked at once.
const MAX_THREADS: usize = 16;

static THREADS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(MAX_THREADS));

/// The addresses of a host, in the resolver's order, each with `port`.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host.to_owned();
    let addresses = blocking(move || Ok((host.as_str(), port).to_socket_addrs()?.collect::<Vec<_>>())).await?;
    if addresses.is_empty() { Err(io::Error::other("the name has no address")) } else { Ok(addresses) }
}

/// Runs `work` on a thread of its own. Dropping the future abandons the thread, not the caller.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // The semaphore is never closed.
    let permit = THREADS.acquire().await.map_err(io::Error::other)?;
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().name("blocking call".to_owned()).spawn(move || {
        let _permit = permit;
        // Nobody waits any more: nothing to tell.
        let _ = done.send(work());
    })?;
    result.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literals_and_local_names_resolve() {
        assert_eq!(resolve("127.0.0.1", 80).await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);
        assert!(resolve("localhost", 80).await.unwrap().iter().all(|address| address.ip().is_loopback()));
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
