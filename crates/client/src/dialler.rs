//! Who is dialled next, how many at once and how fast, and who gets a second attempt.

use crate::attempt::{Attempt, Terms, Try, attempt};
use crate::engine::settled;
use crate::pacer::{More, Pacer};
use crate::peers::{Lane, Peers};
use crate::retries::Retries;
use crate::stop::Stopped;
use crate::{Config, Encryption};
use nix::sys::resource::{Resource, getrlimit};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracker::PeerAddress;

/// Descriptors left to everything that is no peer: standard streams, trackers, the runtime, a host program. Of a low
/// limit, a quarter.
const DESCRIPTOR_RESERVE: u64 = 96;
/// Attempts begun before others get a word in. Beginning them all first would show in every peer's times.
const BURST: usize = 8;

/// The attempts in flight, and those that wait for their second one.
#[derive(Debug)]
pub(crate) struct Dialler {
    terms: Arc<Terms>,
    encryption: Encryption,
    stopped: Stopped,
    attempts: JoinSet<Attempt>,
    retries: Retries,
    pacer: Pacer,
    width: usize,
    /// What the width grows back to when our machine has room again.
    full_width: usize,
}

impl Dialler {
    pub(crate) fn new(terms: Terms, config: &Config, stopped: Stopped) -> Self {
        let width = width(config.concurrency);
        Self {
            terms: Arc::new(terms),
            encryption: config.encryption,
            stopped,
            attempts: JoinSet::new(),
            retries: Retries::default(),
            pacer: Pacer::new(config.rate),
            width,
            full_width: width,
        }
    }

    /// Begins a few attempts if width and pace allow; says when there could be more.
    pub(crate) fn dial(&mut self, peers: &mut Peers) -> More {
        for _ in 0..BURST {
            if self.attempts.len() >= self.width {
                return More::Later;
            }
            let now = Instant::now();
            let paced_until = self.pacer.ready_at().filter(|&at| at > now);
            let Some(tried) = self.next_try(peers, now, paced_until.is_some()) else {
                return self.when_more(peers, now, paced_until);
            };
            if !tried.address.ip().is_loopback() {
                self.pacer.started(now);
            }
            let (terms, stopped) = (Arc::clone(&self.terms), self.stopped.clone());
            self.attempts.spawn(attempt(tried, terms, stopped));
        }
        More::Now
    }

    /// The next attempt's end; `None` when none is in flight. May be cancelled without losing anything.
    pub(crate) async fn next(&mut self) -> Option<Attempt> {
        self.attempts.join_next().await.map(settled)
    }

    /// An attempt that is the last at its peer comes back; any other is tried again.
    pub(crate) fn settle(&mut self, attempt: Attempt, peers: &mut Peers) -> Option<Attempt> {
        // As long as others are in flight there will be room again: nobody is blamed, the width is narrowed.
        if attempt.exhausted && !self.attempts.is_empty() {
            self.width = self.attempts.len();
            match attempt.tried.first {
                None => peers.put_back(PeerAddress::Socket(attempt.tried.address)),
                Some(_) => self.retries.put_back(attempt.tried, Instant::now()),
            }
            return None;
        }
        self.width = self.full_width.min(self.width + 1);
        if attempt.tried.first.is_some() || self.stopped.is_said() {
            return Some(attempt);
        }
        let Some(transport) = self.encryption.second(&attempt) else { return Some(attempt) };
        let Try { address, info_hash, .. } = attempt.tried;
        let second = Try { address, info_hash, transport, first: Some(Box::new(attempt)) };
        self.retries.add(second, Instant::now());
        None
    }

    /// When the run is over: a first attempt whose second will not come.
    pub(crate) fn give_up(&mut self) -> Option<Attempt> {
        self.retries.pop().and_then(|tried| tried.first).map(|first| *first)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.attempts.is_empty() && self.retries.is_empty()
    }

    /// Closes every connection, and returns when they are closed.
    pub(crate) async fn shutdown(&mut self) {
        self.attempts.shutdown().await;
    }

    /// Second attempts first, because they have waited; addresses of this machine whatever the pace.
    fn next_try(&mut self, peers: &mut Peers, now: Instant, loopback_only: bool) -> Option<Try> {
        if let Some(tried) = self.retries.next(now, loopback_only) {
            return Some(tried);
        }
        let lane = |lane, peers: &mut Peers| match peers.next_in(lane) {
            Some(PeerAddress::Socket(address)) => Some(address),
            _ => None,
        };
        let address = lane(Lane::Loopback, peers);
        let address = address.or_else(|| if loopback_only { None } else { lane(Lane::Paced, peers) })?;
        Some(self.first_try(address, peers))
    }

    fn first_try(&self, address: SocketAddr, peers: &Peers) -> Try {
        let peer = PeerAddress::Socket(address);
        let transport = self.encryption.first(peers.requires_crypto(&peer));
        Try { address, info_hash: peers.info_hash(&peer), transport, first: None }
    }

    /// When somebody who waits could have a turn.
    fn when_more(&self, peers: &mut Peers, now: Instant, paced_until: Option<Instant>) -> More {
        let paced = paced_until.filter(|_| peers.is_waiting(Lane::Paced));
        let due = self.retries.due().map(|due| if due <= now { paced_until.unwrap_or(due) } else { due });
        match paced.into_iter().chain(due).min() {
            Some(at) => More::At(at),
            None => More::Later,
        }
    }
}

/// Attempts at once: what was asked for, or what the descriptor limit allows.
fn width(asked: Option<usize>) -> usize {
    // Where the limit cannot be read, the system's refusals narrow the width.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let allowed = usize::try_from(limit - DESCRIPTOR_RESERVE.min(limit / 4)).unwrap_or(usize::MAX);
    asked.unwrap_or(usize::MAX).min(allowed).max(1)
}
