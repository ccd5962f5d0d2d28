//! What members were asked for and have not answered: one request each at most.

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

    pub(super) fn of(&self, member: usize) -> Option<&Request> {
        self.0.iter().find(|request| request.member == member)
    }

    pub(super) fn take(&mut self, member: usize) -> Option<Request> {
        let place = self.0.iter().position(|request| request.member == member)?;
        Some(self.0.swap_remove(place))
    }

    /// Takes the request of a member if it is for this piece.
    pub(super) fn take_for(&mut self, member: usize, piece: u32) -> Option<Request> {
        self.of(member).filter(|request| request.piece == piece)?;
        self.take(member)
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

    /// From when on one more may be made, so that at most `limit` are younger than `hedge`; `None` for at once.
    pub(super) fn slot(&self, limit: usize, hedge: Duration) -> Option<Instant> {
        let mut asked: Vec<Instant> = self.0.iter().map(|request| request.at).collect();
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
