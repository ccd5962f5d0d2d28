//! Who is dialled next, how many at once and how fast, and who gets a second attempt.

use crate::config::{Config, Encryption};
use crate::dial::attempt::{Attempt, Try};
use crate::dial::conversation::attempt;
use crate::dial::delay_queue::DelayQueue;
use crate::dial::parked::Parked;
use crate::dial::terms::Terms;
use crate::discovery::peers::{Lane, Peers};
use crate::shared::pacer::NextDial;
use crate::shared::shared::{ConnectionPermit, Shared};
use crate::swarm::settled;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracker::PeerAddress;

/// Attempts begun when nobody else has anything to do. Beginning them all first would show in every peer's times. While
/// others are busy, one begins for each that has ended: what is in flight is then what keeps us busy, and not a queue.
const BURST: usize = 8;

/// The attempts in flight, and those that wait for their second one.
#[derive(Debug)]
pub(crate) struct Dialler {
    terms: Arc<Terms>,
    encryption: Encryption,
    shared: Shared,
    attempts: JoinSet<Box<Attempt>>,
    delayed: DelayQueue,
    parked: Parked,
    /// Room that was waited for, and has not been used.
    room: Option<ConnectionPermit>,
    /// Attempts that may begin before others get a word in.
    turns: usize,
}

impl Dialler {
    pub(crate) fn new(terms: Terms, config: &Config, shared: &Shared) -> Self {
        Self {
            terms: Arc::new(terms),
            encryption: config.encryption,
            shared: shared.clone(),
            attempts: JoinSet::new(),
            delayed: DelayQueue::default(),
            parked: Parked::default(),
            room: None,
            turns: BURST,
        }
    }

    /// Begins a few attempts if room and pace allow; says when there could be more. The room comes first: what waits is an
    /// address, and not a task.
    pub(crate) fn dial(&mut self, peers: &mut Peers, now: Instant) -> NextDial {
        while self.turns > 0 {
            self.set_aside(peers, now);
            if !self.is_anybody_ready(peers, now) {
                self.room = None;
                return self.delayed.due().map_or(NextDial::Later, NextDial::At);
            }
            let Some(room) = self.room.take().or_else(|| self.shared.try_acquire()) else { return NextDial::Room };
            let mut tried = match self.next_try(peers, now) {
                Ok(tried) => tried,
                Err(paced_until) => {
                    let due = self.delayed.due().filter(|&due| due > now);
                    return NextDial::At(due.map_or(paced_until, |due| due.min(paced_until)));
                }
            };
            if tried.permit.is_none() && !tried.by_user {
                tried.permit = self.shared.addresses().try_acquire(tried.address.ip());
                if tried.permit.is_none() {
                    self.room = Some(room);
                    self.parked.add(tried);
                    continue;
                }
            }
            let begun = Box::new(Attempt::new(tried, room));
            let attempt = attempt(begun, Arc::clone(&self.terms));
            match peer_session::is_dumped() {
                true => self.attempts.spawn(peer_session::masking(self.terms.rules.secrets.clone(), attempt)),
                // In nearly every run, and without room for what only a dump needs.
                false => self.attempts.spawn(attempt),
            };
            self.turns -= 1;
        }
        NextDial::Now
    }

    /// What was waited for has come: room, or that everybody else has had their turn.
    pub(crate) fn waited(&mut self, room: Option<ConnectionPermit>) {
        self.room = room;
        self.turns = BURST;
    }

    /// The next attempt's end; `None` when none is in flight. May be cancelled without losing anything.
    pub(crate) async fn next(&mut self) -> Option<Box<Attempt>> {
        self.attempts.join_next().await.map(settled)
    }

    /// An attempt that is the last at its peer comes back; any other is tried again.
    pub(crate) fn settle(&mut self, mut attempt: Box<Attempt>, peers: &mut Peers) -> Option<Box<Attempt>> {
        self.turns = BURST.min(self.turns + 1);
        let again = match attempt.room.take() {
            // As long as others are in flight there will be room again: nobody is blamed.
            Some(room) => self.shared.shrink(room),
            None => {
                self.shared.grow();
                false
            }
        };
        if again {
            match attempt.tried.first {
                None => peers.put_back(PeerAddress::Socket(attempt.tried.address)),
                Some(_) => self.delayed.put_back(attempt.tried, Instant::now()),
            }
            return None;
        }
        if attempt.tried.first.is_some() || self.terms.stopped.is_said() {
            return Some(attempt);
        }
        let Some(transport) = self.encryption.second(&attempt) else { return Some(attempt) };
        let Try { address, info_hash, by_user, .. } = attempt.tried;
        let second = Try { address, info_hash, transport, by_user, permit: None, first: Some(attempt) };
        self.delayed.add(second, Instant::now());
        None
    }

    /// When the run is over: one that will not come.
    pub(crate) fn give_up(&mut self) -> Option<Try> {
        self.delayed.pop().or_else(|| self.parked.pop())
    }

    /// Attempts that have begun and not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.attempts.len()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.attempts.is_empty() && self.delayed.is_empty() && self.parked.is_empty()
    }

    /// Whether somebody waits until others, perhaps of other runs, have left their address.
    pub(crate) fn is_parked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// Closes every connection, and returns when they are closed.
    pub(crate) async fn shutdown(&mut self) {
        self.room = None;
        self.attempts.shutdown().await;
    }

    /// Has those wait for their first attempt whose address has all its connections, so that they hold up nobody and use up
    /// nothing of the pace; and takes back those that have waited long enough.
    fn set_aside(&mut self, peers: &mut Peers, now: Instant) {
        // Each is put in front of the others, so that the last comes first.
        for tried in self.parked.take(self.shared.addresses()).into_iter().rev() {
            self.delayed.put_back(tried, now);
        }
        for lane in [Lane::Loopback, Lane::Paced] {
            while let Some(&PeerAddress::Socket(address)) = peers.first_in(lane)
                && self.shared.addresses().room(address.ip()) == 0
            {
                let tried = self.first_try(address, peers);
                if tried.by_user {
                    break;
                }
                peers.next_in(lane);
                self.parked.add(tried);
            }
        }
    }

    /// Whether anybody would begin now if room and pace allowed.
    fn is_anybody_ready(&self, peers: &mut Peers, now: Instant) -> bool {
        let waits = |lane, peers: &mut Peers| peers.is_waiting(lane);
        self.delayed.due().is_some_and(|due| due <= now) || waits(Lane::Loopback, peers) || waits(Lane::Paced, peers)
    }

    /// Second attempts first, because they have waited; addresses of this machine whatever the pace. Of those that wait for
    /// the pace none is taken, and the error says until when.
    fn next_try(&mut self, peers: &mut Peers, now: Instant) -> Result<Try, Instant> {
        if let Some(tried) = self.delayed.next(now, true) {
            return Ok(tried);
        }
        if let Some(PeerAddress::Socket(address)) = peers.next_in(Lane::Loopback) {
            return Ok(self.first_try(address, peers));
        }
        self.shared.pacer().start(now)?;
        if let Some(tried) = self.delayed.next(now, false) {
            return Ok(tried);
        }
        match peers.next_in(Lane::Paced) {
            Some(PeerAddress::Socket(address)) => Ok(self.first_try(address, peers)),
            // Nobody is there after all; whoever asks again will know.
            _ => Err(now),
        }
    }

    fn first_try(&self, address: SocketAddr, peers: &Peers) -> Try {
        let peer = PeerAddress::Socket(address);
        let (info_hash, requires_crypto) = peers.greeted_with(&peer);
        let by_user = peers.is_users(&peer);
        Try {
            address,
            info_hash,
            transport: self.encryption.first(requires_crypto),
            by_user,
            permit: None,
            first: None,
        }
    }
}
