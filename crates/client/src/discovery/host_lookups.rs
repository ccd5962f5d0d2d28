//! Host names of peers, looked up a few at a time.

use crate::discovery::peers::{HostPort, Peers};
use crate::limits::Limits;
use crate::net::resolve::{LookupPool, NO_ROUTE, NO_THREAD, resolve};
use crate::net::route::Route;
use crate::net::stop::Stopped;
use crate::net::task::settled;
use report::Outcome;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::task::JoinSet;
use tracker::PeerAddress;

/// The look-ups of a run.
#[derive(Debug)]
pub(crate) struct Lookups {
    tasks: JoinSet<LookedUp>,
    limits: Limits,
    route: Route,
    stopped: Stopped,
}

/// A host name and its addresses; `None` when the run ended first.
#[derive(Debug)]
pub(crate) struct LookedUp {
    pub(crate) name: HostPort,
    pub(crate) addresses: Option<io::Result<Vec<SocketAddr>>>,
}

impl Lookups {
    /// None is begun yet.
    pub(crate) fn new(limits: Limits, route: Route, stopped: Stopped) -> Self {
        Self { tasks: JoinSet::new(), limits, route, stopped }
    }

    /// Begins as many as may go on at the same time.
    pub(crate) fn begin(&mut self, peers: &mut Peers) {
        while self.tasks.len() < self.limits.lookups_at_once.max(1)
            && let Some((host, port)) = peers.next_name()
        {
            let by_user = peers.hints(&PeerAddress::Host(host.clone(), port)).by_user;
            let pool = if by_user { LookupPool::Users } else { LookupPool::Peers };
            let stopped = self.stopped.clone();
            self.tasks.spawn(look_up((host, port), pool, self.limits, self.route, stopped));
        }
    }

    /// The next one's end; `None` when none goes on. May be cancelled without losing anything.
    pub(crate) async fn next(&mut self) -> Option<LookedUp> {
        self.tasks.join_next().await.map(settled)
    }

    /// Whether none goes on.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether an address that was found can be dialled.
    pub(crate) fn allows(&self, address: SocketAddr) -> bool {
        self.route.allows(address)
    }

    /// Cancels all of them.
    pub(crate) fn abort(&mut self) {
        self.tasks.abort_all();
    }
}

async fn look_up(name: HostPort, pool: LookupPool, limits: Limits, route: Route, stopped: Stopped) -> LookedUp {
    let (host, port) = &name;
    let addresses = stopped.or(pin!(resolve(host.as_str(), *port, pool, &limits, route))).await;
    LookedUp { name, addresses }
}

/// The outcome of a peer whose look-up failed.
pub(crate) fn outcome_of(error: &io::Error) -> Outcome {
    match error.kind() {
        NO_THREAD => Outcome::LocalLimit,
        NO_ROUTE => Outcome::NoRoute,
        _ => Outcome::ResolveFailed,
    }
}
