//! Which peer is dialled next, how many at once and how fast, and which get further attempts.

use crate::config::{Config, EncryptionPolicy, TransportPolicy};
use crate::dial::attempt::{Attempt, DialRequest};
use crate::dial::conversation::attempt;
use crate::dial::delay_queue::DelayQueue;
use crate::dial::opening::other;
use crate::dial::parked::Parked;
use crate::dial::peer_context::PeerContext;
use crate::dial::turns::Turns;
use crate::discovery::introduction::DialHints;
use crate::discovery::peers::{Peers, Queue};
use crate::net::task::settled;
use crate::shared::Shared;
use crate::shared::permits::ConnectionPermit;
use report::{Encryption, Outcome, Stage, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tracker::PeerAddress;

/// The attempts in flight, and those that wait for their time or for a permit of their address.
///
/// A peer waits in a queue of [`Peers`] until there is a connection permit. Its first attempt is moved to `parked` while its
/// address has no permit left, and from there to the front of `delayed`, where second attempts wait for their time.
#[derive(Debug)]
pub(crate) struct Dialler {
    context: Arc<PeerContext>,
    encryption: EncryptionPolicy,
    transport: TransportPolicy,
    shared: Shared,
    attempts: JoinSet<Box<Attempt>>,
    delayed: DelayQueue,
    parked: Parked,
    /// A connection permit that was waited for and has not been used.
    permit: Option<ConnectionPermit>,
    turns: Turns,
    /// Peers that were greeted by their torrent's other half.
    for_layers: usize,
}

/// Most peers of a run that are greeted by their torrent's other half, too.
const FOR_LAYERS: usize = 4;

/// When the next attempt can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextDial {
    /// At once, after other tasks have had a turn.
    Now,
    /// When the pace allows, or a second attempt is due.
    At(Instant),
    /// When there is a connection permit.
    Permit,
    /// Not before something else has happened.
    Later,
}

impl NextDial {
    /// Waits until then, and gives the permit that was waited for; [`NextDial::Later`] is not waited for.
    pub(crate) async fn wait(self, shared: &Shared) -> Option<ConnectionPermit> {
        match self {
            Self::Now => tokio::task::yield_now().await,
            Self::At(at) => sleep_until(at).await,
            Self::Permit => return shared.connections().acquire().await,
            Self::Later => {}
        }
        None
    }
}

impl Dialler {
    pub(crate) fn new(context: PeerContext, config: &Config, shared: &Shared) -> Self {
        Self {
            context: Arc::new(context),
            encryption: config.encryption,
            transport: config.transport,
            shared: shared.clone(),
            attempts: JoinSet::new(),
            delayed: DelayQueue::default(),
            parked: Parked::default(),
            permit: None,
            turns: Turns::default(),
            for_layers: 0,
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
        let attempt = attempt(Box::new(Attempt::new(request, permit)), Arc::clone(&self.context));
        match peer_session::is_dumped() {
            true => self.attempts.spawn(peer_session::masking(self.context.rules.secrets.clone(), attempt)),
            // In nearly every run, and without the bytes that only a dump needs.
            false => self.attempts.spawn(attempt),
        };
        self.turns.begun();
    }

    /// Takes in that a wait has ended: the permit, if one was waited for; and that other tasks have had their turn, so that a
    /// few attempts may begin again.
    pub(crate) fn waited(&mut self, permit: Option<ConnectionPermit>) {
        self.permit = permit;
        self.turns.waited();
    }

    /// The next attempt's end; `None` when none is in flight. May be cancelled without losing anything.
    pub(crate) async fn next(&mut self) -> Option<Box<Attempt>> {
        self.attempts.join_next().await.map(settled)
    }

    /// Takes in an attempt that has ended. The last one at its peer comes back; any other peer is dialled again.
    pub(crate) fn settle(&mut self, mut attempt: Box<Attempt>, peers: &mut Peers) -> Option<Box<Attempt>> {
        self.turns.ended();
        let is_local_limit = match attempt.permit.take() {
            // Our machine was exhausted. Others in flight will end, and then this peer is dialled again.
            Some(permit) => permit.shrink(),
            None => {
                self.shared.connections().grow();
                false
            }
        };
        if is_local_limit {
            match attempt.request.earlier {
                None if attempt.request.for_layers => {}
                None => peers.put_back(attempt.request.address),
                Some(_) => self.delayed.put_back(attempt.request, Instant::now()),
            }
            return None;
        }
        if attempt.request.for_layers {
            return None;
        }
        self.dial_for_layers(&attempt);
        if self.context.stopped.is_set() {
            return Some(attempt);
        }
        let Some((transport, encryption)) = self.further(&attempt) else { return Some(attempt) };
        // Where there was no connection, no client can refuse an address that comes back soon.
        let is_at_once = attempt.progress.stage() == Stage::Connect && transport != attempt.progress.transport;
        let DialRequest { address, info_hash, by_user, .. } = attempt.request;
        let next = DialRequest::new((address, info_hash), (transport, encryption), by_user);
        let further = DialRequest { earlier: Some(attempt), ..next };
        match is_at_once {
            true => self.delayed.put_back(further, Instant::now()),
            false => self.delayed.add(further, Instant::now()),
        }
        None
    }

    /// How a peer is dialled again after this attempt: with another encryption, then over the other transport; `None` when that
    /// would tell nothing new.
    fn further(&self, last: &Attempt) -> Option<(Transport, Encryption)> {
        let transport = last.progress.transport;
        let is_first = last.and_earlier().skip(1).all(|attempt| attempt.progress.transport != transport);
        let second = is_first.then(|| second_encryption(self.encryption, last)).flatten();
        if let Some(encryption) = second {
            return Some((transport, encryption));
        }
        let has_tried =
            |attempt: &Attempt| attempt.progress.beside.is_some() || attempt.progress.transport != transport;
        let is_left = self.transport == TransportPolicy::Auto
            && last.and_earlier().all(|attempt| attempt.may_mean_other_transport() && !has_tried(attempt));
        let first = last.and_earlier().last()?.request.encryption;
        is_left.then(|| (other(transport), first))
    }

    /// Dials a peer once more that can be asked for piece layers by the torrent's other half alone, as long as there are few.
    fn dial_for_layers(&mut self, attempt: &Attempt) {
        let DialRequest { address, encryption, by_user, .. } = attempt.request;
        let transport = attempt.progress.transport;
        let theirs = attempt.progress.session.theirs.filter(|_| attempt.outcome == Outcome::Ok);
        let info_hash = theirs.and_then(|theirs| self.context.offers.other_half(&theirs));
        if let Some(info_hash) = info_hash.filter(|_| self.for_layers < FOR_LAYERS && !self.context.stopped.is_set()) {
            self.for_layers += 1;
            let next = DialRequest::new((address, info_hash), (transport, encryption), by_user);
            let again = DialRequest { for_layers: true, ..next };
            self.delayed.add(again, Instant::now());
        }
    }

    /// After the end of the run: an attempt that will not be made.
    pub(crate) fn give_up(&mut self) -> Option<DialRequest> {
        std::iter::from_fn(|| self.delayed.pop().or_else(|| self.parked.pop())).find(|request| !request.for_layers)
    }

    /// Attempts that have begun and not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.attempts.len()
    }

    /// Whether no attempt is in flight or waits here.
    pub(crate) fn is_idle(&self) -> bool {
        self.attempts.is_empty() && self.delayed.is_empty() && self.parked.is_empty()
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

    /// Second attempts first, because they have waited; addresses of this machine whatever the pace. If all that are left have
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
        let encryption = self.encryption.first(requires_crypto);
        let (transport, may_try_both) = match self.transport {
            TransportPolicy::Auto => (if takes_utp { Transport::Utp } else { Transport::Tcp }, true),
            TransportPolicy::Tcp => (Transport::Tcp, false),
            TransportPolicy::Utp => (Transport::Utp, false),
        };
        let first = DialRequest::new((address, info_hash), (transport, encryption), by_user);
        DialRequest { may_try_both, ..first }
    }
}

/// How a peer is encrypted after this first attempt over a transport; `None` when a second would tell nothing new.
fn second_encryption(policy: EncryptionPolicy, first: &Attempt) -> Option<Encryption> {
    match (policy, first.request.encryption) {
        (EncryptionPolicy::Off | EncryptionPolicy::Require, _) => None,
        (_, Encryption::None) => first.may_mean_encryption().then_some(Encryption::Rc4),
        _ => first.ended_in_the_handshake().then_some(Encryption::None),
    }
}
