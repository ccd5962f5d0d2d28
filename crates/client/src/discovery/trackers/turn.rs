//! What a request to a tracker waits for before it is sent.

use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::job::TrackerJob;
use crate::shared::address_quota::AddressPermit;
use crate::shared::hosts::kept::{Connection, Way};
use crate::shared::hosts::pace::Purpose;
use crate::shared::hosts::{Host, Hosts};
use guard::AddressPolicy;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracker::Scheme;

/// The right to send one request to one address, until it is dropped.
///
/// It is acquired step by step, in this order, so that nothing scarce is held while something else is waited for: a permit for
/// a connection to that address, of which goodbyes have their own, unless the user named the tracker; the pace of that address;
/// a descriptor; the pace of new connections, unless one was kept from an earlier request. Over UDP there is no connection, and
/// no permit is needed.
#[derive(Debug)]
pub(crate) struct Turn {
    host: Arc<Host>,
    way: Way,
    /// An open connection, if an earlier request has left one that goes the same way.
    pub(crate) connection: Option<Connection>,
    permit: Option<AddressPermit>,
    _descriptor: OwnedSemaphorePermit,
}

impl Turn {
    /// Waits for the turn of an announce or a scrape.
    pub(crate) async fn question(context: &AnnounceContext, job: &TrackerJob, address: SocketAddr) -> Self {
        let hosts = context.shared.tracker_hosts();
        let host = hosts.at(address.ip());
        let permit = if needs_permit(job) { hosts.question_permit(&host).await } else { None };
        Self::with(host, permit, context, job, address, Purpose::Question).await
    }

    /// Waits for the turn of a goodbye, which comes before all questions; `None` if it gets no permit in time, because none of
    /// those before it at that address could be sent.
    pub(crate) async fn goodbye(context: &AnnounceContext, job: &TrackerJob, address: SocketAddr) -> Option<Self> {
        let hosts = context.shared.tracker_hosts();
        let host = hosts.at(address.ip());
        let permit = match needs_permit(job) {
            true => Some(hosts.goodbye_permit(&host, context.limits.goodbye_time).await?),
            false => None,
        };
        Some(Self::with(host, permit, context, job, address, Purpose::Goodbye).await)
    }

    async fn with(
        host: Arc<Host>,
        permit: Option<AddressPermit>,
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
        let is_bounded = purpose == Purpose::Question && permit.is_some();
        let hosts = context.shared.tracker_hosts();
        let connection = if is_udp { None } else { hosts.take(&host, &way, is_bounded) };
        if !is_udp && connection.is_none() {
            context.pace_of_connections(address, purpose).await;
        }
        Self { host, way, connection, permit, _descriptor: descriptor }
    }

    /// Takes the permit out, so that it can be given back before the turn is over.
    pub(crate) fn permit(&mut self) -> ConnectionSlot {
        ConnectionSlot { host: Arc::clone(&self.host), permit: self.permit.take() }
    }

    /// Waits for another turn of a request that needs a new connection, because the tracker has closed the one that was kept.
    /// Gives how long that took.
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

/// A permit for a connection to an address, if one is needed.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    host: Arc<Host>,
    permit: Option<AddressPermit>,
}

impl ConnectionSlot {
    /// Exchanges the permit for one of a late question, if any is left: what waits for this one may be for a tracker that
    /// answers.
    pub(crate) fn step_aside(&mut self, hosts: &Hosts) {
        if self.permit.is_some()
            && let Some(late) = hosts.late_permit(&self.host)
        {
            self.permit = Some(late);
        }
    }

    /// Gives the permit back.
    pub(crate) fn leave(&mut self) {
        self.permit = None;
    }
}

/// Whether a permit is needed to connect to a tracker. Over UDP there are no connections, and what the user named is not
/// bounded.
fn needs_permit(job: &TrackerJob) -> bool {
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
