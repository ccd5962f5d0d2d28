//! Who is asked for which part of a layer, and what follows from the answers. No I/O and no clock: times are arguments.

use crate::budget::Charge;
use crate::layers::member::{LayerReport, Member};
use crate::metadata::{Assembly, MetadataLimits, Standing};
use ids::InfoHash;
use metainfo::{PieceLayer, PieceLayers};
use peer_wire::HashRange;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::Hash;
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked whether there is memory now.
const ROOM: Duration = Duration::from_millis(100);

pub(super) struct Pool<K> {
    metadata: Assembly<K>,
    limits: MetadataLimits,
    charge: Charge,
    stage: Stage,
    /// The hash of peers that can be asked; `None` before that is known.
    v2: Option<InfoHash>,
    layers: Vec<Layer>,
    /// The parts of all layers that are not here, by their numbers.
    open: BTreeSet<u32>,
    /// Whether hashes have come that are right.
    has_any: bool,
    members: Vec<Member<K>>,
    places: HashMap<K, usize>,
    begun: Option<Instant>,
    elapsed: Option<Duration>,
    /// To be woken once the lock is free.
    pub(super) woken: Vec<Waker>,
    waiters: Vec<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// For metadata.
    Waits,
    /// For memory, since then.
    NoRoom(Instant),
    Asks,
    Over,
}

/// One layer, and what is here of it.
#[derive(Debug)]
struct Layer {
    shape: PieceLayer,
    /// The number of its first part, among those of all layers.
    first: u32,
    /// Parts that are not here.
    missing: u32,
    /// All of its hashes, once one is here.
    hashes: Vec<[u8; 32]>,
}

impl Layer {
    /// Bytes of memory beside the hashes, at most.
    const BYTES: usize = 160;

    fn range(&self, part: u32) -> HashRange {
        let PieceLayer { root: pieces_root, .. } = self.shape;
        let (base_layer, proof_layers) = (self.shape.base_layer(), self.shape.proof_layers());
        let (index, length) = (self.shape.hashes_of(part - self.first).start, self.shape.part_length());
        HashRange { pieces_root, base_layer, index, length, proof_layers }
    }

    fn put(&mut self, part: u32, hashes: &[[u8; 32]]) {
        self.hashes.resize(self.shape.pieces as usize, [0; 32]);
        let start = self.shape.hashes_of(part - self.first).start as usize;
        self.hashes.iter_mut().skip(start).zip(hashes).for_each(|(to, from)| *to = *from);
        self.missing -= 1;
    }
}

impl<K: Clone + Eq + Hash> Pool<K> {
    pub(super) fn new(metadata: Assembly<K>, limits: MetadataLimits, charge: Charge) -> Self {
        Self {
            metadata,
            limits,
            charge,
            stage: Stage::Waits,
            v2: None,
            layers: Vec::new(),
            open: BTreeSet::new(),
            has_any: false,
            members: Vec::new(),
            places: HashMap::new(),
            begun: None,
            elapsed: None,
            woken: Vec::new(),
            waiters: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, layers: Vec<PieceLayer>, v2: InfoHash, now: Instant) {
        if self.stage != Stage::Waits {
            return;
        }
        let mut first = 0_u32;
        for shape in layers {
            let missing = shape.parts();
            self.layers.push(Layer { shape, first, missing, hashes: Vec::new() });
            first = first.saturating_add(missing);
        }
        (self.v2, self.begun) = (Some(v2), Some(now));
        let bytes = self.layers.iter().map(|layer| layer.shape.bytes()).sum::<u64>();
        if first == 0 || bytes > self.limits.bytes.into() {
            return self.end();
        }
        self.stage = Stage::NoRoom(now);
        self.make_room(now);
        self.wake_all();
    }

    /// Reserves memory for all layers, if there is enough.
    fn make_room(&mut self, now: Instant) {
        let hashes = self.layers.iter().map(|layer| layer.shape.pieces as usize * 32).sum::<usize>();
        self.stage = Stage::NoRoom(now);
        if self.charge.hold(hashes + self.layers.len() * Layer::BYTES) {
            let parts = self.layers.last().map_or(0, |last| last.first + last.missing);
            (self.stage, self.open) = (Stage::Asks, (0..parts).collect());
            self.keep_some(now);
            self.wake_all();
        }
    }

    pub(super) fn end(&mut self) {
        self.stage = Stage::Over;
        self.woken.append(&mut self.waiters);
        self.wake_all();
    }

    pub(super) fn take(&mut self) -> PieceLayers {
        self.end();
        let layers = std::mem::take(&mut self.layers).into_iter();
        self.charge.hold(0);
        layers.filter(|layer| layer.missing == 0).map(|layer| (layer.shape.root, layer.hashes)).collect()
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.stage != Stage::Over
    }

    pub(super) fn asks_by(&self) -> Option<InfoHash> {
        self.v2.filter(|_| self.is_wanted())
    }

    pub(super) fn wait(&mut self, waker: &Waker) {
        if !self.waiters.iter().any(|waiter| waiter.will_wake(waker)) {
            self.waiters.push(waker.clone());
        }
    }

    pub(super) fn report(&self) -> LayerReport<K> {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let is_v1 = |member: &&Member<K>| self.v2.is_some_and(|v2| v2 != member.info_hash);
        LayerReport {
            layers: count(self.layers.len()),
            complete: count(self.layers.iter().filter(|layer| layer.missing == 0).count()),
            bytes: self.layers.iter().map(|layer| layer.shape.bytes()).sum(),
            elapsed: self.elapsed,
            peers: self.members.iter().filter(|member| !is_v1(member)).map(|member| member.told.clone()).collect(),
            v1_peers: count(self.members.iter().filter(is_v1).count()),
        }
    }

    /// Adds a peer, or a new conversation with a known one; `None` if one is going on.
    pub(super) fn join(&mut self, key: &K, info_hash: InfoHash, now: Instant) -> Option<usize> {
        let place = match self.places.get(key).copied() {
            Some(place) => {
                let member = self.members.get_mut(place).filter(|member| !member.is_live)?;
                (member.is_live, member.info_hash) = (true, info_hash);
                place
            }
            None => {
                self.members.push(Member::new(key.clone(), info_hash));
                self.places.insert(key.clone(), self.members.len() - 1);
                self.members.len() - 1
            }
        };
        self.keep_some(now);
        Some(place)
    }

    /// The conversation with a member is over.
    pub(super) fn leave(&mut self, place: usize, now: Instant) {
        let Some(member) = self.members.get_mut(place) else { return };
        (member.is_live, member.waker) = (false, None);
        self.withdraw(place, now);
    }

    /// A member is not asked any more.
    fn bar(&mut self, place: usize, standing: Standing, now: Instant) {
        let Some(member) = self.members.get_mut(place) else { return };
        member.told.standing = standing;
        self.withdraw(place, now);
    }

    /// What a member was asked for, others may be asked for.
    fn withdraw(&mut self, place: usize, now: Instant) {
        let Some(member) = self.members.get_mut(place) else { return };
        (member.request, member.is_kept) = (None, false);
        self.keep_some(now);
        self.wake_all();
    }

    /// Whether a member may still be asked for something.
    pub(super) fn is_needed(&self, place: usize) -> bool {
        let Some(member) = self.members.get(place) else { return false };
        match self.stage {
            Stage::Waits => self.metadata.finished().is_some(),
            Stage::NoRoom(_) => member.is_usable(self.v2),
            Stage::Asks => member.is_usable(self.v2) && self.wanted_of(member).next().is_some(),
            Stage::Over => false,
        }
    }

    /// Whether a conversation is kept for this, however long it lasts.
    pub(super) fn is_kept(&self, place: usize) -> bool {
        let is_kept = |member: &Member<K>| member.is_kept || !self.has_any && self.is_next(place);
        (self.stage != Stage::Asks || self.members.get(place).is_some_and(is_kept)) && self.is_needed(place)
    }

    /// Whether a member is one of those that are kept next. As long as nothing of use has come, they are needed however long that takes.
    fn is_next(&self, place: usize) -> bool {
        let is_before = |member: &&Member<K>| !member.is_kept && member.is_usable(self.v2);
        self.members.iter().take(place).filter(is_before).count() < self.limits.spares()
    }

    pub(super) fn bytes_of(&self, place: usize) -> usize {
        self.members.get(place).map_or(0, |member| member.bytes)
    }

    pub(super) fn watch(&mut self, place: usize, waker: &Waker) {
        if let Some(member) = self.members.get_mut(place)
            && !member.waker.as_ref().is_some_and(|known| known.will_wake(waker))
        {
            member.waker = Some(waker.clone());
        }
    }

    /// When a member has something to do, if nothing else happens.
    pub(super) fn wake(&self, place: usize) -> Option<Instant> {
        let member = self.members.get(place).filter(|member| member.is_usable(self.v2))?;
        match (self.stage, member.request) {
            (Stage::NoRoom(at), _) => Some(at + ROOM),
            (Stage::Asks, Some((_, at))) => Some(at + self.limits.timeout),
            (Stage::Asks, None) if member.is_kept => self.next(member).map(|(_, at)| at),
            (Stage::Asks, None) => self.slot(),
            _ => None,
        }
    }

    /// What a member is asked for now.
    pub(super) fn due(&mut self, place: usize, now: Instant) -> Option<HashRange> {
        if let Stage::NoRoom(at) = self.stage
            && at + ROOM <= now
        {
            self.make_room(now);
        }
        if self.stage != Stage::Asks {
            return None;
        }
        if self.members.get(place)?.request.is_some_and(|(_, at)| at + self.limits.timeout <= now) {
            self.bar(place, Standing::TimedOut, now);
        }
        self.keep_some(now);
        let member = self.members.get(place)?;
        if !member.is_usable(self.v2) || !member.is_kept || member.request.is_some() {
            return None;
        }
        let (part, _) = self.next(member).filter(|(_, at)| *at <= now)?;
        let range = self.layers.get(self.layer_of(part))?.range(part);
        self.members.get_mut(place)?.request = Some((part, now));
        Some(range)
    }

    /// Takes in an answer.
    pub(super) fn hashes(&mut self, place: usize, range: &HashRange, hashes: &[u8], now: Instant) {
        let Some((part, took)) = self.answered(place, range, now) else { return };
        let at = self.layer_of(part);
        let Some((layer, member)) = self.layers.get_mut(at).zip(self.members.get_mut(place)) else { return };
        let Some(right) = layer.shape.check(part - layer.first, hashes) else {
            return self.bar(place, Standing::WrongBytes, now);
        };
        member.bytes += hashes.len();
        member.told.hashes = member.told.hashes.saturating_add(u32::try_from(right.len()).unwrap_or(u32::MAX));
        member.told.slowest = member.told.slowest.max(Some(took));
        self.has_any = true;
        if self.open.remove(&part) {
            layer.put(part, &right);
        }
        if self.open.is_empty() {
            self.elapsed = self.begun.map(|begun| now - begun);
            self.end();
        }
    }

    /// A member does not have what it was asked for.
    pub(super) fn reject(&mut self, place: usize, range: &HashRange, now: Instant) {
        let Some((part, _)) = self.answered(place, range, now) else { return };
        let layer = self.layer_of(part);
        self.members.iter_mut().skip(place).take(1).for_each(|member| member.rejects(layer));
        let is_of_use = |member: &Member<K>| self.wanted_of(member).next().is_some();
        if !self.members.get(place).is_some_and(is_of_use) {
            return self.bar(place, Standing::Rejected, now);
        }
        // Others may be asked for this part.
        self.wake_all();
    }

    /// The part that a member answers for, and how long it took; `None` for an answer to no request.
    fn answered(&mut self, place: usize, range: &HashRange, now: Instant) -> Option<(u32, Duration)> {
        let (part, at) = self.members.get(place)?.request.filter(|_| self.stage == Stage::Asks)?;
        let asked = self.layers.get(self.layer_of(part))?.range(part);
        let member = self.members.get_mut(place).filter(|_| asked == *range)?;
        member.request = None;
        Some((part, now - at))
    }

    /// The layer that a part is of.
    fn layer_of(&self, part: u32) -> usize {
        self.layers.partition_point(|layer| layer.first <= part).saturating_sub(1)
    }

    /// The parts that are not here, without those that a member does not have.
    fn wanted_of<'a>(&'a self, member: &'a Member<K>) -> impl Iterator<Item = u32> + 'a {
        let rejected = &member.rejected;
        let is_rejected = |part| !rejected.is_empty() && rejected.contains(&self.layer_of(part));
        self.open.iter().copied().filter(move |part| !member.rejects_all() && !is_rejected(*part))
    }

    /// The part that a member could be asked for, and from when on: one that no other is asked for, or else the one that is overdue
    /// first, which one more peer is asked for each time.
    fn next(&self, member: &Member<K>) -> Option<(u32, Instant)> {
        let asked: Vec<(u32, Instant)> = self.members.iter().filter_map(|member| member.request).collect();
        let last = |part| asked.iter().filter(|(other, _)| *other == part).map(|(_, at)| *at).max();
        if let Some(part) = self.wanted_of(member).find(|part| last(*part).is_none()) {
            return Some((part, self.begun?));
        }
        let overdue = self.wanted_of(member).filter_map(|part| Some((last(part)? + self.limits.hedge, part)));
        // All that is left is asked for, of a handful of peers.
        overdue.min().map(|(at, part)| (part, at))
    }

    /// When one more conversation may be kept.
    fn slot(&self) -> Option<Instant> {
        let kept = || self.members.iter().filter(|member| member.is_kept);
        let idle = kept().filter(|member| member.request.is_none()).count();
        let mut asked: Vec<Instant> = kept().filter_map(|member| Some(member.request?.1)).collect();
        asked.sort_unstable_by(|one, other| other.cmp(one));
        let room = self.limits.peers.checked_sub(idle + 1)?;
        asked.get(room).map_or(self.begun, |at| Some(*at + self.limits.hedge))
    }

    /// Keeps conversations for this, as many as are asked at once; the overdue are not counted, because others are needed in their
    /// place.
    fn keep_some(&mut self, now: Instant) {
        if self.stage != Stage::Asks {
            return;
        }
        let Self { limits, v2, members, woken, .. } = self;
        let is_overdue = |member: &Member<K>| member.request.is_some_and(|(_, at)| at + limits.hedge <= now);
        let kept = members.iter().filter(|member| member.is_kept && !is_overdue(member)).count();
        let others = members.iter_mut().filter(|member| !member.is_kept && member.is_usable(*v2));
        for member in others.take(limits.peers.saturating_sub(kept)) {
            member.is_kept = true;
            woken.extend(member.waker.take());
        }
    }

    /// Something has changed outside of their conversations.
    fn wake_all(&mut self) {
        self.woken.extend(self.members.iter_mut().filter_map(|member| member.waker.take()));
    }
}

impl<K> fmt::Debug for Pool<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, layers, open, members, .. } = self;
        f.debug_struct("Pool")
            .field("stage", stage)
            .field("layers", &layers.len())
            .field("open", &open.len())
            .field("members", &members.len())
            .finish_non_exhaustive()
    }
}
