//! What all runs share about the addresses of web seeds: how many connections at once, how many new ones and how many requests a
//! second, and the pauses that servers ask for.

use crate::limits::Limits;
use crate::shared::address_quota::{AddressPermit, AddressQuota};
use crate::shared::hosts::pace::{Pace, Purpose};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Addresses after which those that are at rest are forgotten.
const MANY: usize = 1024;

/// The longest pause that is kept to, in case a server asks for years.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// All addresses of web seeds.
#[derive(Debug)]
pub(crate) struct WebHosts {
    hosts: Mutex<HashMap<IpAddr, Arc<WebHost>>>,
    /// New connections a second to each.
    rate: u32,
    /// Requests a second to each.
    requests: u32,
    /// Connections to each at once.
    connections: AddressQuota,
}

#[derive(Debug)]
struct WebHost {
    /// Of new connections.
    pace: Pace,
    /// Of requests: over one connection a thousand a second are possible, and a torrent can name a URL for each.
    requests: Pace,
    pause_ends: Mutex<Option<Instant>>,
}

/// A server has asked for a pause (`Retry-After`), and it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paused {
    pub(crate) left: Duration,
}

impl WebHosts {
    /// As the named limits say.
    pub(crate) fn new(limits: &Limits) -> Self {
        let connections = AddressQuota::new(limits.web_seed_connections);
        Self { hosts: Mutex::default(), rate: limits.web_seed_rate, requests: limits.web_seed_requests, connections }
    }

    /// Waits for the right to make a connection to `ip`; given back when it is dropped. A pause of at most `patience` is waited
    /// for, too.
    ///
    /// A check must not wait for a permit while it holds another one: two checks, each with the permit that the other one needs,
    /// would wait for ever. [`turn_if_free`](Self::turn_if_free) waits for no permit.
    pub(crate) async fn turn(&self, ip: IpAddr, patience: Duration) -> Result<AddressPermit, Paused> {
        let host = self.at(ip);
        loop {
            match host.pause() {
                Some(left) if left > patience => return Err(Paused { left }),
                Some(left) => sleep_until(Instant::now() + left).await,
                None => {
                    // The quota lives as long as this.
                    let Some(permit) = self.connections.acquire(ip).await else { continue };
                    host.pace.turn(Purpose::Question).await;
                    // One may have been asked for meanwhile.
                    if host.pause().is_none() {
                        return Ok(permit);
                    }
                }
            }
        }
    }

    /// The same if a permit is free and no pause is asked for; waits for the pace alone, which always comes.
    pub(crate) async fn turn_if_free(&self, ip: IpAddr) -> Option<AddressPermit> {
        let host = self.at(ip);
        let permit = self.connections.try_acquire(ip).filter(|_| host.pause().is_none())?;
        host.pace.turn(Purpose::Question).await;
        Some(permit).filter(|_| host.pause().is_none())
    }

    /// Waits for the turn of one request to `ip`, over a connection that is there. It always comes.
    pub(crate) async fn request_turn(&self, ip: IpAddr) {
        self.at(ip).requests.turn(Purpose::Question).await;
    }

    /// Notes that the server at `ip` asks for a pause.
    pub(crate) fn pause(&self, ip: IpAddr, time: Duration) {
        let ends = Instant::now() + time.min(LONGEST_PAUSE);
        let host = self.at(ip);
        let mut before = host.pause_ends.lock().unwrap_or_else(PoisonError::into_inner);
        *before = (*before).max(Some(ends));
    }

    fn at(&self, ip: IpAddr) -> Arc<WebHost> {
        let mut hosts = self.lock();
        if hosts.len() >= MANY {
            let now = Instant::now();
            let is_in_use = |host: &Arc<WebHost>| Arc::strong_count(host) > 1 || host.pause().is_some();
            let is_at_rest = |host: &WebHost| host.pace.is_at_rest(now) && host.requests.is_at_rest(now);
            hosts.retain(|_, host| is_in_use(host) || !is_at_rest(host));
        }
        let new = || {
            let (pace, requests) = (Pace::new(self.rate, 0), Pace::new(self.requests, self.requests));
            Arc::new(WebHost { pace, requests, pause_ends: Mutex::default() })
        };
        Arc::clone(hosts.entry(ip.to_canonical()).or_insert_with(new))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Arc<WebHost>>> {
        // Held for a look or a change, never during a wait.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WebHost {
    /// What is left of the pause that it has asked for.
    fn pause(&self) -> Option<Duration> {
        let ends = *self.pause_ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::JoinSet;
    use tokio::time::advance;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    #[tokio::test(start_paused = true)]
    async fn a_host_has_two_connections_at_once_and_two_new_ones_a_second() {
        let hosts = Arc::new(WebHosts::new(&Limits::default()));
        let (begun, mut tasks) = (Instant::now(), JoinSet::new());
        for _ in 0..9 {
            let hosts = Arc::clone(&hosts);
            tasks.spawn(async move {
                let permit = hosts.turn(IP, Duration::ZERO).await.unwrap();
                let turn = begun.elapsed().as_millis();
                // Longer than the pace: the permits are what is scarce.
                sleep_until(Instant::now() + Duration::from_millis(3000)).await;
                drop(permit);
                turn
            });
        }
        let mut turns = tasks.join_all().await;
        turns.sort_unstable();
        let expected = [0, 500, 3000, 3500, 6000, 6500, 9000, 9500, 12_000];
        assert!(turns.iter().zip(expected).all(|(&turn, at)| turn.abs_diff(at) <= 20), "{turns:?}");
        assert!(hosts.turn("8.8.8.8".parse().unwrap(), Duration::ZERO).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_free_waits_for_the_pace_alone() {
        let (hosts, begun) = (WebHosts::new(&Limits::default()), Instant::now());
        let permits = (hosts.turn_if_free(IP).await, hosts.turn_if_free(IP).await);
        assert!(permits.0.is_some() && permits.1.is_some());
        assert!(begun.elapsed().as_millis().abs_diff(500) <= 20, "{:?}", begun.elapsed());
        assert!(hosts.turn_if_free(IP).await.is_none(), "both permits are in use");
        drop(permits);
        assert!(hosts.turn_if_free(IP).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_paced_after_a_seconds_worth() {
        let (hosts, begun) = (WebHosts::new(&Limits::default()), Instant::now());
        for (requests, least) in [(100, 0), (100, 950), (300, 3950)] {
            for _ in 0..requests {
                hosts.request_turn(IP).await;
            }
            let elapsed = begun.elapsed().as_millis();
            assert!((least..least + 100).contains(&elapsed), "{elapsed} ms");
        }
        hosts.request_turn("8.8.8.8".parse().unwrap()).await;
        assert!(begun.elapsed().as_millis() < 4050);
        let (hosts, begun) = (WebHosts::new(&Limits::default().with_web_seed_requests(0)), Instant::now());
        for _ in 0..10_000 {
            hosts.request_turn(IP).await;
        }
        assert_eq!(begun.elapsed().as_millis(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_pause_is_waited_for_and_a_long_one_is_not() {
        let (hosts, patience) = (WebHosts::new(&Limits::default()), Duration::from_secs(5));
        hosts.pause(IP, Duration::from_secs(60));
        hosts.pause(IP, Duration::from_secs(2));
        assert!(hosts.turn_if_free(IP).await.is_none());
        assert_eq!(hosts.turn(IP, patience).await.err(), Some(Paused { left: Duration::from_secs(60) }));
        advance(Duration::from_secs(57)).await;
        let begun = Instant::now();
        assert!(hosts.turn(IP, patience).await.is_ok());
        assert_eq!(begun.elapsed().as_secs(), 3);
        hosts.pause(IP, Duration::MAX);
        assert!(hosts.turn(IP, patience).await.is_err_and(|paused| paused.left == LONGEST_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_at_rest_are_forgotten_and_pauses_are_not() {
        let hosts = WebHosts::new(&Limits::default());
        hosts.pause(IP, Duration::from_secs(60));
        for n in 0..5000_u32 {
            drop(hosts.turn_if_free(IpAddr::V4(n.into())).await);
            advance(Duration::from_millis(2)).await;
        }
        assert!(hosts.lock().len() <= MANY, "{}", hosts.lock().len());
        assert!(hosts.turn_if_free(IP).await.is_none());
    }
}
