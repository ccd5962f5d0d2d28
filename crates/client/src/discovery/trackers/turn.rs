//! What a request to a tracker waits for before it is sent.

use crate::discovery::trackers::AnnounceContext;
use crate::discovery::trackers::job::TrackerJob;
use crate::shared::hosts::Host;
use crate::shared::hosts::kept::{Connection, Way};
use crate::shared::hosts::pace::Purpose;
use guard::AddressPolicy;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracker::Scheme;

/// The right to send one request to one address, until it is dropped.
///
/// It is waited for step by step, and nothing is held at the first: a place among the connections to that address, of which
/// goodbyes have their own, unless the user named the tracker; the pace of that address; a descriptor; the pace of new
/// connections, unless one was kept from an earlier request. Over UDP there is no connection, and no place is needed.
#[derive(Debug)]
pub(crate) struct Turn {
    host: Arc<Host>,
    way: Way,
    /// An open connection, if the way is by one and an earlier request has left it.
    pub(crate) connection: Option<Connection>,
    place: Option<OwnedSemaphorePermit>,
    _descriptor: OwnedSemaphorePermit,
}

impl Turn {
    /// Waits for the turn of an announce or a scrape.
    pub(crate) async fn question(context: &AnnounceContext, job: &TrackerJob, address: SocketAddr) -> Self {
        let host = context.shared.tracker_hosts().at(address.ip());
        let place = if needs_place(job) { host.place().await } else { None };
        Self::with(host, place, context, job, address, Purpose::Question).await
    }

    /// Waits for the turn of a goodbye, which comes before all questions; `None` if it has no place in time, because
    /// none of those before it at that address could be sent.
    pub(crate) async fn goodbye(context: &AnnounceContext, job: &TrackerJob, address: SocketAddr) -> Option<Self> {
        let host = context.shared.tracker_hosts().at(address.ip());
        let place = match needs_place(job) {
            true => Some(host.goodbye_place(context.limits.goodbye_time).await?),
            false => None,
        };
        Some(Self::with(host, place, context, job, address, Purpose::Goodbye).await)
    }

    async fn with(
        host: Arc<Host>,
        place: Option<OwnedSemaphorePermit>,
        context: &AnnounceContext,
        job: &TrackerJob,
        address: SocketAddr,
        purpose: Purpose,
    ) -> Self {
        let way = context.way(job, address);
        let is_udp = way.scheme == Scheme::Udp;
        // A descriptor is not waited for between the pace and the request: those that had waited would all begin at once.
        let descriptor = loop {
            host.turn(purpose).await;
            if let Some(descriptor) = context.shared.try_descriptor(purpose) {
                break descriptor;
            }
            drop(context.shared.descriptor(purpose).await);
        };
        let is_bounded = purpose == Purpose::Question && place.is_some();
        let connection = if is_udp { None } else { host.take(&way, is_bounded) };
        if !is_udp && connection.is_none() {
            context.pace_of_connections(address, purpose).await;
        }
        Self { host, way, connection, place, _descriptor: descriptor }
    }

    /// The place among the connections, which may be given up before the turn is over.
    pub(crate) fn place(&mut self) -> Place {
        Place { host: Arc::clone(&self.host), permit: self.place.take() }
    }

    /// Waits for another turn, of a request that goes over a new connection because the tracker has closed the one that was
    /// kept. Gives how long that took.
    pub(crate) async fn again(&mut self, context: &AnnounceContext, purpose: Purpose) -> Duration {
        let waiting = Instant::now();
        self.host.turn(purpose).await;
        context.pace_of_connections(self.way.address, purpose).await;
        waiting.elapsed()
    }

    /// Notes that a goodbye was sent.
    pub(crate) fn said_goodbye(&self) {
        self.host.goodbye_said();
    }

    /// Where the request goes.
    pub(crate) fn address(&self) -> SocketAddr {
        self.way.address
    }

    /// Ends it; the connection is kept for another request if the tracker keeps it.
    pub(crate) fn end(self, context: &AnnounceContext) {
        if let Some(connection) = self.connection {
            context.shared.tracker_hosts().keep(&self.host, self.way, connection);
        }
    }
}

/// A place among the connections to an address.
#[derive(Debug)]
pub(crate) struct Place {
    host: Arc<Host>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Makes room for another question, if not too many have done so: this one has no answer for a while, and what comes after
    /// it may be a tracker that lives.
    pub(crate) fn step_aside(&mut self) {
        if self.permit.is_some()
            && let Some(aside) = self.host.place_aside()
        {
            self.permit = Some(aside);
        }
    }

    /// Makes room for another goodbye.
    pub(crate) fn leave(&mut self) {
        self.permit = None;
    }
}

/// Whether connections to a tracker are bounded by its address. Over UDP there are none.
fn needs_place(job: &TrackerJob) -> bool {
    job.url.scheme() != Scheme::Udp && job.policy != AddressPolicy::User
}

impl AnnounceContext {
    /// Waits until there may be one more new connection, which counts in [`Config::rate`](crate::Config::rate). They come
    /// before those to peers: without trackers there are none of these.
    async fn pace_of_connections(&self, address: SocketAddr, purpose: Purpose) {
        if !address.ip().is_loopback() {
            self.shared.tracker_connections().turn(purpose).await;
        }
    }

    fn way(&self, job: &TrackerJob, address: SocketAddr) -> Way {
        Way { scheme: job.url.scheme(), host: job.url.host().clone(), address, ours: self.ours }
    }
}
