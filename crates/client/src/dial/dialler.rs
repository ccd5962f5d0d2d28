//! Which peer is dialled next, how many at once and how fast, and which get further attempts.

use crate::config::{Config, TransportPolicy};
use crate::dial::attempt::{Attempt, DialRequest};
use crate::dial::conversation;
use crate::dial::delay_queue::DelayQueue;
use crate::dial::expected::Expectations;
use crate::dial::further::{Further, Policies};
use crate::dial::next_dial::NextDial;
use crate::dial::pairs::Pairs;
use crate::dial::parked::Parked;
use crate::dial::peer_context::PeerContext;
use crate::dial::rest::{Closed, Done, Ended};
use crate::dial::turns::Turns;
use crate::discovery::introduction::DialHints;
use crate::discovery::peers::{Peers, Queue};
use crate::net::task::settled;
use crate::shared::Shared;
use crate::shared::permits::ConnectionPermit;
use report::Transport;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracker::PeerAddress;

/// The attempts in flight, and those that wait for their time or for a permit of their address.
///
/// A peer waits in a queue of [`Peers`] until there is a connection permit. Its first attempt is moved to `parked` while its
/// address has no permit left, and from there to the front of `delayed`, where further attempts wait for their time.
#[derive(Debug)]
pub(crate) struct Dialler {
    context: Arc<PeerContext>,
    policies: Policies,
    shared: Shared,
    /// The attempts in flight, and the connections that go on behind a peer's report: one task for each.
    attempts: JoinSet<Ended>,
    /// Attempts that have ended while their connection goes on.
    told: UnboundedReceiver<Box<Attempt>>,
    /// A connection that is over, until all that was told before is taken in.
    closed: Option<Box<Closed>>,
    delayed: DelayQueue,
    parked: Parked,
    pairs: Pairs,
    /// A connection permit that was waited for and has not been used.
    permit: Option<ConnectionPermit>,
    turns: Turns,
    /// Peers that were greeted by their torrent's other half.
    for_layers: usize,
    /// When the run last looked for attempts that are overdue, while peers wait for permits.
    looked: Option<Instant>,
    /// Connections that stay open behind a peer's report.
    kept: usize,
}

/// Time between two looks for attempts that are overdue, while peers wait for permits: a cut wakes all that are in flight.
const BETWEEN_CUTS: Duration = Duration::from_millis(100);

/// How long an attempt must be overdue before it is cut for a peer that waits for a permit. A first attempt over TCP is overdue after
/// 2.75 s at the earliest: its third SYN, sent after 3 s, has then had a second to be answered, also where a network or a machine
/// stood still for a moment.
const FOR_A_PERMIT: Duration = Duration::from_millis(1250);

/// Most peers of a run that are greeted by their torrent's other half, too.
const FOR_LAYERS: usize = 4;

impl Dialler {
    /// `told` receives the attempts that the context is given: those that have ended while their connection goes on.
    pub(crate) fn new(
        (context, told): (PeerContext, UnboundedReceiver<Box<Attempt>>),
        config: &Config,
        shared: &Shared,
    ) -> Self {
        Self {
            context: Arc::new(context),
            policies: Policies { encryption: config.encryption, transport: config.transport },
            shared: shared.clone(),
            attempts: JoinSet::new(),
            told,
            closed: None,
            delayed: DelayQueue::default(),
            parked: Parked::default(),
            pairs: Pairs::default(),
            permit: None,
            turns: Turns::default(),
            for_layers: 0,
            looked: None,
            kept: 0,
        }
    }

    /// Begins a few attempts if permits and pace allow, and says when there can be more. The connection permit comes first: what
    /// waits for one is an address, and not a task.
    pub(crate) fn dial(&mut self, peers: &mut Peers, now: Instant) -> NextDial {
        while self.turns.is_any_left() {
            self.set_aside(peers, now);
            if !self.is_any_ready(peers, now) {
                self.permit = None;
                return self.delayed.due().map_or(NextDial::Later, NextDial::At);
            }
            let Some(permit) = self.permit.take().or_else(|| self.shared.connections().try_acquire()) else {
                return NextDial::Permit;
            };
            let mut request = match self.next_try(peers, now) {
                Ok(request) => request,
                Err(paced_until) => {
                    let due = self.delayed.due().filter(|&due| due > now);
                    return NextDial::At(due.map_or(paced_until, |due| due.min(paced_until)));
                }
            };
            if request.permit.is_none() && !request.by_user {
                request.permit = self.shared.addresses().try_acquire(request.address.ip());
                if request.permit.is_none() {
                    self.permit = Some(permit);
                    self.parked.add(request);
                    continue;
                }
            }
            self.begin(request, permit);
        }
        NextDial::Now
    }

    fn begin(&mut self, request: DialRequest, permit: ConnectionPermit) {
        let attempt = Box::new(Attempt::new(request, permit));
        let attempt = conversation::attempt(attempt, Arc::clone(&self.context));
        match peer_session::is_dumped() {
            true => self.attempts.spawn(peer_session::masking(self.context.rules.secrets.clone(), attempt)),
            // In nearly every run, and without the bytes that only a dump needs.
            false => self.attempts.spawn(attempt),
        };
        self.turns.begun();
    }

    /// Ends attempts that are overdue, and says when to look again. While peers wait for permits it ends as many as there are peers waiting,
    /// of those that have been overdue for [`FOR_A_PERMIT`]; else all, once all in flight are overdue, if the run `has_only_attempts` to
    /// wait for.
    pub(crate) fn cut_overdue(
        &mut self,
        next: NextDial,
        peers: &Peers,
        has_only_attempts: bool,
        now: Instant,
    ) -> Option<Instant> {
        let expectations = &self.context.expectations;
        if next == NextDial::Permit {
            expectations.ignore();
            // No attempt is in flight that could be cut, and each look would take this run out of the queue for permits.
            if self.attempts.len() == self.kept {
                return None;
            }
            if let Some(look) = self.looked.map(|last| last + BETWEEN_CUTS).filter(|&look| look > now) {
                return Some(look);
            }
            self.looked = Some(now);
            let long_ago = now.checked_sub(FOR_A_PERMIT).unwrap_or(now);
            if expectations.first_overdue().is_some_and(|first| first <= long_ago) {
                expectations.cut(peers.waiting() + self.delayed.len(), long_ago);
            }
            return Some(now + BETWEEN_CUTS);
        }
        if !has_only_attempts || self.kept > 0 || !self.delayed.is_empty() {
            expectations.ignore();
            return None;
        }
        let look = expectations.all_overdue(self.attempts.len())?;
        if look > now {
            return Some(look);
        }
        expectations.cut(usize::MAX, now);
        None
    }

    /// Tells when the run has to look again at what is overdue.
    pub(crate) fn expectations(&self) -> Arc<Expectations> {
        Arc::clone(&self.context.expectations)
    }

    /// Ends all attempts, for good.
    pub(crate) fn stop(&self) {
        self.context.expectations.stop();
    }

    /// Takes in that a wait has ended: the permit, if one was waited for; and that other tasks have had their turn, so that a
    /// few attempts may begin again.
    pub(crate) fn waited(&mut self, permit: Option<ConnectionPermit>) {
        self.permit = permit;
        self.turns.waited();
    }

    /// The next end of an attempt, or of a connection behind one; `None` when none is in flight. May be cancelled without losing
    /// anything.
    pub(crate) async fn next(&mut self) -> Option<Done> {
        if self.closed.is_none() {
            tokio::select! {
                biased;
                Some(attempt) = self.told.recv() => return Some(self.goes_on(attempt)),
                ended = self.attempts.join_next() => match settled(ended?) {
                    Ended::Closed(closed) => self.closed = Some(closed),
                    Ended::Attempt(attempt) => return Some(Done::Attempt(attempt)),
                },
            }
        }
        // Another thread may have told of the attempt since that was looked at.
        if let Ok(attempt) = self.told.try_recv() {
            return Some(self.goes_on(attempt));
        }
        self.kept -= 1;
        self.closed.take().map(Done::Closed)
    }

    fn goes_on(&mut self, attempt: Box<Attempt>) -> Done {
        self.kept += 1;
        Done::GoesOn(attempt)
    }

    /// Takes in an attempt that has ended. The last one at its peer comes back; any other peer is dialled again.
    pub(crate) fn settle(&mut self, mut attempt: Box<Attempt>, peers: &mut Peers) -> Option<Box<Attempt>> {
        self.turns.ended();
        if self.is_local_limit(&mut attempt) {
            self.put_back(attempt.request, peers);
            return None;
        }
        if attempt.request.for_layers {
            return None;
        }
        if attempt.request.is_paired {
            attempt = self.pairs.end(attempt.request.address, Some(attempt))?;
        }
        if self.context.stopped.is_set() {
            return Some(attempt);
        }
        let Some(further) = self.policies.after(&attempt) else { return Some(attempt) };
        self.dial_again(attempt, further);
        None
    }

    /// Gives back an attempt's permit. Says whether our machine was exhausted, and others in flight will end.
    fn is_local_limit(&self, attempt: &mut Attempt) -> bool {
        match attempt.permit.take() {
            Some(permit) => permit.shrink(),
            None => {
                self.shared.connections().grow();
                false
            }
        }
    }

    /// Makes an attempt again that our machine had nothing left for.
    fn put_back(&mut self, request: DialRequest, peers: &mut Peers) {
        match request.earlier {
            None if request.for_layers => {}
            None if !request.is_paired => peers.put_back(request.address),
            _ => self.delayed.put_back(request, Instant::now()),
        }
    }

    /// Makes one attempt more at a peer, or two.
    fn dial_again(&mut self, last: Box<Attempt>, Further { way, is_at_once, beside }: Further) {
        let DialRequest { address, info_hash, by_user, .. } = last.request;
        let request = |way| DialRequest::new((address, info_hash), way, by_user, self.context.expectations.one());
        let (round_trip, is_paired, now) = (last.progress.connect, beside.is_some(), Instant::now());
        let further = DialRequest { earlier: Some(last), is_paired, ..request(way) };
        if let Some(way) = beside {
            let known_ms = round_trip.and_then(|time| u16::try_from(time.as_millis()).ok()).unwrap_or(u16::MAX);
            let beside = DialRequest { is_paired, known_ms, ..request(way) };
            self.pairs.begin(address);
            self.delayed.add(beside, round_trip, now);
        }
        match is_at_once {
            true => self.delayed.put_back(further, now),
            false => self.delayed.add(further, round_trip, now),
        }
    }

    /// Dials a peer once more that can be asked for piece layers by the torrent's other half alone, as long as there are few.
    pub(crate) fn dial_for_layers(&mut self, closed: &Closed) {
        let Closed { address, encryption, by_user, transport, ref theirs, .. } = *closed;
        let info_hash = self.context.offers.other_half(theirs).filter(|_| !closed.for_layers);
        if let Some(info_hash) = info_hash.filter(|_| self.for_layers < FOR_LAYERS && !self.context.stopped.is_set()) {
            self.for_layers += 1;
            let next = DialRequest::new(
                (address, info_hash),
                (transport, encryption),
                by_user,
                self.context.expectations.one(),
            );
            let again = DialRequest { for_layers: true, ..next };
            self.delayed.add(again, None, Instant::now());
        }
    }

    /// After the end of the run: a peer at which no attempt will be made any more, with those that were.
    pub(crate) fn give_up(&mut self) -> Option<(SocketAddr, Option<Box<Attempt>>)> {
        loop {
            let request = self.delayed.pop().or_else(|| self.parked.pop())?;
            match request {
                DialRequest { for_layers: true, .. } => {}
                DialRequest { is_paired: true, address, earlier, .. } => {
                    if let Some(attempt) = self.pairs.end(address, earlier) {
                        return Some((address, Some(attempt)));
                    }
                }
                DialRequest { address, earlier, .. } => return Some((address, earlier)),
            }
        }
    }

    /// Attempts that have begun and not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.attempts.len()
    }

    /// Whether no attempt is in flight or waits here.
    pub(crate) fn is_idle(&self) -> bool {
        let is_all_told = self.attempts.is_empty() && self.told.is_empty() && self.closed.is_none();
        is_all_told && self.delayed.is_empty() && self.parked.is_empty()
    }

    /// Whether a peer waits for a permit of its address, which another run may hold.
    pub(crate) fn is_parked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// Closes every connection, and returns when they are closed.
    pub(crate) async fn shutdown(&mut self) {
        self.permit = None;
        self.attempts.shutdown().await;
    }

    /// Parks the peers at the front of the queues whose address has no permit left, so that they neither hold up the others
    /// nor use up the pace; and takes back those whose address has one again.
    fn set_aside(&mut self, peers: &mut Peers, now: Instant) {
        // Each is put in front of the others, so that the last comes first.
        for request in self.parked.take(self.shared.addresses()).into_iter().rev() {
            self.delayed.put_back(request, now);
        }
        for queue in [Queue::Loopback, Queue::Paced] {
            while let Some(address) = peers.first_in(queue)
                && self.shared.addresses().is_full(address.ip())
            {
                let request = self.first_try(address, peers);
                if request.by_user {
                    break;
                }
                peers.next_in(queue);
                self.parked.add(request);
            }
        }
    }

    /// Whether an attempt could begin now if permits and pace allowed.
    fn is_any_ready(&self, peers: &Peers, now: Instant) -> bool {
        self.delayed.due().is_some_and(|due| due <= now)
            || peers.first_in(Queue::Loopback).is_some()
            || peers.first_in(Queue::Paced).is_some()
    }

    /// Further attempts first, because they have waited; addresses of this machine whatever the pace. If all that are left have
    /// to wait for the pace, the error says until when.
    fn next_try(&mut self, peers: &mut Peers, now: Instant) -> Result<DialRequest, Instant> {
        if let Some(request) = self.delayed.next(now, true) {
            return Ok(request);
        }
        if let Some(address) = peers.next_in(Queue::Loopback) {
            return Ok(self.first_try(address, peers));
        }
        self.shared.pacer(self.next_transport(peers, now)).start(now)?;
        if let Some(request) = self.delayed.next(now, false) {
            return Ok(request);
        }
        // Not empty: a delayed attempt that is due is taken above.
        peers.next_in(Queue::Paced).map(|address| self.first_try(address, peers)).ok_or(now)
    }

    /// What carries the next attempt that has to wait for a pace.
    fn next_transport(&self, peers: &Peers, now: Instant) -> Transport {
        let first = || peers.first_in(Queue::Paced).map(|address| self.first_try(address, peers).transport);
        self.delayed.transport(now).or_else(first).unwrap_or_default()
    }

    fn first_try(&self, address: SocketAddr, peers: &Peers) -> DialRequest {
        let DialHints { info_hash, requires_crypto, takes_utp, by_user } = peers.hints(&PeerAddress::Socket(address));
        let encryption = self.policies.encryption.first(requires_crypto);
        let (transport, may_try_both) = match self.policies.transport {
            TransportPolicy::Auto => (if takes_utp { Transport::Utp } else { Transport::Tcp }, true),
            TransportPolicy::Tcp => (Transport::Tcp, false),
            TransportPolicy::Utp => (Transport::Utp, false),
        };
        let first =
            DialRequest::new((address, info_hash), (transport, encryption), by_user, self.context.expectations.one());
        DialRequest { may_try_both, ..first }
    }
}
