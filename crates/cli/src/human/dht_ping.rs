//! What one node of the DHT answered.

use crate::human::dht_detail::gave;
use crate::human::style::{BAD, BOLD, DIM, GOOD};
use crate::text::{Line, Page, plural, time};
use client::{CodeKind, DhtNode, DhtNodeStatus, DhtReport, DhtStatus, Explanation};
use guard::escape;
use tracker::PeerAddress;

/// Where the rows begin, and their text.
const ROW: usize = 4;
const TEXT: usize = 12;

/// A few lines for each address of the node; `is_about`: whether it was asked for the peers of a torrent.
pub(crate) fn pinged(node: &PeerAddress, is_about: bool, reports: &[DhtReport], page: Page) -> Vec<Line> {
    reports.iter().flat_map(|report| of_family(node, is_about, report, page)).collect()
}

fn of_family(node: &PeerAddress, is_about: bool, report: &DhtReport, page: Page) -> Vec<Line> {
    if report.listed.is_empty() {
        let words = match report.status {
            DhtStatus::NoStart => "not resolved",
            status => status.code(),
        };
        let status = Line::new().styled(BAD, words);
        let explained = Explanation::of(CodeKind::DhtStatus, report.status.code());
        let why = report.message.clone().or_else(|| explained.map(|entry| entry.seen.to_owned())).unwrap_or_default();
        return vec![title(&escape(&node.to_string()).to_string(), false, page).and(&status).add(format!("  {why}"))];
    }
    report.listed.iter().flat_map(|node| of_address(is_about, node, page)).collect()
}

fn title(node: &str, is_reached: bool, page: Page) -> Line {
    let (mark, style) = if is_reached { (page.marks.good, GOOD) } else { (page.marks.bad, BAD) };
    Line::new().styled(style, mark).add(" ").styled(BOLD, node).add("  ")
}

fn of_address(is_about: bool, node: &DhtNode, page: Page) -> Vec<Line> {
    let is_reached = node.round_trip.is_some();
    let title = title(&node.address.to_string(), is_reached, page);
    let mut lines = vec![match node.round_trip {
        Some(took) => title.styled(GOOD, "reached").add(format!(" in {}", time(took))),
        None => title.styled(BAD, node.status.code()).add(reason(node)),
    }];
    let mut row = |name: &str, text: String| {
        let line = Line::new().cell(DIM, name, TEXT).add(text);
        lines.extend(line.wrapped(ROW, ROW + TEXT, page.columns));
    };
    if !is_reached {
        if let Some(entry) = Explanation::of(CodeKind::DhtNodeStatus, node.status.code()) {
            entry.causes().for_each(|cause| row("may mean", cause.to_owned()));
            row("to do", entry.to_do.to_owned());
        }
        return lines;
    }
    row("client", node.client.as_deref().map_or_else(|| "unknown".to_owned(), |client| escape(client).to_string()));
    if let Some(id) = node.id {
        let fits = if id.is_valid_for(node.address.ip()) { "belongs" } else { "does not belong" };
        row("id", format!("{id}, which {fits} to its address (BEP 42)"));
    }
    row("sees us at", node.seen_as.map_or_else(|| "it does not say".to_owned(), |address| address.to_string()));
    if node.status != DhtNodeStatus::Ok {
        row("answer", gave(node));
    } else if is_about {
        row("knows", format!("{} of this torrent, {}", plural(node.peers, "peer"), plural(node.nodes, "node")));
    }
    lines
}

/// `: No route to host`.
fn reason(node: &DhtNode) -> String {
    node.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default()
}
