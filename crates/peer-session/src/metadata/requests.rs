//! What members were asked for and have not answered.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A piece that a member was asked for and has not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) member: usize,
    pub(super) piece: u32,
    pub(super) at: Instant,
    /// Whether the answer is not wanted any more. The member is not asked for another piece before it.
    pub(super) is_void: bool,
}

#[derive(Debug, Default)]
pub(super) struct Requests(Vec<Request>);

impl Requests {
    pub(super) fn add(&mut self, member: usize, piece: u32, at: Instant) {
        self.0.push(Request { member, piece, at, is_void: false });
    }

    pub(super) fn of(&self, member: usize) -> impl Iterator<Item = &Request> {
        self.0.iter().filter(move |request| request.member == member)
    }

    /// The first of a member.
    pub(super) fn first_of(&self, member: usize) -> Option<&Request> {
        self.of(member).min_by_key(|request| request.at)
    }

    /// Takes all requests of a member, and gives the pieces that are still wanted of it; `None` if there was none.
    pub(super) fn take(&mut self, member: usize) -> Option<Vec<u32>> {
        let taken: Vec<Request> = self.0.extract_if(.., |request| request.member == member).collect();
        let wanted = taken.iter().filter(|request| !request.is_void).map(|request| request.piece).collect();
        (!taken.is_empty()).then_some(wanted)
    }

    /// Takes the request of a member for this piece.
    pub(super) fn take_for(&mut self, member: usize, piece: u32) -> Option<Request> {
        let place = self.0.iter().position(|request| request.member == member && request.piece == piece)?;
        Some(self.0.swap_remove(place))
    }

    /// Whether an answer with this piece is waited for.
    pub(super) fn has(&self, piece: u32) -> bool {
        self.wanted().any(|request| request.piece == piece)
    }

    /// No answer is wanted any more, except of this member.
    pub(super) fn void(&mut self, except: Option<usize>) {
        let others = self.0.iter_mut().filter(|request| Some(request.member) != except);
        others.for_each(|request| request.is_void = true);
    }

    /// From when on this member may be asked, so that at most `limit` members were asked later than `hedge` ago; `None` for at once.
    pub(super) fn slot(&self, member: usize, limit: usize, hedge: Duration) -> Option<Instant> {
        let mut members: BTreeMap<usize, Instant> = BTreeMap::new();
        for request in self.0.iter().filter(|request| request.member != member) {
            let at = members.entry(request.member).or_insert(request.at);
            *at = request.at.max(*at);
        }
        let mut asked: Vec<Instant> = members.into_values().collect();
        asked.sort_unstable_by(|one, other| other.cmp(one));
        asked.get(limit.saturating_sub(1)).map(|at| *at + hedge)
    }

    /// The piece among those still wanted that may be asked for once more first, and when that is: as soon as half of the requests
    /// for it are older than `hedge`. So each time that nothing comes, twice as many peers are asked.
    pub(super) fn overdue(&self, hedge: Duration, is_wanted: impl Fn(u32) -> bool) -> Option<(Instant, u32)> {
        let median = |piece| {
            let mut asked: Vec<Instant> =
                self.wanted().filter(|request| request.piece == piece).map(|request| request.at).collect();
            asked.sort_unstable();
            asked.get(asked.len().saturating_sub(1) / 2).copied()
        };
        let pieces = self.wanted().map(|request| request.piece).filter(|piece| is_wanted(*piece));
        pieces.filter_map(|piece| Some((median(piece)? + hedge, piece))).min()
    }

    fn wanted(&self) -> impl Iterator<Item = &Request> {
        self.0.iter().filter(|request| !request.is_void)
    }
}
