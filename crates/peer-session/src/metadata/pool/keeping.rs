//! Which conversations are kept for metadata, longer than peers are listened to otherwise.

use crate::metadata::member::Member;
use crate::metadata::pool::Pool;
use std::hash::Hash;
use tokio::time::Instant;

impl<K: Clone + Eq + Hash> Pool<K> {
    /// Whether a member waits for an answer, or is one of those that are kept to be asked.
    pub(in crate::metadata) fn is_kept(&self, place: usize) -> bool {
        let member = self.members.get(place).filter(|member| member.is_usable());
        // As long as nothing of use has come, those that come next are needed beyond what they say anyway.
        let lacks_all = self.size.is_some() && self.best_pace.is_none();
        let is_next = |member: &Member<K>| member.is_kept || member.is_spare && lacks_all;
        !self.is_over() && member.is_some_and(|member| is_next(member) || self.requests.first_of(place).is_some())
    }

    /// Whether a member may still be needed: it is kept, or one of those that come next, which wait as long as they are listened to
    /// anyway. Else a seed, which has said all at once, would be gone when those before it turn out to be of no use.
    pub(in crate::metadata) fn may_be_needed(&self, place: usize) -> bool {
        let member = self.members.get(place).filter(|member| member.is_usable());
        self.is_kept(place) || (!self.is_over() && member.is_some_and(|member| member.is_spare))
    }

    /// Keeps conversations for this, up to twice the peers that are asked at once; the overdue are not counted, because others are
    /// needed in their place.
    pub(super) fn keep_some(&mut self, now: Instant) {
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
}
