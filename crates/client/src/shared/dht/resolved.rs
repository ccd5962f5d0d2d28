//! The addresses of nodes' host names: each name is looked up by one run at a time, and not again and again for a long list of
//! torrents. A look-up that hangs keeps its thread, so that many at the same time would take those of the trackers.

use crate::limits::Limits;
use crate::net::resolve::{LookupPool, resolve};
use crate::net::route::Route;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

/// How long addresses are used.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// How long a name that did not resolve is not tried again.
const FAILED: Duration = Duration::from_secs(30);

/// Names that are kept: those of the user and the well-known ones are a few.
const KEPT: usize = 64;

/// The result of a look-up, and its time.
type LookedUp = Option<(Instant, Result<Vec<SocketAddr>, Failure>)>;

/// An error that can be told several times.
#[derive(Clone, Debug)]
struct Failure(io::ErrorKind, String);

/// Host names that were looked up, or are.
#[derive(Debug, Default)]
pub(crate) struct Resolved(Mutex<HashMap<String, Arc<AsyncMutex<LookedUp>>>>);

impl Resolved {
    /// The addresses of a host, with this port.
    pub(crate) async fn get(
        &self,
        host: &str,
        port: u16,
        pool: LookupPool,
        limits: &Limits,
        route: Route,
    ) -> io::Result<Vec<SocketAddr>> {
        let place = self.place(host);
        let mut place = place.lock().await;
        let is_fresh =
            |(at, result): &&(Instant, Result<_, _>)| at.elapsed() < if result.is_ok() { FRESH } else { FAILED };
        let result = match place.as_ref().filter(is_fresh) {
            Some((_, result)) => result.clone(),
            None => {
                let result = resolve(host, port, pool, limits, route).await;
                let result = result.map_err(|error| Failure(error.kind(), error.to_string()));
                *place = Some((Instant::now(), result.clone()));
                result
            }
        };
        let with_port = |address: SocketAddr| SocketAddr::new(address.ip(), port);
        match result {
            Ok(addresses) => Ok(addresses.into_iter().map(with_port).collect()),
            Err(Failure(kind, text)) => Err(io::Error::new(kind, text)),
        }
    }

    fn place(&self, host: &str) -> Arc<AsyncMutex<LookedUp>> {
        // Held for a look or a change, never during a wait.
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= KEPT {
            names.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(names.entry(host.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bind;

    async fn get(resolved: &Resolved, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        resolved.get(host, port, LookupPool::Peers, &Limits::default(), Bind::default().into()).await
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_any_port() {
        let resolved = Resolved::default();
        let first = get(&resolved, "127.0.0.1", 1).await.unwrap();
        assert_eq!(first, ["127.0.0.1:1".parse().unwrap()]);
        // As if it were in the resolver.
        let kept = Some((Instant::now(), Ok(vec!["192.0.2.1:1".parse().unwrap()])));
        *resolved.place("n.invalid").lock().await = kept;
        assert_eq!(get(&resolved, "n.invalid", 6881).await.unwrap(), ["192.0.2.1:6881".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_failure_is_told_again_for_a_while() {
        let resolved = Resolved::default();
        let error = get(&resolved, "t.onion", 1).await.unwrap_err();
        let again = get(&resolved, "t.onion", 2).await.unwrap_err();
        assert_eq!((again.kind(), again.to_string()), (error.kind(), error.to_string()));
        assert!(resolved.place("t.onion").lock().await.as_ref().is_some_and(|(_, result)| result.is_err()));
        let others: Vec<_> = (0..KEPT).map(|n| resolved.place(&n.to_string())).collect();
        assert_eq!(resolved.0.lock().unwrap().len(), KEPT, "those in use stay: {}", others.len());
    }
}
