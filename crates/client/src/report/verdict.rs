//! What a run says of its torrent, in one code.

use crate::report::event::{CutShort, Summary};
use crate::report::outcome::Outcome;
use crate::report::tracker_status::Standing;
use std::fmt;

/// What a run says of its torrent. It speaks of the peers that were reached, at one time and from one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The peers that were reached have at least one whole copy.
    Healthy,
    /// Peers were reached, and what they have together is less than one copy.
    Incomplete,
    /// Peers were reached, and whether they have a whole copy is unknown: too little was said of pieces.
    SeedsUnverified,
    /// Peers were named, and none shook hands.
    NoPeerAnswered,
    /// A tracker answered, and no peer was named.
    NoPeerNamed,
    /// No source of peers: no tracker answered, and no peer was named.
    NoSource,
    /// No tracker gave peers, and at least one refused with a reason.
    Refused,
    /// Only trackers were asked, and at least one answered.
    TrackersOnly,
    /// The user ended the run before a peer was reached.
    Interrupted,
    /// This machine has no route to any address that was tried.
    Offline,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Self; 10] = [
        Self::Healthy,
        Self::Incomplete,
        Self::SeedsUnverified,
        Self::NoPeerAnswered,
        Self::NoPeerNamed,
        Self::NoSource,
        Self::Refused,
        Self::TrackersOnly,
        Self::Interrupted,
        Self::Offline,
    ];

    /// The code in reports: lower_snake_case, never renamed.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Incomplete => "incomplete",
            Self::SeedsUnverified => "seeds_unverified",
            Self::NoPeerAnswered => "no_peer_answered",
            Self::NoPeerNamed => "no_peer_named",
            Self::NoSource => "no_source",
            Self::Refused => "refused",
            Self::TrackersOnly => "trackers_only",
            Self::Interrupted => "interrupted",
            Self::Offline => "offline",
        }
    }

    pub(crate) fn of(summary: &Summary) -> Self {
        let count = |outcome| summary.outcomes.get(&outcome).copied().unwrap_or_default();
        let interrupted = summary.cut_short == Some(CutShort::Interrupt);
        if summary.ok > 0 {
            return Self::of_reached(summary);
        }
        if summary.is_offline() {
            return Self::Offline;
        }
        if interrupted {
            return Self::Interrupted;
        }
        if summary.trackers_ok > 0 {
            let undialled = count(Outcome::NotTried) == summary.peers && summary.cut_short.is_none();
            return match summary.peers {
                0 if summary.scraped => Self::TrackersOnly,
                0 => Self::NoPeerNamed,
                _ if undialled => Self::TrackersOnly,
                _ => Self::NoPeerAnswered,
            };
        }
        match summary.peers {
            0 if summary.trackers_of(Standing::Refused) > 0 => Self::Refused,
            0 => Self::NoSource,
            _ => Self::NoPeerAnswered,
        }
    }

    /// Of a run that reached a peer.
    fn of_reached(summary: &Summary) -> Self {
        let swarm = &summary.swarm;
        match swarm.copies {
            Some(copies) if copies.min >= 1.0 => Self::Healthy,
            // A likely seed, or one that hides what it has, may have what is missing.
            Some(copies) if copies.max >= 1.0 && swarm.likely_seeds + swarm.coverage.may_hide > 0 => {
                Self::SeedsUnverified
            }
            Some(_) => Self::Incomplete,
            // The number of pieces is not known, and a peer has them all.
            None if swarm.verified_seeds > 0 => Self::Healthy,
            None => Self::SeedsUnverified,
        }
    }
}

impl Summary {
    /// What the run says of its torrent.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self)
    }

    /// Whether everything that was tried ended for want of a route, so that nothing is known of the torrent. Trackers to
    /// which nothing would have been sent anyway do not count.
    fn is_offline(&self) -> bool {
        const UNSENT: [&str; 5] =
            ["bad_url", "unsupported_scheme", "scrape_unsupported", "refused_address", "not_asked"];
        let of = |code| self.tracker_statuses.get(code).copied().unwrap_or_default();
        let peers = self.outcomes.get(&Outcome::NoRoute).copied().unwrap_or_default();
        let trackers = of(Outcome::NoRoute.code());
        let unsent: usize = UNSENT.into_iter().map(of).sum();
        peers + trackers > 0 && peers == self.peers && trackers + unsent == self.trackers
    }

    /// Reports of trackers of this standing.
    #[must_use]
    pub fn trackers_of(&self, standing: Standing) -> usize {
        self.standings.get(&standing).copied().unwrap_or_default()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::availability::Copies;
    use crate::report::swarm_view::SwarmView;

    fn reached(copies: Option<(f64, f64)>) -> Summary {
        let copies = copies.map(|(min, max)| Copies { min, max });
        let swarm = SwarmView { copies, ..SwarmView::default() };
        let outcomes = [(Outcome::Ok, 1), (Outcome::ConnectTimeout, 1)].into();
        Summary { peers: 2, ok: 1, outcomes, trackers: 1, trackers_ok: 1, swarm, ..Summary::default() }
    }

    fn unreached(outcomes: &[(Outcome, usize)], statuses: &[(&'static str, usize)]) -> Summary {
        let sum = |counts: &mut dyn Iterator<Item = usize>| counts.sum();
        let peers = sum(&mut outcomes.iter().map(|(_, count)| *count));
        let trackers = sum(&mut statuses.iter().map(|(_, count)| *count));
        let trackers_ok = statuses.iter().filter(|(code, _)| *code == "ok").map(|(_, count)| *count).sum();
        Summary {
            peers,
            outcomes: outcomes.iter().copied().collect(),
            trackers,
            trackers_ok,
            standings: [(Standing::Refused, statuses.iter().filter(|(code, _)| *code == "failure").count())].into(),
            tracker_statuses: statuses.iter().copied().collect(),
            ..Summary::default()
        }
    }

    #[test]
    fn peers_that_were_reached_decide() {
        for (copies, verdict) in [
            (Some((1.0, 1.0)), Verdict::Healthy),
            (Some((0.4, 0.4)), Verdict::Incomplete),
            (Some((0.4, 1.4)), Verdict::Incomplete),
            (Some((0.0, 0.0)), Verdict::Incomplete),
            (None, Verdict::SeedsUnverified),
        ] {
            assert_eq!(reached(copies).verdict(), verdict, "{copies:?}");
        }
    }

    #[test]
    fn without_a_peer_the_trackers_decide() {
        use Outcome::{ConnectTimeout, NoRoute, NotTried};
        for (summary, verdict) in [
            (unreached(&[(ConnectTimeout, 3)], &[("ok", 1)]), Verdict::NoPeerAnswered),
            (unreached(&[(ConnectTimeout, 1), (NoRoute, 2)], &[]), Verdict::NoPeerAnswered),
            (unreached(&[(NotTried, 3)], &[("ok", 1)]), Verdict::TrackersOnly),
            (unreached(&[], &[("ok", 1), ("timeout", 1)]), Verdict::NoPeerNamed),
            (Summary { scraped: true, ..unreached(&[], &[("ok", 1)]) }, Verdict::TrackersOnly),
            (unreached(&[], &[("failure", 1), ("timeout", 1)]), Verdict::Refused),
            (unreached(&[], &[("timeout", 1), ("no_route", 1)]), Verdict::NoSource),
            (unreached(&[], &[("no_route", 2)]), Verdict::Offline),
            (unreached(&[], &[("no_route", 1), ("unsupported_scheme", 1)]), Verdict::Offline),
            (unreached(&[], &[("unsupported_scheme", 2)]), Verdict::NoSource),
            (unreached(&[(NoRoute, 2)], &[]), Verdict::Offline),
            (unreached(&[], &[]), Verdict::NoSource),
        ] {
            assert_eq!(summary.verdict(), verdict, "{summary:?}");
        }
        let interrupted = Summary { cut_short: Some(CutShort::Interrupt), ..unreached(&[(NotTried, 3)], &[("ok", 1)]) };
        assert_eq!(interrupted.verdict(), Verdict::Interrupted);
    }
}
