//! The host names of trackers, each looked up once: several URLs, and the redirects of several conversations, name the same.

use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::Ending;
use crate::discovery::trackers::job::TrackerJob;
use crate::net::overlay::Overlay;
use crate::net::resolve::{LookupPool, NO_ROUTE, NO_THREAD, resolve, unwrapped};
use crate::shared::hosts::pace::Purpose;
use crate::shared::hosts::silence::{Endpoint, Silence};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;
use tracker::Host;

/// Time after which a look-up that fails is slow.
const SLOW: Duration = Duration::from_secs(1);

/// The host names of a run.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Known>);

#[derive(Debug)]
enum Known {
    /// Being looked up; these jobs wait for it.
    Soon(Vec<TrackerJob>),
    Found(Vec<IpAddr>),
    Failed(io::ErrorKind, String),
    /// Not looked up: an earlier run's look-up failed, and took long.
    Silent(Silence, Duration),
}

/// What is next for a tracker.
pub(crate) enum HostLookup {
    /// Its addresses are known, or why there are none.
    Ask(TrackerJob, Result<Vec<SocketAddr>, Ending>),
    LookUp(TrackerJob, String),
    /// The look-up for another URL goes on.
    Wait,
}

impl Names {
    /// What is next for `job`.
    pub(crate) fn next(&mut self, job: TrackerJob) -> HostLookup {
        let name = match job.url.host() {
            Host::Name(name) => name.clone(),
            &Host::Ip(ip) => {
                let address = unwrapped(SocketAddr::new(ip, job.url.port()));
                return HostLookup::Ask(job, Ok(vec![address]));
            }
        };
        if let Some(overlay) = Overlay::of(&name) {
            return HostLookup::Ask(job, Err(overlay.into()));
        }
        match self.0.get_mut(&name) {
            None => {
                self.0.insert(name.clone(), Known::Soon(Vec::new()));
                HostLookup::LookUp(job, name)
            }
            Some(Known::Soon(waiting)) => {
                waiting.push(job);
                HostLookup::Wait
            }
            Some(Known::Found(ips)) => {
                let addresses = ips.iter().map(|&ip| SocketAddr::new(ip, job.url.port())).collect();
                HostLookup::Ask(job, Ok(addresses))
            }
            Some(Known::Failed(kind, reason)) => {
                let error = io::Error::new(*kind, reason.clone());
                HostLookup::Ask(job, Err(Ending::unresolved(error)))
            }
            Some(&mut Known::Silent(silence, ago)) => HostLookup::Ask(job, Err(Ending::KnownSilent { silence, ago })),
        }
    }

    /// Takes in the result of the look-up for `job`, and gives the jobs that waited for it.
    pub(crate) fn learn(&mut self, job: &TrackerJob, found: &Result<Vec<SocketAddr>, Ending>) -> Vec<TrackerJob> {
        let Host::Name(name) = job.url.host() else { return Vec::new() };
        let known = match found {
            Ok(addresses) => Known::Found(addresses.iter().map(SocketAddr::ip).collect()),
            Err(Ending::ResolveFailed(error) | Ending::NoConnection { source: error, .. }) => {
                Known::Failed(error.kind(), error.to_string())
            }
            &Err(Ending::KnownSilent { silence, ago }) => Known::Silent(silence, ago),
            // The run has ended.
            Err(_) => Known::Failed(io::ErrorKind::Interrupted, "not looked up".to_owned()),
        };
        match self.0.insert(name.clone(), known) {
            Some(Known::Soon(waiting)) => waiting,
            _ => Vec::new(),
        }
    }

    /// The jobs that still wait.
    pub(crate) fn give_up(&mut self) -> Vec<TrackerJob> {
        let waiting = |known: &mut Known| match known {
            Known::Soon(waiting) => std::mem::take(waiting),
            _ => Vec::new(),
        };
        self.0.values_mut().flat_map(waiting).collect()
    }
}

/// The addresses of a host, in the resolver's order. A name that takes long to fail is not looked up by the next run, as an
/// address that is silent is not asked.
pub(crate) async fn addresses_of(name: &str, port: u16, context: &AnnounceContext) -> Result<Vec<SocketAddr>, Ending> {
    let silences = &context.shared.tracker_hosts().silences;
    let endpoint = Endpoint::Name(name.to_owned());
    silences.look(&endpoint, Instant::now())?;
    let _descriptor = context.shared.descriptor(Purpose::Question).await;
    let question = silences.ask(endpoint, Instant::now())?;
    let found = context
        .waits
        .answer(pin!(resolve(name, port, LookupPool::Trackers, &context.limits, context.route)), || {})
        .await;
    match &found {
        Ok(_) => question.answered(),
        // A lack of this machine's says nothing about the name.
        Err(error) if matches!(error.kind(), NO_THREAD | NO_ROUTE) => {}
        Err(_) if question.age() >= SLOW => question.silent(Silence::NotResolved),
        Err(_) => {}
    }
    found.map_err(Ending::unresolved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::AddressPolicy;

    fn job(url: &str) -> TrackerJob {
        TrackerJob::new(url.parse().unwrap(), AddressPolicy::User, false, &guard::Secrets::default())
    }

    #[test]
    fn a_host_is_looked_up_once_whatever_its_ports() {
        let mut names = Names::default();
        let first = job("http://t.example/announce");
        assert!(matches!(names.next(first.clone()), HostLookup::LookUp(..)));
        assert!(matches!(names.next(job("udp://T.example:6969")), HostLookup::Wait));
        assert!(matches!(names.next(job("http://other.example/announce")), HostLookup::LookUp(..)));
        let found = Ok(vec!["9.9.9.9:80".parse().unwrap()]);
        let waited = names.learn(&first, &found);
        let [udp] = <[TrackerJob; 1]>::try_from(waited).unwrap();
        let HostLookup::Ask(_, Ok(addresses)) = names.next(udp) else { panic!("it is known") };
        assert_eq!(addresses, ["9.9.9.9:6969".parse().unwrap()]);
        let HostLookup::Ask(_, Ok(addresses)) = names.next(job("http://[::ffff:9.9.9.9]/announce")) else {
            panic!("an address needs no look-up")
        };
        assert_eq!(addresses, ["9.9.9.9:80".parse().unwrap()]);
    }

    #[test]
    fn a_host_of_another_network_is_not_looked_up() {
        let mut names = Names::default();
        for _ in 0..2 {
            let HostLookup::Ask(_, Err(status)) = names.next(job("http://T.onion./announce")) else {
                panic!("no look-up")
            };
            assert_eq!(status.status(), report::TrackerStatus::ResolveFailed);
        }
    }

    #[test]
    fn a_failure_is_every_urls_failure() {
        let mut names = Names::default();
        let first = job("http://t.example/announce");
        assert!(matches!(names.next(first.clone()), HostLookup::LookUp(..)));
        names.learn(&first, &Err(Ending::ResolveFailed(io::Error::other("no such name"))));
        let HostLookup::Ask(_, Err(status)) = names.next(job("https://t.example/announce")) else {
            panic!("it is known")
        };
        assert_eq!(guard::ErrorChain(&status).to_string(), "host name does not resolve: no such name");
    }
}
