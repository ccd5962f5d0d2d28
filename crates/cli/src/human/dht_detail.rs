//! What the DHT says of a torrent, in full: each node that answered, the closest first, as dig has it for name servers.

use crate::human::dht::{Lookups, about, nodes, noise, start, title, why};
use crate::human::style::{ADDRESS_WIDTH, BAD, BOLD, DIM, GOOD, OPEN, PLAIN};
use crate::text::{Line, Page, listed, plural, time};
use client::dht::NodeId;
use client::ids::InfoHash;
use client::{CodeKind, DhtNode, DhtNodeStatus, DhtReport, Explanation, PeerReport, Source, Summary};
use guard::escape;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Where the rows of a lookup begin, and their text.
const ROW: usize = 4;
const TEXT: usize = 12;
/// Columns of a time, and of a client's name.
const TIME_WIDTH: usize = 8;
const CLIENT_WIDTH: usize = 18;
/// Own addresses that are listed.
const NAMED_ADDRESSES: usize = 3;

/// One lookup, in lines: the nodes that answered, the closest first, or with `trace` every node in the order of asking.
pub(crate) fn dht_detail(info_hash: InfoHash, report: &DhtReport, trace: bool, page: Page) -> String {
    let page = Page { cuts: false, ..page };
    let found = match (report.queries, report.nodes.answered) {
        (0, _) => String::new(),
        (_, 0) => format!("  no answer from {} in {}", plural(report.nodes.asked, "node"), time(report.elapsed)),
        _ => {
            format!("  {} from {} in {}", plural(report.peers.named, "peer"), with_peers(report), time(report.elapsed))
        }
    };
    let mut lines = vec![title(report, page).add(found)];
    lines.extend(listing(info_hash, report, trace, page));
    let mut row = |name: &str, text: String| {
        let line = Line::new().cell(DIM, name, TEXT).add(text);
        lines.extend(line.wrapped(ROW, ROW + TEXT, page.columns));
    };
    if report.queries > 0 {
        row("nodes", nodes(report));
        let median = report.round_trip.map(|median| format!(", round trips of {} by median", time(median)));
        row("sent", format!("{}{}", plural(report.queries, "datagram"), median.unwrap_or_default()));
        row("peers", peers(report));
    }
    report.estimate.into_iter().for_each(|estimate| row("swarm", about(estimate)));
    noise(report).into_iter().for_each(|noise| row("noise", noise.trim_start_matches("noise: ").to_owned()));
    seen_as(&report.listed).into_iter().for_each(|seen| row("seen as", seen));
    for (n, from) in report.starts.iter().enumerate() {
        row(if n == 0 { "started at" } else { "" }, start(from));
    }
    row(if report.is_unsent() { "not asked" } else { "ended" }, why(report));
    if report.nodes.answered == 0
        && let Some(entry) = Explanation::of(CodeKind::DhtStatus, report.status.code())
    {
        entry.causes().for_each(|cause| row("may mean", cause.to_owned()));
        row("to do", entry.to_do.to_owned());
    }
    lines.iter().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}

/// `12 of 66 nodes`: those that named peers, of those that answered.
fn with_peers(report: &DhtReport) -> String {
    format!("{} of {}", report.nodes.with_peers, plural(report.nodes.answered, "node"))
}

fn peers(report: &DhtReport) -> String {
    let peers = report.peers;
    let first = report.first_peers.map(|first| format!(", the first after {}", time(first))).unwrap_or_default();
    let doubtful = if peers.doubtful > 0 { format!(", {} doubtful", peers.doubtful) } else { String::new() };
    let all = if peers.named > 0 { " (-a lists them)" } else { "" };
    format!("{}{first}{doubtful}{all}", peers.named)
}

/// A head, and a row for each node; of a hybrid those of its v1 swarm first, and then those of its v2 swarm.
fn listing(info_hash: InfoHash, report: &DhtReport, trace: bool, page: Page) -> Vec<Line> {
    let listed: Vec<&DhtNode> = report.listed.iter().filter(|node| trace || node.round_trip.is_some()).collect();
    if listed.is_empty() {
        return Vec::new();
    }
    let indent = || Line::new().add(" ".repeat(ROW - 2));
    let at = if trace { format!("{:>TIME_WIDTH$}  ", "asked") } else { String::new() };
    let names =
        format!("  {at}bits  {:ADDRESS_WIDTH$}  {:CLIENT_WIDTH$}  {:>TIME_WIDTH$}  gave", "address", "client", "took");
    let head = indent().styled(DIM, names);
    let (first, second): (Vec<&DhtNode>, _) = listed.into_iter().partition(|node| is_primary(info_hash, node));
    // The two swarms of a hybrid are in two places.
    let is_hybrid = report.listed.iter().any(|node| !is_primary(info_hash, node));
    let mut lines = vec![head];
    for (swarm, mut nodes) in [("v1 swarm", first), ("v2 swarm", second)] {
        if is_hybrid && !nodes.is_empty() {
            lines.push(indent().add("  ").styled(DIM, swarm));
        }
        if !trace {
            // Nodes without an id are last.
            let distance = |node: &DhtNode| Some(node.id?.distance(&NodeId::from(node.info_hash?)));
            nodes.sort_by_key(|node| (node.id.is_none(), distance(node)));
        }
        lines.extend(nodes.into_iter().map(|node| indent().and(&of_node(node, trace, page))));
    }
    lines
}

/// Whether a node was asked for the torrent's first info-hash, and not for the v2 one of a hybrid.
fn is_primary(info_hash: InfoHash, node: &DhtNode) -> bool {
    node.info_hash.is_none_or(|asked| asked == info_hash)
}

/// `✓  17  198.51.100.4:6881  libtorrent 2.1.1  93 ms  100 peers, 8 nodes`.
fn of_node(node: &DhtNode, trace: bool, page: Page) -> Line {
    let (mark, style) = match (node.status, node.is_liar) {
        (DhtNodeStatus::Ok, Some(true)) => (page.marks.bad, BAD),
        (DhtNodeStatus::Ok, _) => (page.marks.good, GOOD),
        (DhtNodeStatus::Refused, _) => (page.marks.open, OPEN),
        _ => (page.marks.bad, BAD),
    };
    let line = Line::new().styled(style, mark).add(" ");
    let line = if trace { line.add(format!("{:>TIME_WIDTH$}  ", time(node.asked))) } else { line };
    let bits = node.shared_bits.map(|bits| bits.to_string()).unwrap_or_default();
    let client = node.client.as_deref().map(|client| escape(client).to_string());
    let client = client.unwrap_or_else(|| if node.round_trip.is_some() { "unknown" } else { "" }.to_owned());
    let took = node.round_trip.map(time).unwrap_or_default();
    let line = line.add(format!("{bits:>4}  ")).cell(PLAIN, node.address.to_string(), ADDRESS_WIDTH).add("  ");
    line.cell(PLAIN, client, CLIENT_WIDTH).add(format!("  {took:>TIME_WIDTH$}  ")).styled(style, gave(node))
}

/// `100 peers, 8 nodes`, or what went wrong.
pub(super) fn gave(node: &DhtNode) -> String {
    let gave = [(node.peers, "peer"), (node.nodes, "node")];
    let gave: Vec<String> =
        gave.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(count, what)).collect();
    let gave = if gave.is_empty() { "nothing".to_owned() } else { gave.join(", ") };
    let said = match node.status {
        DhtNodeStatus::Ok if node.is_liar == Some(true) => format!("liar: {gave}"),
        DhtNodeStatus::Ok => gave,
        status => status.code().to_owned(),
    };
    match &node.message {
        Some(message) => format!("{said}: {message}"),
        None => said,
    }
}

/// `203.0.113.7:6881 by 31 nodes`: a port that differs between nodes is a sign of a NAT that makes a mapping for each.
pub(super) fn seen_as(nodes: &[DhtNode]) -> Option<String> {
    let mut seen: BTreeMap<SocketAddr, usize> = BTreeMap::new();
    nodes.iter().filter_map(|node| node.seen_as).for_each(|address| *seen.entry(address).or_default() += 1);
    let mut seen: Vec<_> = seen.into_iter().collect();
    seen.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = seen.len().saturating_sub(NAMED_ADDRESSES);
    let first = seen.iter().take(NAMED_ADDRESSES);
    let mut parts: Vec<String> =
        first.map(|(address, count)| format!("{address} by {}", plural(*count, "node"))).collect();
    parts.extend((more > 0).then(|| plural(more, "other")));
    (!parts.is_empty()).then(|| listed(&parts))
}

/// A peer, and the nodes that named it.
pub(crate) fn named_peer(report: &PeerReport) -> String {
    let nodes = report.sources.iter().filter_map(|source| match source {
        Source::Dht(node) => Some(node.to_string()),
        _ => None,
    });
    let nodes: Vec<String> = nodes.collect();
    let from = if nodes.is_empty() { String::new() } else { format!("  from {}", nodes.join(" ")) };
    Line::new().add(" ".repeat(ROW)).cell(PLAIN, report.address.to_string(), ADDRESS_WIDTH).add(from).whole()
}

/// What all lookups of a torrent found together.
pub(crate) fn looked_up(summary: &Summary, lookups: &Lookups) -> String {
    let headline = lookups.row().unwrap_or_else(|| "DHT not asked".to_owned());
    Line::new().add("\n").styled(BOLD, headline).add(format!(" in {}", time(summary.elapsed))).whole()
}
