//! Connections to HTTP trackers that are open and not in use.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracker::{Host, Scheme};

/// A connected stream, over TLS or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Stream for S {}

/// A connection to an HTTP tracker.
pub(crate) type Connection = tracker_http::Connection<Box<dyn Stream>>;

/// Time after which one may be closed in favour of another; trackers close theirs after 5 to 75 s.
const IDLE: Duration = Duration::from_secs(10);

/// What two requests must have in common to go over one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) address: SocketAddr,
    /// A hash of our source addresses and of the certificates that are trusted.
    pub(crate) ours: u64,
}

/// Connections to one address, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<Idle>>);

#[derive(Debug)]
struct Idle {
    way: Way,
    connection: Connection,
    since: Instant,
    /// Of a number that all addresses share.
    _room: OwnedSemaphorePermit,
}

impl Kept {
    /// One that goes the same way and is still open. At most `most` are left.
    pub(crate) fn take(&self, way: &Way, most: usize) -> Option<Connection> {
        let mut idle = self.lock();
        let mut taken = None;
        while taken.is_none()
            && let Some(last) = idle.iter().rposition(|idle| idle.way == *way)
        {
            let mut connection = idle.remove(last).connection;
            taken = connection.is_open().then_some(connection);
        }
        let excess = idle.len().saturating_sub(most);
        idle.drain(..excess);
        taken
    }

    pub(crate) fn keep(&self, way: Way, connection: Connection, room: OwnedSemaphorePermit) {
        self.lock().push(Idle { way, connection, since: Instant::now(), _room: room });
    }

    /// Closes those that the tracker has closed, and those that have been kept for long.
    pub(crate) fn sweep(&self, now: Instant) {
        let is_old = |idle: &Idle| now.saturating_duration_since(idle.since) >= IDLE;
        self.lock().retain_mut(|idle| !is_old(idle) && idle.connection.is_open());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        // Held for a look or a change, never during a wait.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
