//! What the lookups of a run in the DHT found, in a few words, and two lines for each family of addresses.

use crate::human::style::{BAD, DIM, GOOD, OPEN};
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
            0 => format!("DHT: {}{}", dht_words(worst.status), asked(sum(|report| report.nodes.asked))),
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
    if report.status.is_unsent() {
        return title.add(format!("  {}", why(report))).wrapped(2, 6, page.columns);
    }
    let first = report.first_peers.map(|first| format!("first peers after {}, ", time(first))).unwrap_or_default();
    let line = title.add(format!("  {}; {first}done after {}", nodes(report), time(report.elapsed)));
    let mut lines = line.wrapped(2, 6, page.columns);
    let claim = claimed_seeds.map(|seeds| format!(" (trackers claim {})", plural(seeds as usize, "seed")));
    let estimate = report.estimate.map(|estimate| format!("{}{}", about(estimate), claim.unwrap_or_default()));
    let failed: Vec<String> = report.starts.iter().filter(|start| start.answered == 0).map(start).collect();
    let (named, more) = failed.split_at(failed.len().min(NAMED_STARTS));
    let more = (!more.is_empty()).then(|| format!("{} more", plural(more.len(), "starting point")));
    let ended = (report.status != DhtStatus::Ok).then(|| why(report));
    let parts = [Some(peers(report)), estimate, noise(report)].into_iter().flatten();
    let parts = parts.chain(named.iter().cloned()).chain(more).chain(ended);
    let text = parts.collect::<Vec<_>>().join("; ");
    lines.extend(Line::new().styled(DIM, text).wrapped(6, 6, page.columns));
    lines
}

/// `81 nodes asked: 66 answered (3 with an error), 12 silent`.
pub(super) fn nodes(report: &DhtReport) -> String {
    let counts = report.nodes;
    let refused = if counts.refused > 0 { format!(" ({} with an error)", counts.refused) } else { String::new() };
    let asked = plural(counts.asked, "node");
    format!("{asked} asked: {} answered{refused}, {} silent", counts.answered, counts.silent)
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
