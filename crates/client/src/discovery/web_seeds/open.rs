//! The connections of a check: at most two, that of the web seed itself and that of the server to which it redirects.

use crate::discovery::web_seeds::context::CheckContext;
use crate::discovery::web_seeds::fault::Fault;
use crate::net::connect::{ConnectError, connect};
use crate::shared::Shared;
use crate::shared::address_quota::AddressPermit;
use crate::shared::hosts::kept::Stream;
use crate::shared::hosts::pace::Purpose;
use crate::shared::web_hosts::Paused;
use report::{Times, WebSeedFile, WebSeedStatus};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};
use tracker::{Host, Scheme};
use web_seed::{Connection, WebSeedUrl};

/// A pause that a server asks for and that a check waits for; it gives up before a longer one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that a check keeps.
const MOST: usize = 2;

/// An open connection, and its permits.
#[derive(Debug)]
pub(crate) struct Open {
    origin: (Scheme, Host, u16),
    pub(crate) address: SocketAddr,
    pub(crate) connection: Connection<Box<dyn Stream>>,
    _permit: AddressPermit,
    _descriptor: OwnedSemaphorePermit,
}

/// Those that are not in use.
#[derive(Debug, Default)]
pub(crate) struct Kept(Vec<Open>);

impl Kept {
    /// One that leads to the same server and is still open.
    pub(crate) fn take(&mut self, url: &WebSeedUrl) -> Option<Open> {
        let place = self.0.iter().position(|open| open.origin == origin(url))?;
        let mut open = self.0.remove(place);
        open.connection.is_open().then_some(open)
    }

    /// Keeps one for the next file, if the server does.
    pub(crate) fn keep(&mut self, mut open: Open) {
        if open.connection.is_open() {
            self.0.truncate(MOST - 1);
            self.0.push(open);
        }
    }

    /// Closes all, and gives their permits back.
    pub(crate) fn close(&mut self) {
        self.0.clear();
    }

    /// Makes a connection to `address` once it is its turn, within `left` from then on. Notes in `row` how far it came.
    pub(crate) async fn open(
        &mut self,
        url: &WebSeedUrl,
        address: SocketAddr,
        context: &CheckContext,
        left: &mut Duration,
        row: &mut WebSeedFile,
    ) -> Result<Open, Fault> {
        let (permit, descriptor) = self.turn(address.ip(), context).await?;
        row.status = WebSeedStatus::Interrupted;
        let begun = Instant::now();
        let connected = connected(url, address, context, *left, &mut row.times).await;
        *left = left.saturating_sub(begun.elapsed());
        let connection = context.http.over(connected?).await.map_err(Fault::Reply)?;
        Ok(Open { origin: origin(url), address, connection, _permit: permit, _descriptor: descriptor })
    }

    /// A descriptor. What is kept is closed before one is waited for: checks that each have some and wait for one more would wait for
    /// each other.
    pub(crate) async fn descriptor(&mut self, shared: &Shared) -> Option<OwnedSemaphorePermit> {
        if let Some(descriptor) = shared.try_descriptor(Purpose::Question) {
            return Some(descriptor);
        }
        self.close();
        shared.descriptor(Purpose::Question).await
    }

    /// The permits for a connection to `ip`. What is kept is closed before a permit is waited for: two checks whose redirects
    /// cross, each with the permit that the other one needs, would wait for each other.
    async fn turn(
        &mut self,
        ip: IpAddr,
        context: &CheckContext,
    ) -> Result<(AddressPermit, OwnedSemaphorePermit), Fault> {
        let (shared, hosts) = (&context.shared, context.shared.web_hosts());
        self.0.truncate(MOST - 1);
        let permit = match hosts.turn_if_free(ip).await {
            Some(permit) => permit,
            None => {
                self.close();
                hosts.turn(ip, PATIENCE).await.map_err(|Paused { left }| Fault::Paused { left })?
            }
        };
        let none = || ConnectError::Exhausted(io::Error::other("no descriptor"));
        let descriptor = self.descriptor(shared).await.ok_or_else(none)?;
        if !ip.is_loopback() {
            shared.tracker_connections().turn(Purpose::Question).await;
        }
        Ok((permit, descriptor))
    }
}

fn origin(url: &WebSeedUrl) -> (Scheme, Host, u16) {
    (url.scheme(), url.host().clone(), url.port())
}

/// Over TCP, and TLS where the URL says so.
async fn connected(
    url: &WebSeedUrl,
    address: SocketAddr,
    context: &CheckContext,
    left: Duration,
    times: &mut Times,
) -> Result<Box<dyn Stream>, Fault> {
    let begun = Instant::now();
    let stream = match timeout(left.min(context.connect_timeout), connect::<TcpStream>(address, context.route)).await {
        Ok(connected) => connected?,
        Err(_) => return Err(ConnectError::Remote(io::ErrorKind::TimedOut.into()).into()),
    };
    times.connect = Some(begun.elapsed());
    if url.scheme() != Scheme::Https {
        return Ok(Box::new(stream));
    }
    let (begun, left) = (Instant::now(), left.saturating_sub(begun.elapsed()));
    let stream = context.tls.connect(stream, &url.host().to_string(), left).await.map_err(Fault::of_tls)?;
    times.tls = Some(begun.elapsed());
    Ok(Box::new(stream))
}
