//! The report of `metadata`, at most 16 lines of 80 columns: what the torrent is, how long each step took, who gave what, and why
//! it is not there.

use crate::human::metadata::{came, reason, status_words};
use crate::human::screen::{Advice, MOST_LINES, advice, failed, private_late, row, shorten};
use crate::human::style::{BAD, BOLD, GOOD, OPEN};
use crate::human::tally::Tally;
use crate::human::verdict::verdict;
use crate::human::words::{content, name};
use crate::input::Input;
use crate::saved::Saved;
use crate::text::{Line, Page, TOGETHER, plural, size, time};
use client::{MetadataReport, MetadataStanding, MetadataStatus, Summary};
use std::time::Duration;

/// Waits that are longer than this are told.
const LONG: Duration = Duration::from_secs(2);
/// Rows of the table where there is nothing else to say.
const FEWEST_PEERS: usize = 4;

/// The report, without a line break at its end; with `all`, every peer, however many.
pub(crate) fn fetched(
    input: &Input,
    summary: &Summary,
    tally: &Tally,
    (saved, all): (&Saved, bool),
    page: Page,
) -> String {
    let Some(report) = tally.metadata.report() else {
        return verdict(input, summary, tally);
    };
    let (mark, style) = match report.status {
        MetadataStatus::Ok => (page.marks.good, GOOD),
        MetadataStatus::Private => (page.marks.open, OPEN),
        _ => (page.marks.bad, BAD),
    };
    let is_known = report.status.is_known();
    let (sentence, advice) = told(input, summary, tally, report);
    let title = Line::new().styled(style, mark).add(" ").styled(BOLD, sentence);
    let sources = (!is_known).then(|| tally.sources(summary, page.marks)).flatten();
    let before = [
        ("torrent", is_known.then(|| torrent(input))),
        ("file", is_known.then(|| file(report, saved))),
        ("sources", sources),
        ("steps", steps(tally, report, page)),
        ("peers", peers(summary, report)),
        ("", failed(summary, page.marks).filter(|_| !is_known && summary.ok == 0)),
    ];
    let after = [("why", advice.likely), ("to do", advice.to_do)];
    let laid_out = |rows: Vec<(&str, Option<String>)>| -> Vec<Vec<Line>> {
        rows.into_iter().filter_map(|(label, text)| Some(row(label, &text?, page))).collect()
    };
    let mut before: Vec<Vec<Line>> =
        std::iter::once(title.wrapped(0, 2, page.columns)).chain(laid_out(before.into())).collect();
    let mut after = laid_out(after.into());
    let count = |rows: &[Vec<Line>]| rows.iter().map(Vec::len).sum::<usize>();
    let left = MOST_LINES.saturating_sub(count(&before) + count(&after)).max(FEWEST_PEERS);
    let table = tally.metadata.table(if all { usize::MAX } else { left }, page);
    if !all {
        let most = MOST_LINES - table.len();
        shorten(&mut after, most.saturating_sub(count(&before)).max(2), page);
        shorten(&mut before, most.saturating_sub(count(&after)), page);
    }
    let lines = before.iter().flatten().chain(&table).chain(after.iter().flatten());
    lines.map(|line| line.on(page)).collect::<Vec<_>>().join("\n")
}

/// The sentence, and what to do.
fn told(input: &Input, summary: &Summary, tally: &Tally, report: &MetadataReport) -> (String, Advice) {
    match report.status {
        MetadataStatus::Ok => {
            let advice = Advice { likely: wait(tally, report), to_do: None };
            (format!("{}: {}", name(input), came(report)), advice)
        }
        MetadataStatus::Private => {
            let sentence =
                format!("{}: {}; it is private (BEP 27), which a link does not tell", name(input), came(report));
            (sentence, Advice { likely: Some(private_late(summary, tally)), to_do: None })
        }
        // Then the sources and the peers say why.
        _ if summary.ok == 0 => {
            (format!("no metadata: {}", verdict(input, summary, tally)), advice(input, summary, tally))
        }
        status => {
            let reason = reason(report, summary);
            let sentence = format!("no metadata in {}: {}", time(summary.elapsed), status_words(status));
            let (likely, to_do) = reason.map(|reason| (reason.why, reason.to_do)).unzip();
            (sentence, Advice { likely, to_do })
        }
    }
}

/// `748 MB, 1 file, 2,856 pieces of 256 KiB, not private`.
fn torrent(input: &Input) -> String {
    let mut facts = content(input);
    facts.extend(input.torrent().is_some_and(|torrent| !torrent.private).then(|| "not private".to_owned()));
    let hashes = input.torrent().map(|torrent| torrent.hashes);
    facts.extend(hashes.and_then(|hashes| hashes.v2()).map(|hash| format!("v2 {hash}")));
    facts.join(", ")
}

/// Where it was written, and what it lacks.
fn file(report: &MetadataReport, saved: &Saved) -> String {
    match saved {
        Saved::No => "not written: give -o FILE.torrent".to_owned(),
        Saved::Written(place, bytes) => format!("{place}, {}{}", size(*bytes as u64), layers(report)),
        Saved::Failed(reason) => format!("not written: {reason}"),
    }
}

/// `, with its 12 piece layers`, or how many and why not all; nothing of v1 and of files of one piece.
fn layers(report: &MetadataReport) -> String {
    let Some(layers) = report.layers.as_ref().filter(|layers| layers.wanted > 0) else { return String::new() };
    let wanted = match layers.wanted {
        1 => "piece layer".to_owned(),
        wanted => plural(wanted as usize, "piece layer"),
    };
    if layers.is_complete() {
        return format!(", with its {wanted}");
    }
    let why = match (layers.peers.len(), layers.v1_peers) {
        (0, 0) => "no peer was left to ask",
        (0, _) => "no peer was met by its v2 info-hash, and by the other none gives them",
        _ => "its peers gave no more, and clients ask for them by themselves",
    };
    let has = if layers.complete == 0 { "without".to_owned() } else { format!("with {} of", layers.complete) };
    format!(", {has} its {wanted}: {why}")
}

/// The steps on the way, and when each was done.
fn dated(tally: &Tally, report: &MetadataReport) -> [(&'static str, Option<Duration>); 6] {
    let introduced = report.peers.iter().map(|peer| peer.introduced).min();
    // Nothing precedes what follows from it.
    let named = tally.named.map(|named| introduced.map_or(named, |introduced| named.min(introduced)));
    let whole = report.status.is_known().then_some(report.elapsed);
    let layers = report.layers.as_ref().filter(|layers| layers.wanted > 0).and_then(|layers| layers.elapsed);
    // What the user or the link named was there from the beginning.
    let named = named.filter(|named| *named > Duration::ZERO);
    [
        ("a peer named", named),
        ("answered", introduced),
        ("offered", report.offered),
        ("first piece", report.first_piece),
        ("whole", whole),
        ("piece layers", layers.map(|took| report.elapsed + took)),
    ]
}

/// `after the start: a peer named 31 ms · answered 52 ms · offered 71 ms · first piece 92 ms · whole 420 ms`.
fn steps(tally: &Tally, report: &MetadataReport, page: Page) -> Option<String> {
    let steps = dated(tally, report).into_iter();
    let steps =
        steps.filter_map(|(step, at)| Some(format!("{step} {}", time(at?)).replace(' ', &TOGETHER.to_string())));
    let steps: Vec<String> = steps.collect();
    (!steps.is_empty()).then(|| format!("after the start: {}", steps.join(page.marks.dot)))
}

/// What took long, of metadata that came: the step that was waited for longest.
fn wait(tally: &Tally, report: &MetadataReport) -> Option<String> {
    let mut before = Duration::ZERO;
    let waits = dated(tally, report).into_iter().filter_map(|(step, at)| {
        let at = at?;
        let wait = at.saturating_sub(before);
        before = before.max(at);
        Some((wait, step))
    });
    let (longest, step) = waits.max_by_key(|(wait, _)| *wait).filter(|(wait, _)| *wait > LONG)?;
    let longest = time(longest);
    Some(match step {
        "a peer named" => format!("it took {longest} until a source named a peer"),
        "answered" => format!("it took {longest} until a peer answered: those named first did not"),
        "offered" => format!("it took {longest} until a peer had it: those before have only the link"),
        _ => {
            let slowest = report
                .peers
                .iter()
                .max_by_key(|peer| peer.slowest)
                .and_then(|peer| Some((peer.address, peer.slowest?)));
            let slow =
                slowest.map(|(address, slowest)| format!(": {address} needed up to {} for a piece", time(slowest)));
            format!("it took {longest} after it was offered{}", slow.unwrap_or_default())
        }
    })
}

/// `9 named, 7 answered, 5 of them speak ut_metadata, 4 of those have it`.
fn peers(summary: &Summary, report: &MetadataReport) -> Option<String> {
    let offer = report.peers.iter().filter(|peer| peer.standing != MetadataStanding::NoSize).count();
    let Summary { peers, ok, .. } = summary;
    let speak = match report.peers.len() {
        _ if *ok == 0 => String::new(),
        0 => ", none of them speaks ut_metadata".to_owned(),
        1 => format!(
            ", 1 of them speaks ut_metadata, {}",
            if offer == 1 { "and has it" } else { "and does not have it" }
        ),
        speak => format!(
            ", {speak} of them speak ut_metadata, {offer} of those {} it",
            if offer == 1 { "has" } else { "have" }
        ),
    };
    (*peers > 0).then(|| format!("{peers} named, {ok} answered{speak}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Contents;
    use crate::text::Marks;
    use client::{LayersPeer, LayersReport, MetadataPeer, Outcome, TorrentRef};
    use metainfo::Hashes;
    use std::net::SocketAddr;

    /// However many peers there are and however much there is to say.
    #[test]
    fn it_fits() {
        let hashes: Hashes = "ab".repeat(20).parse().unwrap();
        let (torrent_ref, contents) = (TorrentRef::from(hashes), Contents::Hash);
        let input = Input { given: "ab".into(), torrent_ref, contents, secrets: Default::default() };
        let mut summary = Summary::default();
        (summary.peers, summary.ok) = (400, 300);
        summary.outcomes = Outcome::ALL.map(|outcome| (outcome, 20)).into();
        for (standing, count) in
            [(MetadataStanding::WrongBytes, 60), (MetadataStanding::TimedOut, 2), (MetadataStanding::Rejected, 0)]
        {
            for status in MetadataStatus::ALL {
                let mut report = MetadataReport::new(status, Duration::from_secs(3));
                let address = |n| SocketAddr::from(([9, 9, 9, n], 51_413));
                report.peers = (0..count).map(|n| MetadataPeer::new(address(n), standing)).collect();
                (report.offered, report.size_bytes) = (Some(Duration::from_millis(9)), Some(99_999));
                let mut tally = Tally::of_metadata();
                tally.metadata(&report);
                for columns in [60, 80, 120] {
                    let page = Page { columns, cuts: false, marks: Marks::UNICODE };
                    let shown = fetched(&input, &summary, &tally, (&Saved::No, false), page);
                    assert!((3..=MOST_LINES).contains(&shown.lines().count()), "{columns}: {shown}");
                    let all = fetched(&input, &summary, &tally, (&Saved::No, true), page);
                    assert!(all.matches("9.9.9.").count() >= usize::from(count), "{all}");
                }
            }
        }
    }

    #[test]
    fn piece_layers_are_all_there_or_it_is_said_why_not() {
        let of = |wanted, complete, v1_peers, v2_peers| {
            let mut report = MetadataReport::new(MetadataStatus::Ok, Duration::ZERO);
            let peer = LayersPeer::new(SocketAddr::from(([9, 9, 9, 9], 1)), MetadataStanding::Asked);
            let mut told = LayersReport::default();
            (told.wanted, told.complete, told.v1_peers, told.peers) =
                (wanted, complete, v1_peers, vec![peer; v2_peers]);
            report.layers = Some(told);
            layers(&report)
        };
        assert_eq!(of(0, 0, 9, 0), "");
        assert_eq!(of(1, 1, 0, 1), ", with its piece layer");
        assert_eq!(of(12, 12, 0, 1), ", with its 12 piece layers");
        assert!(of(12, 3, 0, 1).starts_with(", with 3 of its 12 piece layers: its peers gave no more"));
        assert!(of(1, 0, 1, 0).starts_with(", without its piece layer: no peer was met by its v2 info-hash"));
        assert_eq!(of(1, 0, 0, 0), ", without its piece layer: no peer was left to ask");
    }

    /// The longest wait is named, and none that is short.
    #[test]
    fn what_was_waited_for_is_said() {
        let of = |named, introduced, offered, first_piece, whole| {
            let ms = Duration::from_millis;
            let mut report = MetadataReport::new(MetadataStatus::Ok, ms(whole));
            let mut peer = MetadataPeer::new(SocketAddr::from(([9, 9, 9, 9], 1)), MetadataStanding::Asked);
            (peer.introduced, peer.slowest, peer.pieces) = (ms(introduced), Some(ms(3000)), 3);
            (report.offered, report.first_piece, report.peers) = (Some(ms(offered)), Some(ms(first_piece)), vec![peer]);
            let mut tally = Tally::of_metadata();
            tally.named = Some(ms(named));
            wait(&tally, &report).unwrap_or_default()
        };
        assert_eq!(of(10, 20, 30, 40, 50), "");
        assert_eq!(of(2500, 2510, 2510, 2520, 2530), "it took 2.50 s until a source named a peer");
        assert_eq!(of(10, 2510, 2510, 2520, 2530), "it took 2.50 s until a peer answered: those named first did not");
        assert_eq!(of(10, 20, 4020, 4030, 4040), "it took 4.00 s until a peer had it: those before have only the link");
        assert_eq!(
            of(0, 20, 30, 3030, 9030),
            "it took 6.00 s after it was offered: 9.9.9.9:1 needed up to 3.00 s for a piece"
        );
    }
}
