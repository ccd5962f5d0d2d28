//! One request to a web seed, and the redirects that it leads to: each hop is looked up, judged, connected to and asked.

use crate::discovery::web_seeds::choose::WebSeed;
use crate::discovery::web_seeds::context::CheckContext;
use crate::discovery::web_seeds::fault::Fault;
use crate::discovery::web_seeds::open::{Kept, Open};
use crate::net::overlay::Overlay;
use crate::net::resolve::{LookupPool, resolve, unwrapped};
use guard::AddressPolicy;
use report::{Times, WebSeedFile, WebSeedStatus};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;
use tracker::{Host, UrlError};
use web_seed::{ByteRange, Fetched, WebSeedUrl};

/// Addresses of one host that are tried.
const ADDRESSES: usize = 4;

/// Host names that a check remembers; redirects could lead to thousands.
const NAMES: usize = 16;

/// Servers beside the web seed's own that may fail before the check ends, each once. A web seed that sends each file to another
/// mirror has one or two dead ones; one that aims at addresses where nothing answers gets no further than this.
const FAILED_HOSTS: usize = 4;

/// Gets the bytes as they come.
pub(crate) type Sink<'s> = &'s mut (dyn FnMut(&[u8]) + Send);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// A range of a file (BEP 19).
    Range(ByteRange),
    /// As many bytes of a piece; the URL says which (BEP 17).
    Piece(u64),
}

/// The requests of one check.
#[derive(Debug)]
pub(crate) struct Hops<'c> {
    context: &'c CheckContext,
    seed: &'c WebSeed,
    kept: Kept,
    /// The addresses of the hosts so far, that which answered last at the front.
    names: HashMap<String, Vec<SocketAddr>>,
    /// The host that was asked last.
    last_host: Option<Host>,
    /// Hosts to which redirects led, and that failed.
    failed_hosts: Vec<Host>,
}

impl<'c> Hops<'c> {
    pub(crate) fn new(context: &'c CheckContext, seed: &'c WebSeed) -> Self {
        let (last_host, failed_hosts) = (None, Vec::new());
        Self { context, seed, kept: Kept::default(), names: HashMap::new(), last_host, failed_hosts }
    }

    /// Gives back all permits.
    pub(crate) fn close(&mut self) {
        self.kept.close();
    }

    /// Notes that the server asked last has failed, and says whether the check ends by that: it is the web seed's own, or one that
    /// has failed before, or the last of [`FAILED_HOSTS`]. Otherwise a redirect led there, and the next file may be elsewhere.
    pub(crate) fn gives_up(&mut self) -> bool {
        let Some(host) = self.last_host.take().filter(|host| host != self.seed.url.host()) else { return true };
        let is_again = self.failed_hosts.contains(&host);
        self.failed_hosts.push(host);
        is_again || self.failed_hosts.len() >= FAILED_HOSTS
    }

    /// Asks at `url` and follows redirects, within `left` from the first turn on; waits for turns and names do not count. Notes in
    /// `row` how far it came.
    pub(crate) async fn ask(
        &mut self,
        url: WebSeedUrl,
        wanted: Wanted,
        mut left: Duration,
        row: &mut WebSeedFile,
        sink: Sink<'_>,
    ) -> Result<Fetched, Fault> {
        let (mut url, mut policy, mut trail, time) = (url, self.seed.policy, Vec::new(), left);
        loop {
            self.last_host = Some(url.host().clone());
            let asked = self.ask_once(&url, policy, wanted, &mut left, row, &mut *sink).await;
            let asked = asked.map_err(|fault| fault.within(time));
            let Err(Fault::Reply(web_seed::Error::Redirect { location, .. })) = asked else { return asked };
            let next = url.redirect(location.expose()).map_err(Fault::Redirect)?;
            trail.push(url);
            row.redirected_to = Some(self.context.show(&next));
            let limit = self.context.limits.redirects;
            if next.has_user_info() && self.seed.policy != AddressPolicy::User {
                return Err(Fault::Redirect(UrlError::UserInfo));
            }
            if self.seed.only_hosts.as_ref().is_some_and(|hosts| !hosts.contains(next.host())) {
                return Err(Fault::PrivateRedirect);
            }
            if trail.contains(&next) {
                return Err(Fault::RedirectLoop);
            }
            if trail.len() > limit {
                return Err(Fault::TooManyRedirects { limit });
            }
            if let Some(from) = row.address {
                policy = AddressPolicy::for_web_seed_redirect(from.ip());
            }
            url = next;
        }
    }

    async fn ask_once(
        &mut self,
        url: &WebSeedUrl,
        policy: AddressPolicy,
        wanted: Wanted,
        left: &mut Duration,
        row: &mut WebSeedFile,
        sink: Sink<'_>,
    ) -> Result<Fetched, Fault> {
        loop {
            row.times = Times::default();
            let mut open = match self.kept.take(url) {
                Some(open) => open,
                None => self.connect(url, policy, left, row).await?,
            };
            (row.address, row.status) = (Some(open.address), WebSeedStatus::Interrupted);
            // Another URL's policy may have allowed what was kept.
            self.check(policy, open.address)?;
            self.context.shared.web_hosts().request_turn(open.address.ip()).await;
            let begun = Instant::now();
            let asked = match wanted {
                Wanted::Range(range) => open.connection.fetch_range(url, range, *left, &mut *sink).await,
                Wanted::Piece(count) => open.connection.fetch_piece(url, count, *left, &mut *sink).await,
            };
            *left = left.saturating_sub(begun.elapsed());
            let ip = open.address.ip();
            match asked {
                // The server has closed what was kept (RFC 9112, 9.3.1); a new connection never ends so.
                Err(web_seed::Error::Http(http_exchange::Error::Stale(_))) => continue,
                Err(web_seed::Error::TooFast { retry_after: Some(time), .. }) => {
                    self.context.shared.web_hosts().pause(ip, time);
                }
                _ => {}
            }
            let http_status = match &asked {
                Ok(fetched) => Some(fetched.status),
                Err(error) => error.http_status(),
            };
            row.times.reply = http_status.map(|_| begun.elapsed());
            // That of the redirect stays where none comes from its target.
            row.http_status = http_status.or(row.http_status);
            self.kept.keep(open);
            return asked.map_err(Fault::Reply);
        }
    }

    /// A connection to the first address of the host that may be dialled and answers.
    async fn connect(
        &mut self,
        url: &WebSeedUrl,
        policy: AddressPolicy,
        left: &mut Duration,
        row: &mut WebSeedFile,
    ) -> Result<Open, Fault> {
        let addresses = self.addresses(url, &mut row.times).await?;
        let (mut refused, mut failed) = (None, None);
        for address in addresses.into_iter().take(ADDRESSES) {
            if let Err(fault) = self.check(policy, address) {
                row.address = row.address.filter(|_| failed.is_some()).or(Some(address));
                refused.get_or_insert(fault);
                continue;
            }
            row.address = Some(address);
            match self.kept.open(url, address, self.context, left, row).await {
                Ok(open) => {
                    self.prefer(url, address);
                    return Ok(open);
                }
                Err(fault @ Fault::NoConnection { .. }) => failed = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        let none = || Fault::ResolveFailed(std::io::Error::other("the name has no address"));
        Err(failed.or(refused).unwrap_or_else(none))
    }

    /// Whether it may be dialled.
    fn check(&self, policy: AddressPolicy, address: SocketAddr) -> Result<(), Fault> {
        let lowest = self.context.limits.lowest_port;
        policy.check_peer(address, lowest).map_err(|source| Fault::Refused { address, source })?;
        if policy == AddressPolicy::User {
            return Ok(());
        }
        self.context.ports.check(address).map_err(|source| Fault::Crowded { address, source })
    }

    /// The addresses of the host, in the resolver's order; those that cannot be dialled only where there are no others.
    async fn addresses(&mut self, url: &WebSeedUrl, times: &mut Times) -> Result<Vec<SocketAddr>, Fault> {
        let name = match url.host() {
            &Host::Ip(ip) => return Ok(vec![unwrapped(SocketAddr::new(ip, url.port()))]),
            Host::Name(name) => name,
        };
        if let Some(overlay) = Overlay::of(name) {
            return Err(overlay.into());
        }
        if let Some(known) = self.names.get(name) {
            return Ok(known.iter().map(|address| SocketAddr::new(address.ip(), url.port())).collect());
        }
        let begun = Instant::now();
        // A torrent could name hundreds of hosts whose look-up hangs: those of trackers must not wait behind them.
        let pool = if self.seed.policy == AddressPolicy::User { LookupPool::Users } else { LookupPool::Peers };
        let CheckContext { limits, route, shared, .. } = self.context;
        let descriptor = self.kept.descriptor(shared).await;
        let found = resolve(name, url.port(), pool, limits, *route).await;
        drop(descriptor);
        times.dns = Some(begun.elapsed());
        let found = found.map_err(Fault::unresolved)?;
        let usable: Vec<SocketAddr> = found.iter().copied().filter(|&address| route.allows(address)).collect();
        let found = if usable.is_empty() { found } else { usable };
        if self.names.len() < NAMES {
            self.names.insert(name.clone(), found.clone());
        }
        Ok(found)
    }

    /// The next file is asked at the address that has answered.
    fn prefer(&mut self, url: &WebSeedUrl, address: SocketAddr) {
        if let Host::Name(name) = url.host()
            && let Some(known) = self.names.get_mut(name)
            && let Some(place) = known.iter().position(|other| other.ip() == address.ip())
        {
            known.swap(0, place);
        }
    }
}
