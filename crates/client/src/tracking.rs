//! One tracker: look up, vet, connect, announce; and the goodbye that every announce owes.

use crate::connect::{ConnectError, connect};
use crate::report::{TrackerReport, TrackerStatus};
use crate::resolve::{Budget, resolve};
use crate::stop::Stopped;
use crate::targets::Target;
use crate::{Bind, Outcome};
use guard::{AddressPolicy, Secrets};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::debug;
use tracker::{Announce, Announced, Event, Host, Peer, Scheme, Skipped, TrackerUrl};

/// What a tracker gave.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) report: TrackerReport,
    pub(crate) peers: Vec<Peer>,
    /// Our own addresses as this conversation showed them: the socket's, and what the tracker says it sees.
    pub(crate) own: Vec<IpAddr>,
    /// Set when the announce may have reached the tracker: it must be taken back.
    pub(crate) goodbye: Option<Goodbye>,
}

/// An announce to be taken back.
#[derive(Debug)]
pub(crate) struct Goodbye {
    target: Target,
    address: SocketAddr,
}

/// What is known while the conversation goes on.
#[derive(Debug, Default)]
struct Progress {
    /// The tracker's address, once one is being tried.
    address: Option<SocketAddr>,
    /// Our end of the connection.
    local: Option<IpAddr>,
    /// Whether the announce may have been written.
    written: bool,
}

/// Asks one tracker once.
pub(crate) async fn track(
    target: Target,
    announce: Announce<'_>,
    bind: Bind,
    limit: Duration,
    mut stopped: Stopped,
) -> Tracked {
    let begun = Instant::now();
    let mut progress = Progress::default();
    debug!(tracker = %target.shown, "announce");
    let result = stopped.or(ask(&target, &announce, bind, limit, &mut progress)).await;
    let (status, announced) = match result {
        None => (TrackerStatus::Interrupted, None),
        Some(Err(status)) => (status, None),
        Some(Ok(announced)) => (TrackerStatus::Ok, Some(announced)),
    };
    let external = announced.as_ref().and_then(|announced| announced.external_ip);
    let own = progress.local.into_iter().chain(external).collect();
    let goodbye =
        progress.address.filter(|_| progress.written).map(|address| Goodbye { target: target.clone(), address });
    let mut report = report(target.shown, status, begun.elapsed());
    report.secrets = Secrets::of(target.url.expose());
    report.address = progress.address;
    let peers = announced.map(|announced| describe(announced, &mut report)).unwrap_or_default();
    match report.status.is_ok() {
        true => debug!(tracker = %report.url, peers = peers.len(), "peers found"),
        false => debug!(tracker = %report.url, error = report.message(), "no peers"),
    }
    Tracked { report, peers, own, goodbye }
}

/// A report of a tracker that gave nothing.
pub(crate) fn report(url: Arc<str>, status: TrackerStatus, elapsed: Duration) -> TrackerReport {
    TrackerReport {
        url,
        address: None,
        status,
        peers: None,
        skipped: Skipped::default(),
        seeders: None,
        leechers: None,
        interval: None,
        warning: None,
        elapsed,
        left_out: 0,
        secrets: Secrets::default(),
    }
}

/// Writes the answer into the report and gives the peers.
fn describe(announced: Announced, report: &mut TrackerReport) -> Vec<Peer> {
    report.peers = Some(announced.peers.len());
    report.skipped = announced.skipped;
    report.seeders = announced.complete;
    report.leechers = announced.incomplete;
    report.interval = announced.interval.map(|seconds| Duration::from_secs(seconds.into()));
    report.warning = announced.warning;
    announced.peers
}

async fn ask(
    target: &Target,
    announce: &Announce<'_>,
    bind: Bind,
    limit: Duration,
    progress: &mut Progress,
) -> Result<Announced, TrackerStatus> {
    match target.url.scheme() {
        Scheme::Http => {}
        Scheme::Https => return Err(TrackerStatus::UnsupportedScheme("HTTPS")),
        Scheme::Udp => return Err(TrackerStatus::UnsupportedScheme("UDP")),
        _ => return Err(TrackerStatus::UnsupportedScheme("such")),
    }
    let addresses = look_up(&target.url).await?;
    let stream = first_connection(&addresses, target.policy, bind, limit, progress).await?;
    progress.local = stream.local_addr().ok().map(|local| local.ip().to_canonical());
    progress.written = true;
    let reply = tracker_http::Client::default().announce(stream, &target.url, announce).await?;
    Ok(reply.answer)
}

async fn look_up(url: &TrackerUrl) -> Result<Vec<SocketAddr>, TrackerStatus> {
    match url.host() {
        Host::Ip(ip) => Ok(vec![SocketAddr::new(*ip, url.port())]),
        Host::Name(name) => {
            let addresses = resolve(name, url.port(), Budget::Trackers).await;
            addresses.map_err(TrackerStatus::ResolveFailed)
        }
    }
}

/// Tries the addresses in the resolver's order. The address that was checked is the one that is dialled.
async fn first_connection(
    addresses: &[SocketAddr],
    policy: AddressPolicy,
    bind: Bind,
    limit: Duration,
    progress: &mut Progress,
) -> Result<TcpStream, TrackerStatus> {
    let mut failure = None;
    for &address in addresses {
        if let Err(refusal) = policy.check(address) {
            failure.get_or_insert(TrackerStatus::Refused(refusal));
            continue;
        }
        progress.address = Some(address);
        let error = match timeout(limit, connect(address, bind)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => error,
            Err(_) => ConnectError::Remote(io::ErrorKind::TimedOut.into()),
        };
        let outcome = error.outcome();
        failure = Some(TrackerStatus::NoConnection { outcome, source: error.into_io() });
    }
    Err(failure.unwrap_or_else(|| TrackerStatus::NoConnection {
        outcome: Outcome::ConnectUnreachable,
        source: io::Error::other("the name has no address"),
    }))
}

impl Goodbye {
    /// Tells the tracker to forget us, at the address that was told of us. Best effort: whatever comes of it, the run is
    /// over.
    pub(crate) async fn say(self, announce: Announce<'_>, bind: Bind) {
        let Self { target, address } = self;
        let announce = Announce { event: Event::Stopped, numwant: Some(0), ..announce };
        let Ok(stream) = connect(address, bind).await else { return };
        let result = tracker_http::Client::default().announce(stream, &target.url, &announce).await;
        debug!(tracker = %target.shown, ok = result.is_ok(), "goodbye");
    }
}
