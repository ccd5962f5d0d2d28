//! What is assembled, and of whose pieces: when peers name several sizes, or pieces of several peers made a wrong hash.

use crate::metadata::pieces::Pieces;
use crate::metadata::pool::Pool;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::Hash;
use tokio::time::Instant;

impl<K: Clone + Eq + Hash> Pool<K> {
    /// Chooses what is assembled: the size of the first peers, and another only when none of these is left.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.is_over() || self.size.is_some_and(|size| self.votes(size) > 0) {
            return;
        }
        match self.most_named(None) {
            Some(size) => self.assemble(size, now),
            // Its pieces may still be of use, to a peer that comes later.
            None if self.pieces.received() > 0 => {}
            None => self.forget(),
        }
    }

    fn assemble(&mut self, size: u32, now: Instant) {
        self.forget();
        if self.charge.hold(size as usize) {
            (self.size, self.no_room, self.pieces, self.turn.0) = (Some(size), None, Pieces::new(size), now);
            self.wake_all();
        } else {
            self.no_room = Some(now);
        }
    }

    /// The members that can be asked for a dictionary of this size.
    fn votes(&self, size: u32) -> usize {
        self.members.iter().filter(|member| member.is_usable() && member.told.size == Some(size)).count()
    }

    /// Whether a member was asked for a dictionary of this size.
    fn was_tried(&self, size: u32) -> bool {
        self.members.iter().any(|member| member.told.size == Some(size) && member.told.asked.is_some())
    }

    /// The size that most members name, apart from this one; of several, one that was not tried, and of these the first.
    fn most_named(&self, except: Option<u32>) -> Option<u32> {
        let sizes = self.members.iter().filter(|member| member.is_usable()).filter_map(|member| member.told.size);
        let mut named: BTreeMap<u32, (usize, bool, Reverse<usize>)> = BTreeMap::new();
        for (place, size) in sizes.enumerate().filter(|(_, size)| Some(*size) != except) {
            named.entry(size).or_insert((0, !self.was_tried(size), Reverse(place))).0 += 1;
        }
        named.into_iter().max_by_key(|(_, votes)| *votes).map(|(size, _)| size)
    }

    /// When another size, or another member alone, is tried for the sake of a member that waits for that: its size is named by as
    /// many, or it gave pieces too. As long as no piece has come, a size that was not tried waits only as long as one for an overdue piece.
    pub(super) fn turn_of(&self, place: usize) -> Option<Instant> {
        let member = self.members.get(place).filter(|member| member.is_usable())?;
        let (since, turns) = self.turn;
        let waits = match self.alone {
            Some(alone) => alone != place && !member.gave.is_empty(),
            None => {
                let size = self.size.filter(|_| member.told.size != self.size)?;
                let own = member.told.size?;
                let is_as_likely = self.votes(own) >= self.votes(size);
                if is_as_likely && self.pieces.received() == 0 && !self.was_tried(own) {
                    return Some(since + self.limits.hedge);
                }
                is_as_likely
            }
        };
        waits.then(|| since + self.limits.turn(turns))
    }

    pub(super) fn take_turns(&mut self, now: Instant) {
        let is_long = self.alone.is_some() || self.pieces.received() > 0;
        self.turn = (now, self.turn.1 + u32::from(is_long));
        if let Some(alone) = self.alone {
            self.members.iter_mut().skip(alone).take(1).for_each(|member| member.turns += 1);
            self.again(self.best_alone());
        } else if let Some(size) = self.most_named(self.size) {
            self.assemble(size, now);
        }
    }

    /// The member to be asked alone: of those that had the fewest turns, the one that gave most.
    pub(super) fn best_alone(&self) -> Option<usize> {
        let donors =
            self.members.iter().enumerate().filter(|(_, member)| member.is_usable() && !member.gave.is_empty());
        let best = donors.max_by_key(|(_, member)| (Reverse(member.turns), member.told.pieces, Reverse(member.pace)));
        best.map(|(place, _)| place)
    }

    pub(super) fn forget(&mut self) {
        (self.size, self.alone, self.pieces) = (None, None, Pieces::default());
        self.requests.void(None);
        self.members.iter_mut().for_each(|member| member.gave.clear());
        self.charge.hold(0);
    }

    /// Asks anew for what this member did not give; with `None`, for everything, and of all.
    pub(super) fn again(&mut self, alone: Option<usize>) {
        self.alone = alone;
        self.requests.void(alone);
        self.members.iter_mut().for_each(|member| member.late = None);
        self.pieces.keep_of(alone);
        self.wake_all();
    }
}
