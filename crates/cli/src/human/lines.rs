//! A line for a torrent, a tracker and a peer.

use crate::human::style::{ADDRESS_WIDTH, BAD, BOLD, DIM, GOOD, OUTCOME_WIDTH, PLAIN, ROLE_WIDTH};
use crate::human::words::{answered_in, content, name, role_and_share, said_by_tracker, swarm_suffix};
use crate::input::Input;
use crate::text::{Line, Page, short, time};
use client::{Outcome, PeerReport, Source, TrackerReport, Transport};

/// What is asked about.
pub(crate) fn start(input: &Input, page: Page) -> String {
    let mut facts = content(input);
    let (name, hash) = (name(input), input.torrent_ref.hashes.primary().to_string());
    // Of a link; what is given as an info-hash is called by it already.
    facts.extend((input.torrent().is_none() && name != hash).then_some(hash));
    let name = if page.cuts { short(&name, page.columns / 2, page.marks) } else { name };
    Line::new().styled(BOLD, name).add(format!("  {}", facts.join(", "))).on(page)
}

/// How it ended for a tracker.
pub(crate) fn tracker(input: &Input, report: &TrackerReport, page: Page) -> Line {
    let good = report.status.is_ok();
    let mark = if good { page.marks.good } else { page.marks.bad };
    let style = if good { GOOD } else { BAD };
    let line = Line::new().styled(style, mark).add(format!(" {}  ", report.url)).styled(style, report.status.code());
    let line = line.add(swarm_suffix(input, report));
    let said = said_by_tracker(report);
    let line = if said.is_empty() { line } else { line.add(format!("  {}", said.join(", "))) };
    let line = line.add(format!("  {}", time(report.elapsed)));
    let line = match &report.redirected_to {
        Some(url) => line.add(format!("  redirected to {url}")),
        None => line,
    };
    match &report.message {
        Some(message) => line.styled(DIM, format!("  {message}")),
        None => line,
    }
}

/// Peers that answer are shown as they do; those that fail are counted, or listed at the end where all are, unless the user
/// asked for one by its address.
pub(crate) fn is_worth_one(report: &PeerReport, all: bool) -> bool {
    report.outcome == Outcome::Ok || (!all && report.sources.contains(&Source::User))
}

/// How it ended for a peer.
pub(crate) fn peer(report: &PeerReport, page: Page) -> Line {
    let good = report.outcome == Outcome::Ok;
    let (mark, style) = if good { (page.marks.good, GOOD) } else { (page.marks.bad, BAD) };
    let line = Line::new().styled(style, mark).add(" ");
    let line = line.cell(PLAIN, report.address.to_string(), ADDRESS_WIDTH).add("  ");
    if good {
        return answered(line, report);
    }
    let line = line.cell(style, report.outcome.to_string(), OUTCOME_WIDTH);
    let line = line.styled(DIM, format!("  {}", report.error.clone().unwrap_or_default()));
    match report.connect {
        Some(connect) => line.styled(DIM, format!("  connected{} in {}", over_utp(report.transport), time(connect))),
        None => line,
    }
}

/// Of what goes without saying over TCP.
fn over_utp(transport: Transport) -> &'static str {
    if transport == Transport::Utp { " over uTP" } else { "" }
}

/// The rest of the line of a peer that answered: how fast it was, what it is and has, and last what it runs, because names
/// are of any length.
fn answered(line: Line, report: &PeerReport) -> Line {
    let client = report.client().unwrap_or_else(|| "unknown client".to_owned());
    let line = line.add(format!("{:>8}  ", time(answered_in(report)))).cell(PLAIN, role_and_share(report), ROLE_WIDTH);
    let line = line.add("  ").add(client);
    let line = line.add(over_utp(report.transport));
    let line = if report.encryption.is_encrypted() { line.add(", encrypted") } else { line };
    match (report.same_as, report.maybe_same_as) {
        (Some(first), _) => line.add(format!(", the same client as {first}")),
        (None, Some(first)) => line.add(format!(", maybe the same client as {first}")),
        (None, None) => line,
    }
}
