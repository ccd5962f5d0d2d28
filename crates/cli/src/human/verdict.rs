//! The verdict on a torrent in one sentence.

use crate::human::files::files;
use crate::human::tally::Tally;
use crate::human::web_seeds::{counts, everything};
use crate::input::Input;
use crate::text::{listed, plural, time};
use client::report::Mark;
use client::{CutShort, DhtStatus, MetadataReport, Standing, Summary, SwarmView, Verdict, WebSeedStatus};

/// Files named in a sentence.
const NAMED_FILES: usize = 2;

/// `56 of 78 peers answered in 3.63 s`.
pub(crate) fn headline(summary: &Summary) -> String {
    let headline = match summary.peers {
        0 if summary.trackers == 0 && summary.web_seeds.checked > 0 => counts(summary).unwrap_or_default(),
        // None was named, or only counts were asked for: then the trackers' answers are the result.
        0 if summary.trackers == 0 && summary.dht.was_asked() => {
            format!("{} of the DHT answered, no peers", plural(summary.dht.answered, "node"))
        }
        0 => format!("{}, no peers", answers(summary)),
        peers => format!("{} of {} answered", summary.ok, plural(peers, "peer")),
    };
    format!("{headline} in {}{}", time(summary.elapsed), cut_short(summary))
}

/// `2 of 3 tracker requests answered (1 refused)`: a refusal is an answer.
pub(super) fn answers(summary: &Summary) -> String {
    let (refused, unknown) = (summary.trackers_of(Standing::Refused), summary.trackers_of(Standing::Unknown));
    let without = [(refused, "refused"), (unknown, "without a count")];
    let without: Vec<String> =
        without.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let without = if without.is_empty() { String::new() } else { format!(" ({})", without.join(", ")) };
    let requests = plural(summary.trackers, "tracker request");
    format!("{} of {requests} answered{without}", summary.trackers_ok + refused + unknown)
}

/// What ended the run, if it was not the end of the work.
pub(super) fn cut_short(summary: &Summary) -> &'static str {
    match summary.cut_short {
        None => "",
        Some(CutShort::Deadline) => ", cut short by the deadline",
        Some(CutShort::Interrupt) => ", interrupted",
        Some(CutShort::Private) => ", ended because the torrent is private",
        Some(_) => ", cut short",
    }
}

/// How a verdict is marked; where counts alone were asked for, having them is good.
pub(crate) fn mark(verdict: Verdict) -> Mark {
    if verdict == Verdict::TrackersOnly { Mark::Good } else { verdict.mark() }
}

/// The sentence, which begins with the state: `alive: 3 seeds verified (the tracker claims 50), 3.33 copies, complete`.
pub(crate) fn verdict(input: &Input, summary: &Summary, tally: &Tally) -> String {
    match summary.verdict() {
        Verdict::WebSeeded => {
            let of_peers = match summary.verdict_of_peers() {
                // Nothing else was asked.
                Verdict::NoSource if summary.trackers == 0 => None,
                Verdict::NoSource => Some(answers(summary)),
                of_peers @ Verdict::Incomplete => {
                    Some(format!("peers alone are {}", sentence(of_peers, input, summary, tally)))
                }
                of_peers => Some(sentence(of_peers, input, summary, tally)),
            };
            let parts = [Some(format!("alive: {}", everything(summary))), of_peers];
            parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
        verdict => sentence(verdict, input, summary, tally),
    }
}

/// One of the verdicts but that of a web seed that has everything.
fn sentence(verdict: Verdict, input: &Input, summary: &Summary, tally: &Tally) -> String {
    let swarm = &summary.swarm;
    let claims = claims(summary);
    match verdict {
        Verdict::Healthy => {
            let parts = [Some(format!("{}{claims}", seeds(summary))), copies(swarm), Some(complete(input))];
            format!("alive: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        Verdict::Incomplete if is_empty(summary) => {
            format!("incomplete: {} answered and none has a piece yet{claims}", plural(summary.ok, "peer"))
        }
        Verdict::Incomplete => {
            let parts = [Some(format!("{}{claims}", seeds(summary))), copies(swarm), missing(input, swarm)];
            format!("incomplete: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        Verdict::SeedsUnverified => unverified(summary, &claims),
        Verdict::NoPeerAnswered => no_peer_answered(summary, &claims),
        Verdict::NoPeerNamed => no_peer_named(summary),
        Verdict::NoSource if summary.scraped => answers(summary),
        Verdict::NoSource => no_source(summary),
        Verdict::Refused => match &tally.refusal {
            Some((tracker, words)) => format!("refused: {tracker} says {words}"),
            None => "refused: the tracker does not serve this torrent".to_owned(),
        },
        Verdict::WebSeedsFailed => web_seeds_failed(summary),
        Verdict::TrackersOnly => counted(summary),
        Verdict::Interrupted => {
            let is_of_web_seeds = summary.peers == 0 && summary.trackers == 0 && summary.web_seeds.checked > 0;
            let what = if is_of_web_seeds { "no web seed was found complete" } else { "no peer had answered" };
            format!("interrupted after {}: {what}", time(summary.elapsed))
        }
        Verdict::Offline => {
            let tried = summary.peers + summary.trackers + summary.web_seeds.of(WebSeedStatus::NoRoute);
            let addresses = if tried == 1 { "the one address" } else { &format!("any of the {tried} addresses") };
            match tried {
                0 => "offline: this machine has no route to any node of the DHT".to_owned(),
                _ => format!("offline: this machine has no route to {addresses} tried"),
            }
        }
        Verdict::PrivateRefused => {
            let learned = |report: &MetadataReport| {
                let after = time(report.elapsed);
                format!("peers gave the metadata after {after}, and it says so; the run ended there")
            };
            let how = tally.metadata.report().map(learned);
            let how = how.unwrap_or_else(|| "nothing was asked, because --allow-private was not given".to_owned());
            format!("private (BEP 27): {how}")
        }
        // `Verdict` may grow.
        other => other.to_string(),
    }
}

/// Whether every peer that said what it has says that it has nothing, and no other answered.
fn is_empty(summary: &Summary) -> bool {
    let coverage = summary.swarm.coverage;
    coverage.empty > 0 && coverage.empty == coverage.reached
}

/// `3 seeds verified`, `2 to 3 seeds verified` where two may be one, `no seed answered`.
fn seeds(summary: &Summary) -> String {
    let swarm = &summary.swarm;
    let verified = match (swarm.verified_seeds, swarm.verified_seeds_max) {
        (min, max) if max > min => format!("{min} to {}", plural(max, "seed")),
        (min, _) => plural(min, "seed"),
    };
    match (swarm.verified_seeds, swarm.likely_seeds) {
        (0, 0) => "no seed answered".to_owned(),
        (0, likely) => format!("{} likely, none verified", plural(likely, "seed")),
        (_, 0) => format!("{verified} verified"),
        (_, likely) => format!("{verified} verified and {likely} likely"),
    }
}

/// ` (the tracker claims 50 seeds)`; nothing where none claims any.
fn claims(summary: &Summary) -> String {
    let Some(seeds) = summary.swarm.claimed_seeds else { return String::new() };
    let trackers = if summary.trackers_ok > 1 { "trackers claim up to" } else { "the tracker claims" };
    format!(" ({trackers} {})", plural(seeds as usize, "seed"))
}

/// Two digits, or four where those would hide how little is lacking; never rounded up: what is nearly whole is not whole.
pub(super) fn copies(swarm: &SwarmView) -> Option<String> {
    let down = |copies: f64| match (0.99..1.0).contains(&copies) {
        true => format!("{:.4}", (copies * 1e4).floor() / 1e4),
        false => format!("{:.2}", (copies * 1e2).floor() / 1e2),
    };
    let copies = swarm.copies?;
    Some(match copies.max > copies.min {
        true => format!("{} to {} copies", down(copies.min), down(copies.max)),
        false => format!("{} copies", down(copies.min)),
    })
}

fn complete(input: &Input) -> String {
    let files = input.torrent().map_or(1, |torrent| torrent.files.content_len());
    if files > 1 { "every file complete".to_owned() } else { "complete".to_owned() }
}

/// `1 piece of disc2/track07.flac is missing`.
pub(crate) fn missing(input: &Input, swarm: &SwarmView) -> Option<String> {
    let count = swarm.missing_pieces().filter(|&count| count > 0)?;
    if input.torrent_ref.pieces == Some(count) {
        return Some("every piece is missing".to_owned());
    }
    let (files, verb) = (files(input, swarm, NAMED_FILES), if count == 1 { "is" } else { "are" });
    let of = if files.is_empty() { String::new() } else { format!(" of {}", listed(&files)) };
    Some(format!("{}{of} {verb} missing", plural(count as usize, "piece")))
}

fn unverified(summary: &Summary, claims: &str) -> String {
    let peers = plural(summary.ok, "peer");
    let swarm = &summary.swarm;
    let why = match (swarm.likely_seeds + swarm.coverage.may_hide, swarm.coverage.with_piece_info) {
        _ if swarm.coverage.silent_closers == summary.ok => {
            format!("{peers} answered and left without a word, as some do for any torrent")
        }
        (0, 0) => format!("{peers} answered, and no peer announced its pieces"),
        (0, told) => format!("{peers} answered, {told} with piece information, too few to judge by"),
        (likely, _) => format!("{peers} answered, {likely} may have everything and did not say so"),
    };
    format!("seeds unverified{claims}: {why}")
}

fn no_peer_answered(summary: &Summary, claims: &str) -> String {
    match summary.peers {
        1 => format!("no peer answered: the one peer that was named did not{claims}"),
        peers => format!("no peer answered: none of the {peers} peers that were named{claims}"),
    }
}

/// `no source: 0 of 2 tracker requests answered, no node of the DHT answered, and no peer was named`.
fn no_source(summary: &Summary) -> String {
    let is_known = summary.dht.statuses.keys().any(|status| *status != DhtStatus::NoStart);
    let no_node = if is_known { "no node of the DHT answered" } else { "no node of the DHT is known" };
    let asked = match (summary.trackers, summary.dht.was_asked()) {
        (0, false) => "neither a tracker nor the DHT was asked".to_owned(),
        (0, true) => no_node.to_owned(),
        (_, true) => format!("{}, {no_node}", answers(summary)),
        (_, false) => answers(summary),
    };
    format!("no source: {asked}, and no peer was named")
}

fn no_peer_named(summary: &Summary) -> String {
    let nodes = plural(summary.dht.answered, "node");
    let (answered, claims) = match (summary.trackers_ok, summary.dht.answered) {
        (0, 1) => ("1 node of the DHT answered and names none".to_owned(), ""),
        (0, _) => (format!("{nodes} of the DHT answered and name none"), ""),
        (1, 0) => ("the tracker answered and names none".to_owned(), "it claims"),
        (_, 0) => ("the trackers answered and name none".to_owned(), "they claim"),
        (1, _) => (format!("the tracker and {nodes} of the DHT answered and name none"), "the tracker claims"),
        (_, _) => (format!("the trackers and {nodes} of the DHT answered and name none"), "the trackers claim"),
    };
    let claimed = summary.swarm.claimed_seeds.filter(|&seeds| seeds > 0).map(|seeds| plural(seeds as usize, "seed"));
    let though = claimed.map(|seeds| format!(", though {claims} {seeds}")).unwrap_or_default();
    format!("no peer named: {answered}{though}")
}

fn web_seeds_failed(summary: &Summary) -> String {
    let view = &summary.web_seeds;
    // What was not looked at to its end may have everything.
    let is_cut_short = view.of(WebSeedStatus::Interrupted) > 0;
    match (view.checked, view.answered) {
        (1, 1..) if is_cut_short => {
            "web seeds failed: the run ended before the check of the one that was asked".to_owned()
        }
        (checked, answered @ 1..) if is_cut_short => {
            format!(
                "web seeds failed: {answered} of {checked} answered, and none was found complete before the run ended"
            )
        }
        (1, 0) => "web seeds failed: the one that was asked did not answer".to_owned(),
        (1, _) => "web seeds failed: the one that was asked does not have everything".to_owned(),
        (checked, 0) => format!("web seeds failed: none of the {checked} answered"),
        (checked, answered) => format!("web seeds failed: {answered} of {checked} answered, and none has everything"),
    }
}

fn counted(summary: &Summary) -> String {
    let named = (summary.peers > 0).then(|| format!(", {} named", plural(summary.peers, "peer")));
    let claimed = match summary.swarm.claimed_seeds {
        Some(seeds) => format!(", {} claimed", plural(seeds as usize, "seed")),
        None => ", without a count of seeds".to_owned(),
    };
    format!("{}{}{claimed}", answers(summary), named.unwrap_or_default())
}
