//! What it all comes to, in one sentence, and what may be behind the failures.

use super::Tally;
use crate::input::Subject;
use crate::text::{Marks, listed, plural, time};
use client::{Coverage, CutShort, Outcome, Role, Summary, SwarmView};
use guard::escape_bytes;
use metainfo::{File, Torrent};

/// Files named in the sentence.
const NAMED_FILES: usize = 3;
/// Hints on failures, the most common first.
const MOST_HINTS: usize = 3;

/// `56 of 78 peers shook hands (71 %) in 3.63 s`.
pub(crate) fn headline(summary: &Summary) -> String {
    let headline = match summary.ok.saturating_mul(100).checked_div(summary.peers) {
        Some(percent) => {
            format!("{} of {} shook hands ({percent} %)", summary.ok, plural(summary.peers, "peer"))
        }
        // Nobody was named, or only counts were asked for: then the trackers' answers are the result.
        None => {
            format!("{} of {} answered, no peers", summary.trackers_ok, plural(summary.trackers, "tracker request"))
        }
    };
    let cut_short = match summary.cut_short {
        None => "",
        Some(CutShort::Deadline) => ", cut short by the deadline",
        Some(CutShort::Interrupt) => ", interrupted",
    };
    format!("{headline} in {}{cut_short}", time(summary.elapsed))
}

/// Whether anybody is there, and the sentence that says what the swarm is worth.
pub(crate) fn verdict(subject: &Subject, summary: &Summary) -> (bool, String) {
    if summary.peers == 0 {
        return match summary.trackers_ok {
            0 if summary.trackers == 0 => (false, "nobody to ask: no tracker, and no peer was named".to_owned()),
            0 if summary.cut_short.is_some() => (false, "the run ended before a tracker answered".to_owned()),
            0 => (false, "nobody to ask: no tracker answered, and no peer was named".to_owned()),
            _ => (summary.swarm.claimed_seeds > Some(0), nobody_named(summary)),
        };
    }
    if summary.ok == 0 {
        return (false, nobody_answered(summary));
    }
    let swarm = &summary.swarm;
    let seeds = match (swarm.verified_seeds, swarm.likely_seeds) {
        // Who was not listened to may be one.
        (0, 0) if swarm.coverage.told == 0 => format!("{} shook hands", plural(summary.ok, "peer")),
        (0, 0) => "no seed answered".to_owned(),
        (seeds, 0) => format!("{} answered", plural(seeds, "seed")),
        (seeds, likely) => format!("{} and {likely} likely answered", plural(seeds, "seed")),
    };
    let copies = swarm.copies.map(|copies| match copies.max > copies.min {
        true => format!("{:.2} to {:.2} distributed copies", down(copies.min), down(copies.max)),
        false => format!("{:.2} distributed copies", down(copies.min)),
    });
    let parts: Vec<_> =
        [Some(format!("alive: {seeds}")), copies, Some(completion(subject, swarm))].into_iter().flatten().collect();
    (true, format!("{} ({})", parts.join("; "), coverage(swarm.coverage)))
}

/// Nobody shook hands: as far as anybody was asked.
fn nobody_answered(summary: &Summary) -> String {
    use Outcome::{Interrupted, InvalidAddress, LocalLimit, NotTried, ResolveFailed};
    let unasked = [Interrupted, InvalidAddress, LocalLimit, NotTried, ResolveFailed];
    let unasked: usize = unasked.iter().filter_map(|outcome| summary.outcomes.get(outcome)).sum();
    let named = plural(summary.peers, "peer");
    match summary.peers - unasked.min(summary.peers) {
        0 => format!("nobody was asked: {named} named, and not one could be tried to the end"),
        1 if summary.peers == 1 => {
            "no sign of life: the one peer did not shake hands, over TCP and from here".to_owned()
        }
        asked => {
            format!("no sign of life: none of {asked} asked shook hands, of {named} named, over TCP and from here")
        }
    }
}

/// Two digits, never rounded up: what is nearly whole is not whole.
fn down(copies: f64) -> f64 {
    (copies * 100.0).floor() / 100.0
}

/// Whether everything can be had from the peers we reached.
fn completion(subject: &Subject, swarm: &SwarmView) -> String {
    match swarm.missing_pieces() {
        None if swarm.verified_seeds > 0 => "everything can be completed from the peers we reached".to_owned(),
        None if subject.topic.pieces.is_none() => "how many pieces there are, a link does not tell".to_owned(),
        None => "nobody told which pieces it has".to_owned(),
        Some(0) => "everything can be completed from the peers we reached".to_owned(),
        Some(missing) => {
            let pieces = plural(missing as usize, "piece");
            format!(
                "not all of it can be completed from the peers we reached: they lack {pieces}{}",
                in_files(subject, swarm)
            )
        }
    }
}

/// Which files lack pieces; nothing where the files are not known.
fn in_files(subject: &Subject, swarm: &SwarmView) -> String {
    let files: Vec<_> = missing_files(subject, swarm).collect();
    let mut named: Vec<String> =
        files.iter().take(NAMED_FILES).map(|(torrent, file)| path(torrent, &file.path)).collect();
    let more = files.len().saturating_sub(NAMED_FILES);
    if more > 0 {
        named.push(plural(more, "more file"));
    }
    if named.is_empty() { String::new() } else { format!(" of {}", listed(&named)) }
}

/// The files that cannot be completed, with their torrent.
pub(super) fn missing_files<'s>(
    subject: &'s Subject,
    swarm: &'s SwarmView,
) -> impl Iterator<Item = (&'s Torrent, &'s File)> {
    let of = |torrent| swarm.missing_files(torrent).map(move |file| (torrent, file));
    subject.torrent().into_iter().flat_map(of)
}

/// A path in a torrent, escaped.
pub(super) fn path(torrent: &Torrent, elements: &[Vec<u8>]) -> String {
    escape_bytes(&torrent.readable_path(elements)).to_string()
}

/// No peers to ask, but trackers that answered.
fn nobody_named(summary: &Summary) -> String {
    let answered = format!("{} of {} answered", summary.trackers_ok, plural(summary.trackers, "tracker request"));
    match summary.swarm.claimed_seeds {
        Some(seeds) => format!("{answered}: {} claimed, and nobody was asked", plural(seeds as usize, "seed")),
        None => format!("{answered} and named nobody"),
    }
}

/// Whom a verdict rests on, and who was not asked.
fn coverage(coverage: Coverage) -> String {
    let Coverage { named, reached, told, whole_list, web_seeds, .. } = coverage;
    let more = if whole_list == Some(false) { " by trackers that count more" } else { "" };
    let web_seeds = match web_seeds {
        0 => String::new(),
        count => format!(", {} unchecked", plural(count, "web seed")),
    };
    format!("{told} told which pieces, of {reached} reached and {named} named{more}; TCP only{web_seeds}")
}

/// What may be behind the most common failures, and what can be done.
pub(super) fn hints(tally: &Tally, summary: &Summary, marks: Marks) -> Vec<String> {
    let mut hints = Vec::new();
    match tally.want_encryption {
        0 => {}
        1 => hints.push(
            "1 peer refused plaintext and then accepted encryption: it likely requires it, or was full for a moment".to_owned(),
        ),
        count => hints.push(format!(
            "{count} peers refused plaintext and then accepted encryption: those {count} likely require it, or were full for a moment"
        )),
    }
    // Who has not said what it has may be one.
    if let Some(unseen) = summary.swarm.unseen_seeds().filter(|_| !summary.roles.contains_key(&Role::Unknown)) {
        hints.push(format!(
            "a tracker claims {} that we did not meet, though it named everybody it counts",
            plural(unseen as usize, "seed")
        ));
    }
    let mut failures: Vec<_> = tally.hints.iter().collect();
    failures.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    hints.extend(
        failures
            .iter()
            .take(MOST_HINTS)
            .map(|((outcome, hint), count)| format!("{count} {} {outcome}: {hint}", marks.times)),
    );
    hints
}
