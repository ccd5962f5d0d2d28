//! The reports of a run's lookups.

use crate::discovery::dht::family_lookup::FamilyLookup;
use crate::discovery::dht::one_family::OneFamily;
use crate::discovery::dht::starts::Starts;
use crate::discovery::dht::terms::Terms;
use dht::lookup::{Family, View};
use nix::errno::Errno;
use report::{DhtFamily, DhtNodeStatus, DhtReport, DhtStatus};

/// One report for each family that was asked, or was to be; else one for both. `status` is that of lookups that go on, and of a run
/// that must not ask.
pub(crate) fn reports(families: &[OneFamily], starts: &Starts, terms: &Terms, status: DhtStatus) -> Vec<DhtReport> {
    let has_begun = families.iter().any(|one| one.lookup.is_some());
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
    let Some(lookup) = &one.lookup else {
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
    };
    let mut report = DhtReport::new(Some(family), lookup.ended().unwrap_or(status));
    report.starts = starts.report(Some(one.family), Some(&lookup.nodes), &one.earlier);
    fill(&mut report, lookup, terms.list_all);
    report
}

fn fill(report: &mut DhtReport, lookup: &FamilyLookup, list_all: bool) {
    let View { queries, asked, answered, refused, misnamed, first_peers, round_trip, .. } = lookup.view();
    let nodes = || lookup.nodes.iter();
    report.message = lookup.send_error.as_ref().filter(|_| queries == 0).map(ToString::to_string);
    let unsent = nodes().filter(|node| node.status == DhtNodeStatus::Unsent).count();
    let asked = asked.saturating_sub(unsent);
    report.nodes.asked = asked;
    report.nodes.answered = answered;
    // Those too that could have answered later.
    report.nodes.silent = asked.saturating_sub(answered + misnamed);
    report.nodes.refused = refused;
    report.nodes.misnamed = misnamed;
    report.nodes.with_peers = nodes().filter(|node| node.peers > 0).count();
    report.nodes.liars = nodes().filter(|node| node.is_liar == Some(true)).count();
    report.queries = queries + lookup.further.sent;
    (report.round_trip, report.first_peers) = (round_trip, first_peers);
    report.elapsed = lookup.elapsed();
    report.estimate = lookup.further.estimate();
    report.listed = nodes().filter(|node| list_all || node.peers > 0).cloned().collect();
    report.seen_as = lookup.nodes.seen_as();
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
