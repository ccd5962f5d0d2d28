//! Host names of nodes, resolved beside the lookups.

use crate::discovery::dht::starts::HostToResolve;
use crate::limits::Limits;
use crate::net::resolve::LookupPool;
use crate::net::route::Route;
use crate::net::stop::Stopped;
use crate::shared::Shared;
use report::DhtStartFrom;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

/// A host name that was looked up; no result when the run ended first.
#[derive(Debug)]
pub(crate) struct HostLookup {
    pub(crate) row: usize,
    pub(crate) addresses: Option<io::Result<Vec<SocketAddr>>>,
}

/// Looks a host name up.
pub(crate) async fn look_up(
    host: HostToResolve,
    shared: Shared,
    limits: Limits,
    route: Route,
    stopped: Stopped,
) -> HostLookup {
    let HostToResolve { row, host, port, from } = host;
    let pool = match from {
        DhtStartFrom::User => LookupPool::Users,
        DhtStartFrom::Bootstrap => LookupPool::Trackers,
        _ => LookupPool::Peers,
    };
    let addresses = stopped.or(pin!(shared.dht().resolved().get(&host, port, pool, &limits, route))).await;
    HostLookup { row, addresses }
}
