//! The report on one torrent, at most 16 lines of 80 columns: the verdict, where peers came from, who sees which address of
//! ours, the peers, the pieces, what to do.

use crate::human::files::files;
use crate::human::strip::strip;
use crate::human::style::{BAD, BOLD, DIM, GOOD, OPEN};
use crate::human::tally::Tally;
use crate::human::verdict::{cut_short, mark, verdict};
use crate::human::words::{content, family, outcome_words};
use crate::input::Input;
use crate::text::{Line, Marks, Page, TOGETHER, grouped, listed, plural, time, together};
use client::report::Mark;
use client::{CodeKind, CutShort, Explanation, Outcome, SeenBy, Summary, Transport, Verdict, WebSeedStatus};
use std::collections::BTreeMap;

/// Where the text of a row begins.
const TEXT: usize = 12;
/// Kinds of client that are named.
const NAMED_CLIENTS: usize = 4;
/// Reasons of failures that are named.
const NAMED_FAILURES: usize = 6;
/// Own addresses that are listed.
const NAMED_ADDRESSES: usize = 3;
/// Most characters of the strip of pieces.
const STRIP: u32 = 48;
/// Failures that a machine between could cause.
const MAY_BE_ON_THE_WAY: [Outcome; 7] = [
    Outcome::ConnectTimeout,
    Outcome::ConnectRefused,
    Outcome::ConnectUnreachable,
    Outcome::ConnectReset,
    Outcome::NoUtpAnswer,
    Outcome::ClosedBeforeHandshake,
    Outcome::HandshakeTimeout,
];
/// Peers that fail alike before that is no chance.
const ENOUGH_ALIKE: usize = 10;
/// Most lines of all.
pub(super) const MOST_LINES: usize = 16;

/// The report, without a line break at its end.
pub(crate) fn screen(input: &Input, summary: &Summary, tally: &Tally, page: Page) -> String {
    let sentence = format!("{}{}", verdict(input, summary, tally), unchecked(summary));
    let (sign, style) = sign(summary, page);
    let verdict = Line::new().styled(style, sign).add(" ").styled(BOLD, sentence);
    let advice = advice(input, summary, tally);
    // The verdict on web seeds alone has it already.
    let remark = tally.web_seeds.remark().filter(|_| summary.verdict() != Verdict::WebSeedsFailed);
    let label_of_remark = if advice.to_do.is_some() { "" } else { "to do" };
    let rows = [
        ("sources", tally.sources(summary, page.marks)),
        ("metadata", metadata(input, summary, tally)),
        ("seen as", seen_as(summary, page.marks)),
        ("peers", answered(summary)),
        ("", failed(summary, page.marks)),
        ("pieces", pieces(input, summary, page)),
        ("", gap(input, summary)),
        ("likely", advice.likely),
        ("to do", advice.to_do),
        (label_of_remark, remark.map(str::to_owned)),
    ];
    let rows = rows.into_iter().filter_map(|(label, text)| Some(row(label, &text?, page)));
    let mut rows: Vec<Vec<Line>> = std::iter::once(verdict.wrapped(0, 2, page.columns)).chain(rows).collect();
    shorten(&mut rows, MOST_LINES, page);
    rows.iter().flatten().map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}

/// A row, wrapped.
pub(super) fn row(label: &str, text: &str, page: Page) -> Vec<Line> {
    Line::new().add("  ").cell(DIM, label, TEXT - 2).add(text).wrapped(0, TEXT, page.columns)
}

/// Takes lines off the longest rows until there are no more than so many; `--all` has what is left out.
pub(super) fn shorten(rows: &mut [Vec<Line>], most: usize, page: Page) {
    while rows.iter().map(Vec::len).sum::<usize>() > most {
        let Some(longest) = rows.iter_mut().rev().max_by_key(|row| row.len()).filter(|row| row.len() > 1) else {
            return;
        };
        longest.truncate(longest.len().saturating_sub(2).max(1));
        let more = format!("{:TEXT$}{} (-a has all)", "", page.marks.ellipsis);
        longest.push(Line::new().add(more));
        if longest.len() == 2 && rows.iter().all(|row| row.len() <= 2) {
            return;
        }
    }
}

/// The mark in front of a verdict.
pub(super) fn sign(summary: &Summary, page: Page) -> (&'static str, anstyle::Style) {
    match mark(summary.verdict()) {
        Mark::Good => (page.marks.good, GOOD),
        Mark::Open => (page.marks.open, OPEN),
        Mark::Bad => (page.marks.bad, BAD),
    }
}

/// `; 2 web seeds were not checked`, where neither peers nor other web seeds bring the verdict.
fn unchecked(summary: &Summary) -> String {
    match (summary.verdict(), summary.swarm.coverage.web_seeds_unchecked) {
        (Verdict::Healthy | Verdict::WebSeeded | Verdict::TrackersOnly, _) | (_, 0) => String::new(),
        (_, 1) => "; 1 web seed was not checked".to_owned(),
        (_, count) => format!("; {count} web seeds were not checked"),
    }
}

/// How the metadata of a link came, with what it says of the torrent, or why it did not.
fn metadata(input: &Input, summary: &Summary, tally: &Tally) -> Option<String> {
    let said = tally.metadata.row(summary)?;
    let known = input.torrent().map(|_| format!(": {}", content(input).join(", ")));
    Some(said + &known.unwrap_or_default())
}

/// Our addresses as others see them.
fn seen_as(summary: &Summary, marks: Marks) -> Option<String> {
    let seen = summary.seen_as.by_frequency();
    let first = seen.iter().take(NAMED_ADDRESSES).map(|&(ip, by)| format!("{ip} by {}", seen_by(by)));
    let mut parts: Vec<String> = first.collect();
    let more = seen.len().saturating_sub(NAMED_ADDRESSES);
    parts.extend((more > 0).then(|| plural(more, "other")));
    (!parts.is_empty()).then(|| parts.join(marks.dot))
}

fn seen_by(by: SeenBy) -> String {
    let parts = [(by.trackers, "tracker"), (by.peers, "peer"), (by.nodes, "node")];
    listed(
        &parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, who)| plural(count, who)).collect::<Vec<_>>(),
    )
}

/// `61 named, 22 answered over TCP or uTP (3 over uTP alone) in 3.1 s: 12 qBittorrent, 5 Transmission, 2 others`.
fn answered(summary: &Summary) -> Option<String> {
    if summary.peers == 0 {
        let known = matches!(summary.verdict(), Verdict::Offline | Verdict::WebSeeded);
        let unknown = !summary.scraped && (summary.trackers > 0 || summary.dht.was_asked()) && !known;
        return unknown.then(|| format!("none was named{}: what the swarm has is unknown", cut_short(summary)));
    }
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    for (client, count) in &summary.clients {
        *families.entry(client.as_deref().map_or("unknown", family).to_owned()).or_default() += count;
    }
    let mut families: Vec<_> = families.into_iter().collect();
    families.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let most = named_of(families.len(), NAMED_CLIENTS);
    let others: usize = families.iter().skip(most).map(|(_, count)| count).sum::<usize>() + summary.other_clients;
    let mut named: Vec<String> = families.iter().take(most).map(|(name, count)| together(*count, name)).collect();
    named.extend((others > 0).then(|| together(others, if others == 1 { "other" } else { "others" })));
    let clients = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    let Summary { peers, ok, repeated, only_utp, elapsed, .. } = summary;
    let of_them = [(repeated, "of them at a second address of a client"), (only_utp, "over uTP alone")];
    let of_them: Vec<_> =
        of_them.iter().filter(|(count, _)| **count > 0).map(|(count, how)| format!("{count} {how}")).collect();
    let of_them = if of_them.is_empty() { String::new() } else { format!(" ({})", of_them.join(", ")) };
    let over = match summary.swarm.coverage.transports {
        [Transport::Tcp] => " over TCP only",
        [Transport::Utp] => " over uTP only",
        _ => " over TCP or uTP",
    };
    let took = time(*elapsed).replace(' ', &TOGETHER.to_string());
    Some(format!("{peers} named, {ok} answered{over}{of_them} in {took}{}{clients}", cut_short(summary)))
}

/// `31 timed out · 6 refused`, the most frequent first.
pub(super) fn failed(summary: &Summary, marks: Marks) -> Option<String> {
    let mut outcomes: Vec<_> = summary.outcomes.iter().filter(|(outcome, _)| **outcome != Outcome::Ok).collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let most = named_of(outcomes.len(), NAMED_FAILURES);
    let others: usize = outcomes.iter().skip(most).map(|(_, count)| **count).sum();
    let named = outcomes.iter().take(most);
    let mut parts: Vec<String> = named.map(|(outcome, count)| together(**count, outcome_words(**outcome))).collect();
    parts.extend((others > 0).then(|| together(others, "otherwise")));
    (!parts.is_empty()).then(|| parts.join(marks.dot))
}

/// How many of `all` are listed: one alone is not called `others`.
fn named_of(all: usize, most: usize) -> usize {
    if all <= most + 1 { all } else { most }
}

/// The strip, and how many pieces are there of how many.
fn pieces(input: &Input, summary: &Summary, page: Page) -> Option<String> {
    let pieces = input.torrent_ref.pieces?;
    let missing = summary.swarm.missing_pieces()?;
    let strip = strip(&summary.swarm, pieces, STRIP, page.marks)?;
    Some(format!("{strip}  {} of {}", grouped(pieces - missing.min(pieces)), grouped(pieces)))
}

/// The files that lack pieces.
fn gap(input: &Input, summary: &Summary) -> Option<String> {
    // Where everything is missing, the strip says so.
    let missing =
        summary.swarm.missing_pieces().filter(|&missing| missing > 0 && input.torrent_ref.pieces != Some(missing))?;
    let files = files(input, &summary.swarm, 3);
    let of = if files.is_empty() { String::new() } else { format!(", in {}", listed(&files)) };
    let pieces = match summary.swarm.missing.as_deref() {
        Some([range]) if range.start() == range.end() => format!("piece {}", grouped(*range.start())),
        Some([range]) => format!("pieces {} to {}", grouped(*range.start()), grouped(*range.end())),
        _ => format!("{} pieces", grouped(missing)),
    };
    Some(format!("gap: {pieces}{of}"))
}

/// What the failures mean, and what can be done.
#[derive(Default)]
pub(super) struct Advice {
    pub(super) likely: Option<String>,
    pub(super) to_do: Option<String>,
}

pub(super) fn advice(input: &Input, summary: &Summary, tally: &Tally) -> Advice {
    Advice { likely: likely(summary, tally), to_do: to_do(input, summary, tally) }
}

/// What may be behind it, as far as anything was seen that tells.
fn likely(summary: &Summary, tally: &Tally) -> Option<String> {
    let known = || Explanation::of(CodeKind::Verdict, summary.verdict().code())?.causes().next().map(str::to_owned);
    match summary.verdict() {
        // Of a swarm that is well, single peers that fail need no action.
        Verdict::Healthy | Verdict::WebSeeded => want_encryption(summary.only_encrypted),
        Verdict::WebSeedsFailed => {
            let hint = tally.web_seeds.failure().and_then(|failure| failure.hint).map(str::to_owned);
            hint.or_else(known)
        }
        Verdict::Offline | Verdict::TrackersOnly => None,
        Verdict::PrivateRefused => Some(private_late(summary, tally)),
        _ if summary.scraped => None,
        // What the trackers themselves said tells more, and is in the rows above.
        Verdict::Refused if !tally.failures.is_final() => None,
        Verdict::NoSource if summary.trackers == 0 => {
            tally.lookups.silence().and_then(|entry| entry.causes().next()).map(str::to_owned)
        }
        Verdict::NoPeerNamed if let Some(entry) = of_dht_alone(summary, tally) => {
            Some(format!("DHT: {}: {}", entry.seen, entry.causes().next().unwrap_or_default()))
        }
        Verdict::NoPeerAnswered if is_made_up(summary) => Some(format!(
            "{} of {} are doubtful: the nodes that name them name peers for a random info-hash, too, where none can be",
            summary.dht.doubtful,
            plural(summary.peers, "peer"),
        )),
        Verdict::Incomplete if summary.swarm.unseen_seeds().is_some() => summary.swarm.unseen_seeds().map(unseen),
        Verdict::Incomplete | Verdict::SeedsUnverified => {
            let of_reached = tally.hints.iter().filter(|((outcome, _), _)| *outcome == Outcome::Ok);
            let most = of_reached.max_by_key(|(_, count)| **count);
            let of_reached = most.map(|((_, hint), count)| format!("{count} answered: {hint}"));
            of_reached.or_else(|| failures(summary, tally)).or_else(known)
        }
        _ => failures(summary, tally).or_else(known),
    }
}

/// What had been asked before a link turned out to be private, and what was not asked because of it.
pub(super) fn private_late(summary: &Summary, tally: &Tally) -> String {
    let asked = [
        (summary.trackers > 0, plural(summary.trackers, "tracker request")),
        (summary.dht.was_asked(), format!("the DHT ({} answered)", plural(summary.dht.answered, "node"))),
        (tally.pex.speak > 0, format!("{} for others (PEX)", plural(tally.pex.speak, "peer"))),
    ];
    let asked: Vec<String> = asked.into_iter().filter_map(|(was, what)| was.then_some(what)).collect();
    let asked = match asked.is_empty() {
        true => "until then neither trackers nor the DHT were asked".to_owned(),
        false => format!("asked until then, as of any link: {}", listed(&asked)),
    };
    let spared = [Outcome::NotTried, Outcome::Interrupted].iter().filter_map(|outcome| summary.outcomes.get(outcome));
    let web_seeds = summary.swarm.coverage.web_seeds_unchecked;
    let not_asked = [(spared.sum(), "peer"), (web_seeds, "web seed")];
    let not_asked: Vec<String> =
        not_asked.iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(*count, what)).collect();
    let spared =
        if not_asked.is_empty() { String::new() } else { format!("; left alone since: {}", listed(&not_asked)) };
    asked + &spared
}

fn to_do(input: &Input, summary: &Summary, tally: &Tally) -> Option<String> {
    let known =
        |kind, code| Explanation::of(kind, code).map(|entry| entry.to_do).filter(|to_do| !to_do.starts_with("nothing"));
    let of_verdict = || known(CodeKind::Verdict, summary.verdict().code()).map(str::to_owned);
    match summary.verdict() {
        Verdict::WebSeedsFailed => {
            let of_status = |status: WebSeedStatus| known(CodeKind::WebSeedStatus, status.code()).map(str::to_owned);
            let first = tally.web_seeds.failure().and_then(|failure| of_status(failure.status));
            tally.web_seeds.remark().map(str::to_owned).or(first).or_else(of_verdict)
        }
        // What the trackers themselves said decides.
        Verdict::Refused if tally.failures.is_final() => {
            Some(format!("download the .torrent file anew, or {}", tally.failures.what_to_do()))
        }
        Verdict::Refused | Verdict::NoSource if summary.trackers > 0 => Some(tally.failures.what_to_do()),
        Verdict::NoSource if input.torrent().is_none() && summary.swarm.coverage.web_seeds_unchecked > 0 => Some(
            "give the .torrent file, which says what its web seeds have to have; or name a tracker with --tracker"
                .to_owned(),
        ),
        Verdict::NoPeerNamed if let Some(entry) = of_dht_alone(summary, tally) => Some(entry.to_do.to_owned()),
        // By the user's choice: a torrent that is not private is looked up in the DHT otherwise.
        Verdict::NoSource if tally.lookups.is_empty() => {
            Some("leave out --scrape or --sources, so that the DHT is asked; or name a peer with --peer".to_owned())
        }
        Verdict::NoSource => tally.lookups.silence().map(|entry| entry.to_do.to_owned()).or_else(of_verdict),
        Verdict::Incomplete if summary.swarm.coverage.empty == summary.ok => {
            Some("wait for a seed, or ask the publisher whether one is online".to_owned())
        }
        Verdict::Incomplete if summary.peers > summary.ok => {
            let silent = plural(summary.peers - summary.ok, "peer");
            Some(format!(
                "ask for a reseed of what is missing, or try again: the {silent} that did not answer may have it"
            ))
        }
        // Its peers were still listened to, or asked for metadata.
        Verdict::SeedsUnverified if summary.cut_short == Some(CutShort::Deadline) => {
            Some("give a longer --deadline".to_owned())
        }
        Verdict::SeedsUnverified if input.torrent_ref.pieces.is_some() => {
            Some("run it again in some minutes; a longer --linger gives peers time to say what they have".to_owned())
        }
        // One cause that is known leaves nothing to guess.
        Verdict::NoPeerAnswered => {
            let most = summary.outcomes.iter().max_by_key(|(_, count)| **count);
            let is_alone = summary.peers == 1;
            let known_cause = most
                .filter(|(outcome, _)| !MAY_BE_ON_THE_WAY.contains(outcome) || is_alone)
                .map(|(outcome, _)| *outcome);
            let of_outcome = known_cause.and_then(|outcome| known(CodeKind::Outcome, outcome.code()));
            of_outcome.map(str::to_owned).or_else(of_verdict)
        }
        _ => of_verdict(),
    }
}

/// Why the DHT did not come to its end, where it alone has answered.
fn of_dht_alone(summary: &Summary, tally: &Tally) -> Option<&'static Explanation> {
    tally.lookups.unfinished().filter(|_| summary.trackers_ok == 0)
}

/// Whether liars named most of the peers.
fn is_made_up(summary: &Summary) -> bool {
    summary.dht.doubtful * 2 > summary.peers
}

/// What may be behind the most frequent failure; and when every peer fails alike, that it may be something on the way.
fn failures(summary: &Summary, tally: &Tally) -> Option<String> {
    let failed = tally.hints.iter().filter(|((outcome, _), _)| *outcome != Outcome::Ok);
    let ((outcome, hint), &count) = failed.max_by_key(|(_, count)| **count)?;
    let words = outcome_words(*outcome);
    let alike = count >= ENOUGH_ALIKE && count == summary.peers && MAY_BE_ON_THE_WAY.contains(outcome);
    Some(match alike {
        true => format!(
            "all {count} {words} alike: a firewall, proxy or VPN between may do that; else {hint} (bt-handshake explain {outcome})"
        ),
        false => format!("{count} {words}: {hint} (bt-handshake explain {outcome})"),
    })
}

/// Of seeds that a tracker counts and that did not answer as such.
fn unseen(seeds: u32) -> String {
    let seeds = plural(seeds as usize, "seed");
    format!(
        "the tracker counts {seeds} more, and no other peer that it named says that it is one: it has probably left"
    )
}

fn want_encryption(count: usize) -> Option<String> {
    let peers = plural(count, "peer");
    let (likely, were) = if count == 1 { ("likely requires", "was") } else { ("likely require", "were") };
    let them = if count == 1 { "it" } else { "they" };
    (count > 0).then(|| {
        format!("{peers} refused plaintext and took encryption: {them} {likely} it, or {were} full for a moment")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Contents;
    use client::{SeenAs, TorrentRef, TrackerStatus};
    use metainfo::Hashes;

    fn input() -> Input {
        let hashes: Hashes = "ab".repeat(20).parse().unwrap();
        Input {
            given: "ab".into(),
            torrent_ref: TorrentRef::from(hashes),
            contents: Contents::Hash,
            secrets: Default::default(),
        }
    }

    fn page(columns: usize) -> Page {
        Page { columns, cuts: false, marks: Marks::UNICODE }
    }

    #[test]
    fn offline_is_one_sentence_and_no_list() {
        let mut summary = Summary::default();
        (summary.trackers, summary.tracker_statuses) = (30, [(TrackerStatus::NoRoute, 30)].into());
        let shown = anstream::adapter::strip_str(&screen(&input(), &summary, &Tally::new(false), page(80))).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "✗ offline: this machine has no route to any of the 30 addresses tried");
        assert!(shown.contains("is the network or the VPN down?") && lines.len() <= 6, "{shown}");
    }

    #[test]
    fn peers_that_the_deadline_cut_short_need_no_longer_linger() {
        let mut summary = Summary::default();
        (summary.ok, summary.peers) = (1, 1);
        for (cut_short, to_do) in [(None, "give a longer --linger"), (Some(CutShort::Deadline), "a longer --deadline")]
        {
            summary.cut_short = cut_short;
            let shown = screen(&input(), &summary, &Tally::new(false), page(80));
            assert!(anstream::adapter::strip_str(&shown).to_string().contains(to_do), "{shown}");
        }
    }

    #[test]
    fn further_addresses_of_ours_are_counted() {
        let mut summary = Summary::default();
        let shown = |summary: &Summary| seen_as(summary, Marks::UNICODE).unwrap();
        (1..=4).for_each(|n| summary.seen_as.add_node([9, 9, 9, n].into()));
        assert!(shown(&summary).ends_with(" · 9.9.9.3 by 1 node · 1 other"), "{}", shown(&summary));
        summary.seen_as.add_node([9, 9, 9, 5].into());
        assert!(shown(&summary).ends_with(" · 2 others"), "{}", shown(&summary));
    }

    #[test]
    fn the_row_of_peers_says_what_they_were_dialled_over() {
        let mut summary = Summary::default();
        (summary.peers, summary.ok, summary.repeated, summary.only_utp) = (61, 22, 1, 3);
        for (transports, says) in [
            (
                &[Transport::Tcp, Transport::Utp][..],
                "22 answered over TCP or uTP (1 of them at a second address of a client, 3 over uTP alone) in ",
            ),
            (&[Transport::Tcp], "22 answered over TCP only in "),
            (&[Transport::Utp], "22 answered over uTP only in "),
        ] {
            if transports.len() < 2 {
                (summary.repeated, summary.only_utp) = (0, 0);
            }
            summary.swarm.coverage.transports = transports;
            let row = answered(&summary).unwrap();
            assert!(row.starts_with(&format!("61 named, {says}")), "{row}");
        }
    }

    /// Whatever there is to say, it fits.
    #[test]
    fn long_rows_are_shortened() {
        let mut seen_as = SeenAs::default();
        (1..=9).for_each(|n| seen_as.add_tracker(format!("2001:db8:1111:2222:3333:4444:5555:{n}").parse().unwrap()));
        let mut summary = Summary::default();
        (summary.peers, summary.ok, summary.trackers, summary.seen_as) = (18_000, 1000, 1, seen_as);
        summary.outcomes = Outcome::ALL.map(|outcome| (outcome, 1000)).into();
        summary.clients =
            (0..9).map(|n| (Some(format!("{} {n}.0", "A client of a long name ".repeat(4).trim())), 9)).collect();
        let mut tally = Tally::new(false);
        tally
            .hints
            .insert((Outcome::ClosedBeforeHandshake, "a sentence that takes several lines ".repeat(9).leak()), 9);
        for columns in [40, 80, 120] {
            let shown = screen(&input(), &summary, &tally, page(columns));
            let lines = shown.lines().count();
            assert!((12..=MOST_LINES).contains(&lines), "{lines} lines of {columns} columns:\n{shown}");
        }
    }
}
