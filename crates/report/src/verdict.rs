//! What a run says of its torrent, in one code.

use crate::code::codes;
use crate::dht::DhtStatus;
use crate::outcome::Outcome;
use crate::status::{Standing, TrackerStatus};
use crate::summary::{CutShort, Summary};
use crate::web_seed::WebSeedStatus;

codes! {
    /// What a run says of its torrent. It speaks of the peers that were reached, at one time and from one address.
    pub enum Verdict {
        /// The peers that were reached have at least one whole copy.
        Healthy = "healthy",
        /// Peers were reached, and what they have together is less than one copy.
        Incomplete = "incomplete",
        /// Peers were reached, and whether they have a whole copy is unknown: too little was said of pieces.
        SeedsUnverified = "seeds_unverified",
        /// Peers were named, and none shook hands.
        NoPeerAnswered = "no_peer_answered",
        /// A tracker or a node of the DHT answered, and no peer was named.
        NoPeerNamed = "no_peer_named",
        /// No peer brings a whole copy, and a web seed has everything, as far as it was looked at.
        WebSeeded = "web_seeded",
        /// No tracker was asked, no node of the DHT answered, and no web seed has everything.
        WebSeedsFailed = "web_seeds_failed",
        /// No source of peers: no tracker and no node of the DHT answered, and no peer was named.
        NoSource = "no_source",
        /// No tracker gave peers, and at least one refused with a reason.
        Refused = "refused",
        /// Only sources were asked, at least one answered, and no peer was dialled.
        TrackersOnly = "trackers_only",
        /// The user ended the run before a peer was reached.
        Interrupted = "interrupted",
        /// This machine has no route to any address that was tried.
        Offline = "offline",
        /// The torrent is private (BEP 27), which was not allowed: nothing was asked, or the run ended where the metadata of a link
        /// said so.
        PrivateRefused = "private_refused",
    }
}

impl Verdict {
    fn of(summary: &Summary) -> Self {
        // Whatever was seen until then is part of something that was not to be done.
        if summary.cut_short == Some(CutShort::Private) {
            return Self::PrivateRefused;
        }
        let web_seeds = &summary.web_seeds;
        match Self::of_peers(summary) {
            // What peers lack is fetched from a web seed; a run that was interrupted, or asked for counts only, says nothing of
            // the whole.
            Self::Incomplete
            | Self::SeedsUnverified
            | Self::NoPeerAnswered
            | Self::NoPeerNamed
            | Self::NoSource
            | Self::Refused
                if web_seeds.complete > 0 =>
            {
                Self::WebSeeded
            }
            Self::NoSource if summary.trackers == 0 && web_seeds.checked > 0 => Self::WebSeedsFailed,
            verdict => verdict,
        }
    }

    fn of_peers(summary: &Summary) -> Self {
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
        // One whose interval has not passed has answered before.
        let answered = summary.trackers_ok.max(summary.trackers_of(Standing::Answered));
        let is_refused = answered == 0 && summary.trackers_of(Standing::Refused) > 0;
        if summary.peers == 0 && is_refused {
            return Self::Refused;
        }
        if answered > 0 || summary.dht.answered > 0 {
            let undialled =
                count(Outcome::NotTried) + count(Outcome::AddressQuota) == summary.peers && summary.cut_short.is_none();
            return match summary.peers {
                0 if summary.scraped => Self::TrackersOnly,
                0 => Self::NoPeerNamed,
                _ if undialled => Self::TrackersOnly,
                _ => Self::NoPeerAnswered,
            };
        }
        match summary.peers {
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

    /// The same by trackers and peers alone: never [`Verdict::WebSeeded`] or [`Verdict::WebSeedsFailed`].
    #[must_use]
    pub fn verdict_of_peers(&self) -> Verdict {
        Verdict::of_peers(self)
    }

    /// Whether everything that was tried ended for want of a route, so that nothing is known of the torrent. Trackers, web seeds
    /// and lookups in the DHT for which nothing would have been sent anyway do not count.
    fn is_offline(&self) -> bool {
        use TrackerStatus::{BadUrl, NoRoute, NotAsked, RefusedAddress, ScrapeUnsupported, UnsupportedScheme};
        let of = |status| self.tracker_statuses.get(&status).copied().unwrap_or_default();
        let peers = self.outcomes.get(&Outcome::NoRoute).copied().unwrap_or_default();
        let trackers = of(NoRoute);
        let unsent: usize =
            [BadUrl, UnsupportedScheme, ScrapeUnsupported, RefusedAddress, NotAsked].into_iter().map(of).sum();
        let web_seeds = self.web_seeds.of(WebSeedStatus::NoRoute);
        let lookups = self.dht.of(DhtStatus::NoRoute);
        peers + trackers + web_seeds + lookups > 0
            && peers == self.peers
            && trackers + unsent == self.trackers
            && web_seeds + self.web_seeds.unsent() == self.web_seeds.reports()
            && lookups + self.dht.unsent() == self.dht.reports()
    }

    /// Reports of trackers of this standing.
    #[must_use]
    pub fn trackers_of(&self, standing: Standing) -> usize {
        self.tracker_standings.get(&standing).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copies::Copies;
    use crate::dht::DhtView;
    use crate::swarm_view::SwarmView;
    use crate::web_seed::WebSeedView;

    fn reached(copies: Option<(f64, f64)>) -> Summary {
        let copies = copies.map(|(min, max)| Copies { min, max });
        let swarm = SwarmView { copies, ..SwarmView::default() };
        let outcomes = [(Outcome::Ok, 1), (Outcome::ConnectTimeout, 1)].into();
        Summary { peers: 2, ok: 1, outcomes, trackers: 1, trackers_ok: 1, swarm, ..Summary::default() }
    }

    fn unreached(outcomes: &[(Outcome, usize)], statuses: &[(TrackerStatus, usize)]) -> Summary {
        let sum = |counts: &mut dyn Iterator<Item = usize>| counts.sum();
        let peers = sum(&mut outcomes.iter().map(|(_, count)| *count));
        let trackers = sum(&mut statuses.iter().map(|(_, count)| *count));
        let trackers_ok = statuses.iter().filter(|(code, _)| code.is_ok()).map(|(_, count)| *count).sum();
        Summary {
            peers,
            outcomes: outcomes.iter().copied().collect(),
            trackers,
            trackers_ok,
            tracker_standings: [(
                Standing::Refused,
                statuses.iter().filter(|(code, _)| *code == TrackerStatus::Failure).count(),
            )]
            .into(),
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
        use TrackerStatus as Status;
        use TrackerStatus::{Failure, Ok, Timeout, UnsupportedScheme};
        let mut waiting = unreached(&[], &[(Status::NotAsked, 1), (Failure, 1)]);
        waiting.tracker_standings.insert(Standing::Answered, 1);
        for (summary, verdict) in [
            (waiting, Verdict::NoPeerNamed),
            (unreached(&[(ConnectTimeout, 3)], &[(Ok, 1)]), Verdict::NoPeerAnswered),
            (unreached(&[(ConnectTimeout, 1), (NoRoute, 2)], &[]), Verdict::NoPeerAnswered),
            (unreached(&[(NotTried, 3)], &[(Ok, 1)]), Verdict::TrackersOnly),
            (unreached(&[], &[(Ok, 1), (Timeout, 1)]), Verdict::NoPeerNamed),
            (Summary { scraped: true, ..unreached(&[], &[(Ok, 1)]) }, Verdict::TrackersOnly),
            (unreached(&[], &[(Failure, 1), (Timeout, 1)]), Verdict::Refused),
            (unreached(&[], &[(Timeout, 1), (Status::NoRoute, 1)]), Verdict::NoSource),
            (unreached(&[], &[(Status::NoRoute, 2)]), Verdict::Offline),
            (unreached(&[], &[(Status::NoRoute, 1), (UnsupportedScheme, 1)]), Verdict::Offline),
            (unreached(&[], &[(UnsupportedScheme, 2)]), Verdict::NoSource),
            (unreached(&[(NoRoute, 2)], &[]), Verdict::Offline),
            (unreached(&[], &[]), Verdict::NoSource),
        ] {
            assert_eq!(summary.verdict(), verdict, "{summary:?}");
        }
        let web_seeded = |complete, statuses: &[(WebSeedStatus, usize)], summary| {
            let checked = statuses.iter().map(|(_, count)| *count).sum();
            let statuses = statuses.iter().copied().collect();
            let web_seeds = WebSeedView { checked, complete, statuses, ..WebSeedView::default() };
            Summary { web_seeds, ..summary }
        };
        let (good, stale) = ([(WebSeedStatus::Ok, 1)], [(WebSeedStatus::WrongSize, 1)]);
        let no_route = [(WebSeedStatus::NoRoute, 1)];
        for (summary, verdict) in [
            (web_seeded(1, &good, reached(Some((1.0, 1.0)))), Verdict::Healthy),
            (web_seeded(1, &good, reached(Some((0.4, 0.4)))), Verdict::WebSeeded),
            (web_seeded(1, &good, reached(None)), Verdict::WebSeeded),
            (web_seeded(0, &stale, reached(None)), Verdict::SeedsUnverified),
            (web_seeded(1, &good, unreached(&[(ConnectTimeout, 3)], &[(Ok, 1)])), Verdict::WebSeeded),
            (web_seeded(1, &good, unreached(&[], &[(Ok, 1)])), Verdict::WebSeeded),
            (web_seeded(1, &good, unreached(&[], &[(Failure, 1)])), Verdict::WebSeeded),
            (web_seeded(1, &good, unreached(&[], &[(Timeout, 1)])), Verdict::WebSeeded),
            (web_seeded(0, &stale, unreached(&[], &[(Timeout, 1)])), Verdict::NoSource),
            (web_seeded(1, &good, unreached(&[], &[])), Verdict::WebSeeded),
            (web_seeded(0, &stale, unreached(&[], &[])), Verdict::WebSeedsFailed),
            // A web server that answers shows that there is a network.
            (web_seeded(0, &stale, unreached(&[], &[(Status::NoRoute, 1)])), Verdict::NoSource),
            (web_seeded(0, &no_route, unreached(&[], &[(Status::NoRoute, 1)])), Verdict::Offline),
            (web_seeded(0, &no_route, unreached(&[], &[])), Verdict::Offline),
        ] {
            assert_eq!(summary.verdict(), verdict, "{summary:?}");
        }
        let looked_up = |answered, statuses: &[DhtStatus], summary| {
            let statuses = statuses.iter().map(|status| (*status, 1)).collect();
            Summary { dht: DhtView { answered, statuses, ..DhtView::default() }, ..summary }
        };
        use DhtStatus as D;
        for (summary, verdict) in [
            (looked_up(9, &[D::Ok, D::NoRoute], unreached(&[], &[])), Verdict::NoPeerNamed),
            (looked_up(9, &[D::Ok], unreached(&[], &[(Timeout, 1)])), Verdict::NoPeerNamed),
            (looked_up(9, &[D::Ok], unreached(&[], &[(Failure, 1)])), Verdict::Refused),
            (looked_up(9, &[D::Ok], unreached(&[(NotTried, 3)], &[])), Verdict::TrackersOnly),
            (looked_up(9, &[D::Ok], unreached(&[(ConnectTimeout, 3)], &[])), Verdict::NoPeerAnswered),
            (looked_up(9, &[D::Ok], web_seeded(0, &stale, unreached(&[], &[]))), Verdict::NoPeerNamed),
            (looked_up(0, &[D::NoAnswer], web_seeded(0, &stale, unreached(&[], &[]))), Verdict::WebSeedsFailed),
            (looked_up(0, &[D::NoAnswer, D::NoRoute], unreached(&[], &[])), Verdict::NoSource),
            (looked_up(0, &[D::NoRoute, D::NoRoute], unreached(&[], &[])), Verdict::Offline),
            // No name of a node resolves, or none may be asked.
            (looked_up(0, &[D::NoStart], unreached(&[], &[(Status::NoRoute, 1)])), Verdict::Offline),
            (looked_up(0, &[D::Private], unreached(&[], &[(Status::NoRoute, 1)])), Verdict::Offline),
            (looked_up(0, &[D::NoStart], unreached(&[], &[])), Verdict::NoSource),
        ] {
            assert_eq!(summary.verdict(), verdict, "{summary:?}");
        }
        let interrupt = Some(CutShort::Interrupt);
        let interrupted = web_seeded(1, &good, Summary { cut_short: interrupt, ..unreached(&[], &[]) });
        assert_eq!(interrupted.verdict(), Verdict::Interrupted);
        let interrupted = Summary { cut_short: Some(CutShort::Interrupt), ..unreached(&[(NotTried, 3)], &[(Ok, 1)]) };
        assert_eq!(interrupted.verdict(), Verdict::Interrupted);
        let private = Some(CutShort::Private);
        assert_eq!(Summary { cut_short: private, ..reached(Some((1.0, 1.0))) }.verdict(), Verdict::PrivateRefused);
    }
}
