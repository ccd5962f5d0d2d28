//! Who is asked for which piece, and what follows from the answers. No I/O and no clock: times are arguments.

mod choice;

use crate::budget::Charge;
use crate::metadata::limits::MetadataLimits;
use crate::metadata::member::{Member, MetadataPeer, MetadataReport, Standing};
use crate::metadata::pieces::Pieces;
use crate::metadata::requests::Requests;
use bytes::Bytes;
use peer_wire::{ExtensionHandshake, MetadataMessage};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked whether there is memory now.
const ROOM: Duration = Duration::from_millis(100);

/// Whether bytes are the info dictionary that is sought.
pub(super) type Judge = Box<dyn Fn(&[u8]) -> bool + Send>;

pub(super) struct Pool<K> {
    limits: MetadataLimits,
    charge: Charge,
    judge: Judge,
    begun: Instant,
    members: Vec<Member<K>>,
    places: HashMap<K, usize>,
    /// What is under assembly; `None` while no size is known, or while there is no room for it.
    size: Option<u32>,
    pieces: Pieces,
    requests: Requests,
    /// The shortest time in which a piece came.
    best_pace: Option<Duration>,
    /// The one member that is asked, after pieces of several made a wrong hash.
    alone: Option<usize>,
    /// When this size, or this one member, had its turn, and how many had one before.
    turn: (Instant, u32),
    /// When it was last seen that there is no room.
    no_room: Option<Instant>,
    finished: Option<Bytes>,
    is_abandoned: bool,
    report: MetadataReport<()>,
    digests: RandomState,
    /// Wait for the end.
    pub(super) waiters: Vec<Waker>,
    /// To be woken once the lock is free.
    pub(super) woken: Vec<Waker>,
}

impl<K: Clone + Eq + Hash> Pool<K> {
    pub(super) fn new(limits: MetadataLimits, charge: Charge, judge: Judge, begun: Instant) -> Self {
        let report = MetadataReport {
            size: None,
            received: 0,
            offered: None,
            began: None,
            first_piece: None,
            complete: None,
            wrong_hashes: 0,
            peers: Vec::new(),
        };
        Self {
            limits,
            charge,
            judge,
            begun,
            members: Vec::new(),
            places: HashMap::new(),
            size: None,
            pieces: Pieces::default(),
            requests: Requests::default(),
            best_pace: None,
            alone: None,
            turn: (begun, 0),
            no_room: None,
            finished: None,
            is_abandoned: false,
            report,
            digests: RandomState::new(),
            waiters: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// Adds a peer that offers metadata, or a new conversation with a known one; `None` if one is going on.
    pub(super) fn join(&mut self, key: &K, theirs: &ExtensionHandshake, now: Instant) -> Option<usize> {
        let size = theirs.metadata_size;
        let standing = match size {
            None => Standing::NoSize,
            Some(size) if size > self.limits.bytes => Standing::TooLarge,
            Some(_) => Standing::Asked,
        };
        let place = match self.places.get(key).copied() {
            Some(place) => {
                let member = self.members.get_mut(place).filter(|member| !member.is_live)?;
                member.is_live = true;
                if matches!(member.told.standing, Standing::NoSize) {
                    (member.told.size, member.told.standing) = (size, standing);
                }
                place
            }
            None => {
                self.members.push(Member::new(key.clone(), size, standing, now - self.begun));
                self.places.insert(key.clone(), self.members.len() - 1);
                self.members.len() - 1
            }
        };
        self.members.iter_mut().skip(place).take(1).for_each(|member| member.is_called(theirs.client.as_deref()));
        if standing == Standing::Asked {
            self.report.offered.get_or_insert(now - self.begun);
        }
        self.keep_some(now);
        self.settle(now);
        Some(place)
    }

    /// The conversation with a member is over.
    pub(super) fn leave(&mut self, place: usize, now: Instant) {
        let Some(member) = self.members.get_mut(place) else { return };
        (member.is_live, member.waker) = (false, None);
        self.withdraw(place, now);
    }

    /// A member is not asked any more.
    pub(super) fn bar(&mut self, place: usize, standing: Standing, now: Instant) {
        let Some(member) = self.members.get_mut(place) else { return };
        if member.told.standing == Standing::Asked {
            member.told.standing = standing;
        }
        self.withdraw(place, now);
    }

    pub(super) fn member(&mut self, place: usize) -> Option<&mut Member<K>> {
        self.members.get_mut(place)
    }

    /// Whether nothing more is asked.
    pub(super) fn is_over(&self) -> bool {
        self.finished.is_some() || self.is_abandoned
    }

    /// Ends it without a result, and gives its memory back.
    pub(super) fn abandon(&mut self) {
        if !self.is_over() {
            self.is_abandoned = true;
            self.forget();
            self.wake_all();
        }
    }

    pub(super) fn finished(&self) -> Option<Bytes> {
        self.finished.clone()
    }

    /// As [`finished`](Self::finished); the memory is not counted any more.
    pub(super) fn release(&mut self) -> Option<Bytes> {
        self.finished.as_ref()?;
        self.charge.hold(0);
        self.finished()
    }

    pub(super) fn report(&self) -> MetadataReport<K> {
        let received = if self.finished.is_some() {
            self.size.map_or(0, MetadataMessage::pieces)
        } else {
            u32::try_from(self.pieces.received()).unwrap_or(u32::MAX)
        };
        let MetadataReport { offered, began, first_piece, complete, wrong_hashes, .. } = self.report;
        let peers: Vec<MetadataPeer<K>> = self.members.iter().map(|member| member.told.clone()).collect();
        MetadataReport { size: self.size, received, offered, began, first_piece, complete, wrong_hashes, peers }
    }

    /// Whether a member waits for an answer, or is one of those that are kept to be asked.
    pub(super) fn is_kept(&self, place: usize) -> bool {
        let member = self.members.get(place).filter(|member| member.is_usable());
        // As long as nothing of use has come, those that come next are needed beyond what they say anyway.
        let lacks_all = self.size.is_some() && self.best_pace.is_none();
        let is_next = |member: &Member<K>| member.is_kept || member.is_spare && lacks_all;
        !self.is_over() && member.is_some_and(|member| is_next(member) || self.requests.first_of(place).is_some())
    }

    /// Whether a member may still be needed: it is kept, or one of those that come next, which wait as long as they are listened to
    /// anyway. Else a seed, which has said all at once, would be gone when those before it turn out to be of no use.
    pub(super) fn may_be_needed(&self, place: usize) -> bool {
        let member = self.members.get(place).filter(|member| member.is_usable());
        self.is_kept(place) || (!self.is_over() && member.is_some_and(|member| member.is_spare))
    }

    /// When a member has something to do, if nothing else happens.
    pub(super) fn wake(&self, place: usize) -> Option<Instant> {
        if self.is_over() || !self.members.get(place)?.is_usable() {
            return None;
        }
        let next = self.next(place).map(|(_, at)| at);
        if let Some(times_out) = self.times_out(place) {
            return Some(next.map_or(times_out, |next| next.min(times_out)));
        }
        match self.size {
            None => self.no_room.map(|at| at + ROOM),
            Some(_) => next.or_else(|| self.turn_of(place)),
        }
    }

    /// When a member that was asked is given up: it sends nothing for this time. Of several requests, it may answer one after the other.
    fn times_out(&self, place: usize) -> Option<Instant> {
        let (request, member) = (self.requests.first_of(place)?, self.members.get(place)?);
        Some(member.heard.map_or(request.at, |heard| heard.max(request.at)) + self.limits.timeout)
    }

    /// What a member is asked for now.
    pub(super) fn due(&mut self, place: usize, now: Instant) -> Option<u32> {
        if self.times_out(place).is_some_and(|at| at <= now) {
            let piece = self.requests.first_of(place).filter(|request| !request.is_void).map(|request| request.piece);
            self.member(place)?.late = piece;
            self.bar(place, Standing::TimedOut, now);
        }
        if self.turn_of(place).is_some_and(|at| at <= now) {
            self.take_turns(now);
        }
        if self.size.is_none() {
            self.settle(now);
        }
        if self.is_over() || !self.members.get(place)?.is_usable() {
            return None;
        }
        let (piece, _) = self.next(place).filter(|(_, at)| *at <= now)?;
        self.pieces.ask(piece);
        self.requests.add(place, piece, now);
        let since = now - self.begun;
        self.report.began.get_or_insert(since);
        self.member(place)?.told.asked.get_or_insert(since);
        self.keep_some(now);
        Some(piece)
    }

    /// The piece that a member could be asked for, and from when on.
    fn next(&self, place: usize) -> Option<(u32, Instant)> {
        let member = self.members.get(place)?;
        if self.size != member.told.size || self.alone.is_some_and(|alone| alone != place) {
            return None;
        }
        let MetadataLimits { peers, hedge, .. } = self.limits;
        let asked = self.requests.of(place).count();
        if asked >= member.at_once(hedge, self.best_pace) || self.requests.of(place).any(|request| request.is_void) {
            return None;
        }
        let slot = self.requests.slot(place, peers, hedge).unwrap_or(self.begun);
        if let Some(piece) = self.pieces.next() {
            return Some((piece, slot));
        }
        let is_wanted =
            |piece| !self.pieces.has(piece) && self.requests.of(place).all(|request| request.piece != piece);
        let patience = self.limits.patience(member.pace.or(self.best_pace));
        let (at, piece) = self.requests.overdue(patience, is_wanted)?;
        Some((piece, at.max(slot)))
    }

    /// Takes in a piece.
    pub(super) fn data(&mut self, place: usize, (piece, total): (i64, Option<i64>), bytes: &[u8], now: Instant) {
        let Some((piece, took)) = self.answered(place, piece, now) else { return };
        let size = self.size.filter(|_| !self.is_over()).map(i64::from);
        if total.is_some_and(|total| Some(total) != size) {
            return self.bar(place, Standing::WrongTotal, now);
        }
        if bytes.len() != self.pieces.get(piece).len() {
            return self.bar(place, Standing::WrongLength, now);
        }
        let (digest, since) = (self.digests.hash_one(bytes), now - self.begun);
        let Some(member) = self.members.get_mut(place) else { return };
        member.gives((piece, digest), bytes.len(), took, since);
        member.heard = Some(now);
        self.best_pace = self.best_pace.into_iter().chain(took).min();
        self.report.first_piece.get_or_insert(since);
        self.pieces.put(piece, bytes, place);
        if self.pieces.is_complete() {
            self.judge(now);
        }
    }

    /// A member sends no piece.
    pub(super) fn reject(&mut self, place: usize, piece: i64, now: Instant) {
        if self.answered(place, piece, now).is_some() {
            self.bar(place, Standing::Rejected, now);
        }
    }

    /// The piece that a member answers for, and how long it took; `None` for an answer that is not wanted, or to no request.
    fn answered(&mut self, place: usize, piece: i64, now: Instant) -> Option<(u32, Option<Duration>)> {
        let piece = u32::try_from(piece).ok()?;
        let is_over = self.is_over();
        let Some(request) = self.requests.take_for(place, piece) else {
            let late = self.members.get_mut(place)?.late.take_if(|late| *late == piece);
            return late.filter(|_| !is_over).map(|late| (late, None));
        };
        if request.is_void || is_over {
            return None;
        }
        self.restore(piece);
        Some((piece, Some(now - request.at)))
    }

    /// A piece may be asked for again, unless others are asked for it still.
    fn restore(&mut self, piece: u32) {
        if !self.requests.has(piece) {
            self.pieces.restore(piece);
        }
    }

    /// Takes back what a member was asked for, and chooses again where it was needed.
    fn withdraw(&mut self, place: usize, now: Instant) {
        let taken = self.requests.take(place);
        taken.iter().flatten().for_each(|piece| self.restore(*piece));
        if let Some(member) = self.members.get_mut(place) {
            member.is_kept = false;
        }
        if self.is_over() {
            return;
        }
        if self.alone == Some(place) {
            self.again(None);
        }
        self.keep_some(now);
        self.settle(now);
        if taken.is_some() {
            self.wake_all();
        }
    }

    /// Keeps conversations for this, up to twice the peers that are asked at once; the overdue are not counted, because others are
    /// needed in their place.
    fn keep_some(&mut self, now: Instant) {
        let is_overdue =
            |place| self.requests.first_of(place).is_some_and(|request| request.at + self.limits.hedge <= now);
        let kept =
            self.members.iter().enumerate().filter(|(place, member)| member.is_kept && !is_overdue(*place)).count();
        let more = (2 * self.limits.peers).saturating_sub(kept);
        let spare = self.members.iter_mut().filter(|member| member.is_usable() && !member.is_kept);
        for member in spare.take(more) {
            member.is_kept = true;
            self.woken.extend(member.waker.take());
        }
        let is_spare = |member: &Member<K>| member.is_usable() && !member.is_kept;
        let spares = self.members.iter().filter(|member| is_spare(member) && member.is_spare).count();
        let others = self.members.iter_mut().filter(|member| is_spare(member) && !member.is_spare);
        let more = self.limits.spares().saturating_sub(spares);
        others.take(more).for_each(|member| member.is_spare = true);
    }

    /// All pieces are there: the hash decides. If it is wrong and one member gave all of them, that one gave wrong bytes. Else one
    /// member is asked for the pieces of the others: then the hash is right, or it is that member.
    fn judge(&mut self, now: Instant) {
        if (self.judge)(self.pieces.bytes()) {
            return self.finish(now);
        }
        self.report.wrong_hashes += 1;
        if let Some(donor) = self.pieces.only_donor() {
            self.again(None);
            self.members.iter_mut().skip(donor).take(1).for_each(|member| member.told.standing = Standing::WrongBytes);
            return self.withdraw(donor, now);
        }
        self.turn.0 = now;
        self.again(self.best_alone());
    }

    fn finish(&mut self, now: Instant) {
        let pieces = std::mem::take(&mut self.pieces);
        for member in &mut self.members {
            let is_wrong = |(piece, digest): &(u32, u64)| self.digests.hash_one(pieces.get(*piece)) != *digest;
            if member.gave.iter().any(is_wrong) {
                member.told.standing = Standing::WrongBytes;
            } else if member.told.standing == Standing::Asked && member.told.size != self.size {
                member.told.standing = Standing::OtherSize;
            }
            member.gave = Vec::new();
        }
        self.report.complete = Some(now - self.begun);
        self.finished = Some(pieces.into_bytes().into());
        self.woken.append(&mut self.waiters);
        self.wake_all();
    }

    /// Something has changed outside of their conversations.
    pub(super) fn wake_all(&mut self) {
        self.woken.extend(self.members.iter_mut().filter_map(|member| member.waker.take()));
    }
}

impl<K> fmt::Debug for Pool<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, size, members, .. } = self;
        f.debug_struct("Pool")
            .field("limits", limits)
            .field("size", size)
            .field("members", &members.len())
            .finish_non_exhaustive()
    }
}
