//! The reports of a run's lookups: one for each family of addresses, with those of both info-hashes of a hybrid.

use crate::discovery::dht::asked_nodes::AskedNodes;
use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::further::Further;
use crate::discovery::dht::one_family::OneFamily;
use crate::discovery::dht::starts::Starts;
use crate::discovery::dht::terms::Terms;
use dht::lookup::{Family, View};
use nix::errno::Errno;
use report::{DhtFamily, DhtNode, DhtNodeCounts, DhtNodeStatus, DhtReport, DhtStatus};

/// One report for each family that was asked, or was to be; else one for both. `status` is that of lookups that go on, and of a run
/// that must not ask.
pub(crate) fn reports(families: &[OneFamily], starts: &Starts, terms: &Terms, status: DhtStatus) -> Vec<DhtReport> {
    let has_begun = families.iter().any(|one| !one.lookups.is_empty());
    if status.is_unsent() && !has_begun {
        return vec![DhtReport::new(None, status)];
    }
    let all: Vec<(Family, DhtReport)> =
        families.iter().map(|one| (one.family, report(one, starts, terms, status))).collect();
    let is_something = |report: &DhtReport| report.queries > 0 || report.status == DhtStatus::LocalLimit;
    let is_any = all.iter().any(|(_, report)| is_something(report));
    let kept = all.iter().filter(|(family, report)| is_something(report) || starts.is_by_user(*family));
    let kept: Vec<DhtReport> = kept.map(|(_, report)| report.clone()).collect();
    if is_any || !kept.is_empty() {
        return kept;
    }
    // Nothing was sent in either: the reason of the one that had something to send.
    let message = all.iter().find_map(|(_, report)| report.message.clone());
    let reason = all.into_iter().map(|(_, report)| report).find(|report| report.status != DhtStatus::NoStart);
    let message = reason.as_ref().map_or(message, |report| report.message.clone());
    let no_start = if starts.is_without_route() { DhtStatus::NoRoute } else { DhtStatus::NoStart };
    let mut report = DhtReport::new(None, reason.as_ref().map_or(no_start, |report| report.status));
    report.message = message;
    report.starts = starts.report(None, None, &[]);
    vec![report]
}

fn report(one: &OneFamily, starts: &Starts, terms: &Terms, status: DhtStatus) -> DhtReport {
    let family = named(one.family);
    if one.lookups.is_empty() {
        let (status, message) = match &one.no_socket {
            // The user's choice, and no fault of this machine, which may have a route in the other family.
            Some(error) if !terms.route.has_family(one.family == Family::V6) => {
                (DhtStatus::NoStart, Some(error.to_string()))
            }
            Some(error) if is_of_no_family(error) => (DhtStatus::NoRoute, Some(error.to_string())),
            Some(error) => (DhtStatus::LocalLimit, Some(error.to_string())),
            None if status == DhtStatus::Interrupted => (status, None),
            None => (DhtStatus::NoStart, None),
        };
        let mut report = DhtReport::new(Some(family), status);
        (report.message, report.starts) = (message, starts.report(Some(one.family), None, &one.earlier));
        return report;
    }
    let mut report = DhtReport::new(Some(family), ended(&one.lookups, status));
    let nodes = AskedNodes::united(one.lookups.iter().map(|lookup| &lookup.nodes));
    report.starts = starts.report(Some(one.family), Some(&nodes), &one.earlier);
    report.nodes = counts(&nodes);
    report.seen_as = nodes.seen_as();
    fill(&mut report, &one.lookups, terms.list_all);
    report
}

/// Why the lookups of a family ended: of two the worse reason, which is the later one in the order of the statuses. `status` is that
/// of those that go on.
fn ended(lookups: &[FamilyLookup], status: DhtStatus) -> DhtStatus {
    let worst = |is_meant: fn(View) -> bool| {
        let meant = lookups.iter().filter(|lookup| is_meant(lookup.view()));
        meant.map(|lookup| lookup.ended().unwrap_or(status)).max()
    };
    // Why one could send nothing is no news of a family in which the other could.
    let worst = worst(|view| view.queries > 0).or_else(|| worst(|_| true)).unwrap_or(status);
    let has_answered = lookups.iter().any(|lookup| lookup.view().answered > 0);
    // Nodes have answered about one info-hash, and none about the other.
    if worst == DhtStatus::NoAnswer && has_answered { DhtStatus::FewNodes } else { worst }
}

/// Each node counts once, by whatever number of info-hashes it was asked for.
fn counts(nodes: &AskedNodes) -> DhtNodeCounts {
    let count = |is_meant: &dyn Fn(&DhtNode) -> bool| nodes.iter().filter(|node| is_meant(node)).count();
    let of = |status| count(&|node| node.status == status);
    let mut counts = DhtNodeCounts::default();
    counts.refused = of(DhtNodeStatus::Refused);
    counts.answered = of(DhtNodeStatus::Ok) + counts.refused;
    // Those too that could have answered later.
    counts.silent = of(DhtNodeStatus::Silent);
    counts.misnamed = of(DhtNodeStatus::Misnamed);
    counts.asked = counts.answered + counts.silent + counts.misnamed;
    counts.with_peers = count(&|node| node.peers > 0);
    counts.liars = count(&|node| node.is_liar == Some(true));
    counts
}

fn fill(report: &mut DhtReport, lookups: &[FamilyLookup], list_all: bool) {
    let queries = || lookups.iter().map(|lookup| lookup.view().queries);
    let send_error = lookups.iter().find_map(|lookup| lookup.send_error.as_ref());
    report.message = send_error.filter(|_| queries().sum::<usize>() == 0).map(ToString::to_string);
    report.queries = queries().sum::<usize>() + lookups.iter().map(|lookup| lookup.further.sent).sum::<usize>();
    // Of two lookups that of the one with more answers, which says more of the network.
    let answered = lookups.iter().max_by_key(|lookup| lookup.view().answered);
    report.round_trip = answered.and_then(|lookup| lookup.view().round_trip);
    // They begin at the same time.
    report.first_peers = lookups.iter().filter_map(|lookup| lookup.view().first_peers).min();
    report.elapsed = lookups.iter().map(FamilyLookup::elapsed).max().unwrap_or_default();
    report.estimate = Further::estimate(lookups.iter().map(|lookup| &lookup.further));
    let nodes = lookups.iter().flat_map(|lookup| lookup.nodes.iter());
    report.listed = nodes.filter(|node| list_all || node.peers > 0).cloned().collect();
}

/// Whether a socket of the family cannot be bound because this machine or the user's choice has no address of it.
pub(crate) fn is_of_no_family(error: &std::io::Error) -> bool {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(code) => matches!(code, Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL | Errno::ENODEV),
        None => true,
    }
}

pub(crate) fn named(family: Family) -> DhtFamily {
    match family {
        Family::V4 => DhtFamily::V4,
        Family::V6 => DhtFamily::V6,
    }
}
