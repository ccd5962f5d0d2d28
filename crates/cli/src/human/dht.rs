//! What the lookups of a run in the DHT found, in a few words, and two lines for each family of addresses.

use crate::human::style::{BAD, GOOD, OPEN};
use crate::human::words::dht_words;
use crate::text::{Line, Page, plural, time};
use client::{CodeKind, DhtEstimate, DhtFamily, DhtReport, DhtStart, DhtStatus, Explanation};
use guard::escape;

/// Starting points that are named in a line.
const NAMED_STARTS: usize = 3;

/// The lookups of a run: one for each family, or one that was not to be.
#[derive(Debug, Default)]
pub(crate) struct Lookups(Vec<DhtReport>);

impl Lookups {
    pub(super) fn add(&mut self, report: &DhtReport) {
        // Nodes are listed as they are told; there may be a hundred.
        let mut report = report.clone();
        report.listed = Vec::new();
        self.0.push(report);
    }

    /// Whether the DHT was neither asked nor left out for a reason.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `DHT 41 peers from 12 nodes`; where none was named, of how many that answered, or why none did.
    pub(crate) fn row(&self) -> Option<String> {
        let sum = |count: fn(&DhtReport) -> usize| self.0.iter().map(count).sum::<usize>();
        let (named, doubtful) = (sum(|report| report.peers.named), sum(|report| report.peers.doubtful));
        let (answered, with_peers) = (sum(|report| report.nodes.answered), sum(|report| report.nodes.with_peers));
        let worst = self.failure()?;
        Some(match named {
            0 if answered > 0 => format!("DHT 0 peers from {}", plural(answered, "node")),
            0 if worst.status.is_unsent() => format!("DHT not asked ({})", dht_words(worst.status)),
            0 => {
                let silent = sum(|report| if report.queries > 0 { report.nodes.asked } else { 0 });
                format!("DHT: {}{}", dht_words(worst.status), asked(silent))
            }
            _ => {
                let doubtful = if doubtful > 0 { format!(" ({doubtful} doubtful)") } else { String::new() };
                format!("DHT {} from {}{doubtful}", plural(named, "peer"), plural(with_peers, "node"))
            }
        })
    }

    /// The one that tells most of why the DHT brings nothing: what this machine lacks for one family tells least.
    fn failure(&self) -> Option<&DhtReport> {
        let telling = |report: &&DhtReport| match report.status {
            DhtStatus::NoRoute => 0,
            DhtStatus::NoStart => 1,
            DhtStatus::LocalLimit => 2,
            _ => 3,
        };
        // Of equals the first, which is IPv4.
        self.0.iter().rev().max_by_key(telling)
    }

    /// Why no node answered; `None` where one did, or where there was to be no lookup.
    pub(crate) fn silence(&self) -> Option<&'static Explanation> {
        let failure = self.failure().filter(|_| self.0.iter().all(|report| report.nodes.answered == 0))?;
        Explanation::of(CodeKind::DhtStatus, failure.status.code())
    }

    /// Of nodes that named no peer: why they are no answer for the torrent, because the closest ones were not reached. `None` of a
    /// lookup that came to its end in one family.
    pub(super) fn unfinished(&self) -> Option<&'static Explanation> {
        let answered = || self.0.iter().filter(|report| report.nodes.answered > 0);
        let is_whole = answered().any(|report| report.status == DhtStatus::Ok);
        let first = answered().next().filter(|_| !is_whole)?;
        Explanation::of(CodeKind::DhtStatus, first.status.code())
    }

    /// Two lines for each; with the seeds that trackers claim beside the estimate.
    pub(super) fn lines(&self, claimed_seeds: Option<u32>, page: Page) -> Vec<Line> {
        self.0.iter().flat_map(|report| lines(report, claimed_seeds, page)).collect()
    }
}

/// ` (23 nodes asked)`.
fn asked(nodes: usize) -> String {
    if nodes > 0 { format!(" ({} asked)", plural(nodes, "node")) } else { String::new() }
}

/// `✓ IPv4  ok`: how one lookup ended.
pub(super) fn title(report: &DhtReport, page: Page) -> Line {
    let (mark, style) = match report.status {
        _ if report.nodes.answered > 0 => (page.marks.good, GOOD),
        DhtStatus::Private | DhtStatus::MayBePrivate => (page.marks.open, OPEN),
        _ => (page.marks.bad, BAD),
    };
    Line::new().styled(style, mark).add(format!(" {}  ", family(report))).styled(style, report.status.code())
}

fn family(report: &DhtReport) -> &'static str {
    match report.family {
        Some(DhtFamily::V4) => "IPv4",
        Some(DhtFamily::V6) => "IPv6",
        _ => "DHT",
    }
}

fn lines(report: &DhtReport, claimed_seeds: Option<u32>, page: Page) -> Vec<Line> {
    let title = title(report, page);
    if report.is_unsent() {
        return title.add(format!("  {}", why(report))).wrapped(2, 6, page.columns);
    }
    let first = report.first_peers.map(|first| format!("first peers after {}, ", time(first))).unwrap_or_default();
    let line = match report.queries {
        0 => title.add("  no node was asked"),
        _ => title.add(format!("  {}; {first}done after {}", nodes(report), time(report.elapsed))),
    };
    let mut lines = line.wrapped(2, 6, page.columns);
    let claim = claimed_seeds.map(|seeds| format!(" (trackers claim {})", plural(seeds as usize, "seed")));
    let estimate = report.estimate.map(|estimate| format!("{}{}", about(estimate), claim.unwrap_or_default()));
    let failed: Vec<String> = report.starts.iter().filter(|start| start.answered == 0).map(start).collect();
    let (named, more) = failed.split_at(failed.len().min(NAMED_STARTS));
    let more = (!more.is_empty()).then(|| format!("{} more", plural(more.len(), "starting point")));
    let ended = (report.status != DhtStatus::Ok).then(|| why(report));
    let parts = [(report.queries > 0).then(|| peers(report)), estimate, noise(report)].into_iter().flatten();
    let parts = parts.chain(named.iter().cloned()).chain(more).chain(ended);
    let text = parts.collect::<Vec<_>>().join("; ");
    lines.extend(Line::new().add(text).wrapped(6, 6, page.columns));
    lines
}

/// `81 nodes asked: 66 answered (3 with an error), 3 misnamed, 12 silent`.
pub(super) fn nodes(report: &DhtReport) -> String {
    let counts = report.nodes;
    let refused = if counts.refused > 0 { format!(" ({} with an error)", counts.refused) } else { String::new() };
    // Their answers do not count, and they were not silent.
    let misnamed = if counts.misnamed > 0 { format!(", {} misnamed", counts.misnamed) } else { String::new() };
    let asked = plural(counts.asked, "node");
    format!("{asked} asked: {} answered{refused}{misnamed}, {} silent", counts.answered, counts.silent)
}

/// `41 peers named by 12 nodes, 9 answered, 3 seeds verified, 2 doubtful`.
fn peers(report: &DhtReport) -> String {
    let (peers, by) = (report.peers, plural(report.nodes.with_peers, "node"));
    if peers.named == 0 {
        return "no peer named".to_owned();
    }
    let named = format!("{} named by {by}, {} answered", plural(peers.named, "peer"), peers.ok);
    let verified = format!(", {} verified", plural(peers.verified_seeds, "seed"));
    let doubtful = if peers.doubtful > 0 { format!(", {} doubtful", peers.doubtful) } else { String::new() };
    format!("{named}{verified}{doubtful}")
}

/// `about 40 seeds and 12 leechers within 2 %, by the filters of 5 nodes`.
pub(super) fn about(estimate: DhtEstimate) -> String {
    let DhtEstimate { seeds, leechers, error_percent, is_lower_bound, nodes, .. } = estimate;
    let counts = format!("{} and {}", plural(seeds as usize, "seed"), plural(leechers as usize, "leecher"));
    let (counts, by) = (counts, format!("by the filters of {}", plural(nodes, "node")));
    match is_lower_bound {
        true => format!("more than {counts}, {by}"),
        false => format!("about {counts} within {error_percent} %, {by}"),
    }
}

/// What shows that nodes made things up; `None` of an honest lookup.
pub(super) fn noise(report: &DhtReport) -> Option<String> {
    let (liars, misnamed) = (report.nodes.liars, report.nodes.misnamed);
    let name = if liars == 1 { "names" } else { "name" };
    let liars = (liars > 0).then(|| format!("{} {name} peers of any info-hash", plural(liars, "node")));
    let misnamed = (misnamed > 0).then(|| format!("{} with another id than named", plural(misnamed, "node")));
    let said: Vec<String> = liars.into_iter().chain(misnamed).collect();
    (!said.is_empty()).then(|| format!("noise: {}", said.join(", ")))
}

/// `dht.example:6881 (bootstrap): 2 of 3 answered`.
pub(super) fn start(start: &DhtStart) -> String {
    let DhtStart { name, from, asked, answered, message, .. } = start;
    let came = match (message, asked) {
        (Some(message), 0) => message.clone(),
        (_, 0) => "not asked".to_owned(),
        (Some(message), _) => format!("{answered} of {asked} answered, {message}"),
        (None, _) => format!("{answered} of {asked} answered"),
    };
    format!("{} ({from}): {came}", escape(name))
}

/// Why it ended, or was not.
pub(super) fn why(report: &DhtReport) -> String {
    let seen =
        Explanation::of(CodeKind::DhtStatus, report.status.code()).map_or(report.status.code(), |entry| entry.seen);
    match &report.message {
        Some(message) => format!("{seen}: {message}"),
        None => seen.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Marks;
    use client::DhtStartFrom;

    fn report(family: DhtFamily, status: DhtStatus, answered: usize, named: usize) -> DhtReport {
        let mut report = DhtReport::new(Some(family), status);
        (report.nodes.asked, report.nodes.answered, report.nodes.with_peers) = (answered + 4, answered, named.min(3));
        report.peers.named = named;
        report.queries = 1;
        report
    }

    fn of(reports: &[DhtReport]) -> Lookups {
        let mut lookups = Lookups::default();
        reports.iter().for_each(|report| lookups.add(report));
        lookups
    }

    #[test]
    fn a_row_tells_of_both_families() {
        use DhtFamily::{V4, V6};
        use DhtStatus::{FewNodes, Interrupted, NoAnswer, NoRoute, NoStart, Ok};
        let private = DhtReport::new(None, DhtStatus::MayBePrivate);
        for (reports, row) in [
            (vec![], None),
            (vec![report(V4, Ok, 66, 41), report(V6, Ok, 9, 1)], Some("DHT 42 peers from 4 nodes")),
            (vec![report(V4, Ok, 66, 1), report(V6, NoRoute, 0, 0)], Some("DHT 1 peer from 1 node")),
            (vec![report(V4, Ok, 66, 0), report(V6, NoAnswer, 0, 0)], Some("DHT 0 peers from 66 nodes")),
            (vec![report(V4, NoAnswer, 0, 0), report(V6, NoRoute, 0, 0)], Some("DHT: no answer (8 nodes asked)")),
            (vec![DhtReport::new(None, NoStart)], Some("DHT: no node to start from")),
            (vec![private], Some("DHT not asked (may be private)")),
        ] {
            assert_eq!(of(&reports).row().as_deref(), row);
        }
        let silence = |reports: &[DhtReport]| of(reports).silence().map(|entry| entry.code);
        assert_eq!(silence(&[report(V4, NoAnswer, 0, 0), report(V6, NoRoute, 0, 0)]), Some("no_answer"));
        assert_eq!(silence(&[report(V4, NoRoute, 0, 0), report(V6, Ok, 1, 0)]), None);
        let unfinished = |reports: &[DhtReport]| of(reports).unfinished().map(|entry| entry.code);
        assert_eq!(unfinished(&[report(V4, NoAnswer, 0, 0), report(V6, FewNodes, 2, 0)]), Some("few_nodes"));
        assert_eq!(unfinished(&[report(V4, Interrupted, 9, 0)]), Some("interrupted"));
        assert_eq!(unfinished(&[report(V4, FewNodes, 2, 0), report(V6, Ok, 9, 0)]), None);
        assert_eq!(unfinished(&[report(V4, NoAnswer, 0, 0)]), None);
    }

    #[test]
    fn two_lines_tell_what_there_is_to_tell() {
        let mut full = report(DhtFamily::V4, DhtStatus::TooLong, 66, 41);
        (full.nodes.refused, full.nodes.silent, full.nodes.liars, full.nodes.misnamed) = (3, 3, 2, 1);
        (full.peers.ok, full.peers.verified_seeds, full.peers.doubtful) = (9, 3, 2);
        (full.first_peers, full.elapsed) =
            (Some(std::time::Duration::from_millis(330)), std::time::Duration::from_secs(10));
        full.starts =
            ["a", "b", "c", "d"].map(|name| DhtStart::new(format!("{name}:1"), DhtStartFrom::Bootstrap)).into();
        full.starts[0].message = Some("unknown host name".to_owned());
        (full.starts[1].asked, full.starts[1].answered) = (2, 1);
        full.starts[2].asked = 2;
        let page = Page { columns: 1000, cuts: false, marks: Marks::ASCII };
        let shown = |claimed| {
            let lines = of(std::slice::from_ref(&full)).lines(claimed, page);
            let lines: Vec<String> = lines.iter().map(|line| line.on(page)).collect();
            anstream::adapter::strip_str(&lines.join("\n")).to_string()
        };
        let expected = "  + IPv4  too_long  70 nodes asked: 66 answered (3 with an error), 1 misnamed, 3 silent; first peers after 330 ms, \
                        done after 10.00 s\n      41 peers named by 3 nodes, 9 answered, 3 seeds verified, 2 doubtful; \
                        noise: 2 nodes name peers of any info-hash, 1 node with another id than named; \
                        a:1 (bootstrap): unknown host name; c:1 (bootstrap): 0 of 2 answered; d:1 (bootstrap): not asked; \
                        it took longer than a lookup may take";
        assert_eq!(shown(None), expected);
        let mut estimate = full.clone();
        let filters = client::dht::Filters::default();
        estimate.estimate = Some(DhtEstimate::new(&filters, 5));
        let lines = of(&[estimate]).lines(Some(50), page);
        let text = lines.iter().map(|line| line.on(page)).collect::<String>();
        let says = "about 0 seeds and 0 leechers within 0 %, by the filters of 5 nodes (trackers claim 50 seeds); ";
        assert!(text.contains(says), "{text}");
    }
}
