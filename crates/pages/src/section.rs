//! The section of one torrent, ready for its template.

use crate::age;
use crate::chart::Chart;
use crate::date::{self, UnixTime};
use crate::history;
use crate::link::hash_link;
use crate::state::{Mark, to_do, word};
use crate::strip::{self, Strip};
use crate::text::{grouped, percent, plural, shown, size};
use crate::view::{Detail, SourceView, TorrentView};
use report::{CodeKind, Explanation, Outcome, ResponseTimes};

/// Longest name, path or URL that is shown whole, in characters; the rest of a longer one is left out.
pub(crate) const NAME: usize = 200;
/// Longest name in the overview that is shown whole, in characters: about four lines.
pub(crate) const ROW_NAME: usize = 120;
/// Longest sentence that is shown whole, in characters.
pub(crate) const SENTENCE: usize = 600;
/// Longest name of a client that is shown whole, in characters.
const CLIENT: usize = 60;
/// Most files of a gap that are listed.
const MOST_FILES: usize = 20;
/// Most bars under one title; the rest is one more.
const MOST_BARS: usize = 10;
/// Most sources that are listed.
const MOST_SOURCES: usize = 30;

/// A torrent's section.
pub(crate) struct Section {
    /// Its info-hash in hexadecimal digits: the anchor, too.
    pub(crate) hash: String,
    pub(crate) name: String,
    /// The first digits of its hash, where the name does not tell it.
    pub(crate) digits: Option<String>,
    pub(crate) mark: Mark,
    pub(crate) word: &'static str,
    pub(crate) sentence: String,
    pub(crate) to_do: String,
    pub(crate) link: String,
    pub(crate) facts: Vec<String>,
    pub(crate) charts: Vec<Chart>,
    pub(crate) pieces: Option<Pieces>,
    pub(crate) bars: Vec<Bars>,
    pub(crate) sources: Vec<SourceRow>,
    /// Which time their strips show.
    pub(crate) sources_span: String,
    pub(crate) more_sources: usize,
}

/// The strip of pieces and the files of the gap.
pub(crate) struct Pieces {
    pub(crate) said: String,
    pub(crate) strip: Strip,
    pub(crate) files: Vec<String>,
    pub(crate) more_files: usize,
}

/// Counts as bars.
pub(crate) struct Bars {
    pub(crate) title: &'static str,
    pub(crate) what: &'static str,
    pub(crate) rows: Vec<Bar>,
}

/// One count.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) count: String,
    /// Of the longest bar, in percent.
    pub(crate) width: String,
}

/// One source.
pub(crate) struct SourceRow {
    pub(crate) name: String,
    pub(crate) answered: String,
    pub(crate) share: String,
    pub(crate) status: String,
    pub(crate) strip: Option<Strip>,
}

impl Section {
    pub(crate) fn of(torrent: &TorrentView, detail: &Detail, made_at: UnixTime, digits: Option<String>) -> Self {
        let now = torrent.checked_at.map_or("now", |at| age::now(at, made_at));
        let rounds = || detail.sources.iter().flat_map(|source| &source.rounds);
        let times = || rounds().map(|round| round.at).filter(|at| *at <= made_at);
        let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let sources = detail.sources.iter().take(MOST_SOURCES).map(|source| SourceRow::of(source, first, last));
        Self {
            hash: torrent.info_hash.to_string(),
            name: name(torrent, NAME),
            digits,
            mark: Mark::of(torrent.verdict),
            word: word(torrent.verdict),
            sentence: sentence(torrent),
            to_do: shown(to_do(torrent), SENTENCE),
            link: hash_link(torrent),
            facts: facts(torrent, detail),
            charts: history::charts(&detail.history, made_at, now),
            pieces: Pieces::of(torrent, detail),
            bars: [outcomes(detail), clients(detail), response_times(&detail.response_times)]
                .into_iter()
                .flatten()
                .collect(),
            sources: sources.collect(),
            sources_span: format!("{} to {}", date::day(first), date::day(last)),
            more_sources: detail.sources.len().saturating_sub(MOST_SOURCES),
        }
    }
}

/// The name of a torrent; something can always be read and pointed at.
pub(crate) fn name(torrent: &TorrentView, most: usize) -> String {
    let name = shown(torrent.name.trim(), most);
    if name.is_empty() { "(no name)".to_owned() } else { name }
}

/// Without the state that it begins with, where that stands before it already.
fn sentence(torrent: &TorrentView) -> String {
    let is_state = |state: &str| state.ends_with(word(torrent.verdict)) || state == "alive";
    let rest = torrent.sentence.split_once(':').filter(|(state, _)| is_state(state)).map(|(_, rest)| rest);
    shown(rest.unwrap_or(&torrent.sentence).trim(), SENTENCE)
}

fn facts(torrent: &TorrentView, detail: &Detail) -> Vec<String> {
    let claimed = torrent.claimed;
    let claims = [(claimed.seeds, "seed"), (claimed.leechers, "leecher"), (claimed.completed, "download")];
    let claims: Vec<_> = claims.iter().filter_map(|(count, what)| Some(plural(u64::from((*count)?), what))).collect();
    let facts = [
        torrent.data_size.map(size),
        torrent.num_files.map(|files| plural(files, "file")),
        detail.pieces.map(|pieces| plural(u64::from(pieces), "piece")),
        (!claims.is_empty()).then(|| format!("trackers claim {}", claims.join(", "))),
        torrent.since.map(|since| format!("{} since {} UTC", word(torrent.verdict), date::minute(since))),
        torrent.checked_at.map(|at| format!("checked {} UTC", date::minute(at))),
    ];
    facts.into_iter().flatten().collect()
}

impl Pieces {
    fn of(torrent: &TorrentView, detail: &Detail) -> Option<Self> {
        let (pieces, missing) = (detail.pieces?, detail.missing.as_deref()?);
        let count = missing.iter().map(|range| {
            let end = u64::from(*range.end()).min(u64::from(pieces).saturating_sub(1)) + 1;
            end.saturating_sub(u64::from(*range.start()))
        });
        let in_ranges: u64 = count.sum();
        let count = torrent.missing_pieces.map_or(in_ranges, u64::from);
        let all = u64::from(pieces);
        let first =
            if in_ranges < count { format!("; the strip has the first {}", grouped(in_ranges)) } else { String::new() };
        let files = detail.missing_files.iter().take(MOST_FILES).map(|path| shown(path, NAME));
        Some(Self {
            said: match count {
                0 => format!("every one of {} is among the peers that were reached", plural(all, "piece")),
                _ => format!(
                    "{} of {} not among the peers that were reached{first}",
                    grouped(count),
                    plural(all, "piece")
                ),
            },
            strip: strip::of_pieces(pieces, missing)?,
            files: files.collect(),
            more_files: detail.missing_files.len().saturating_sub(MOST_FILES).saturating_add(detail.more_missing_files),
        })
    }
}

fn outcomes(detail: &Detail) -> Option<Bars> {
    let words = |outcome: Outcome| {
        let words = Explanation::of(CodeKind::Outcome, outcome.code()).map_or(outcome.code(), |entry| entry.words);
        words.to_owned()
    };
    let rows = detail.outcomes.iter().map(|(outcome, count)| (words(*outcome), *count)).collect();
    bars("Outcomes", "peers", most_frequent(rows, 0))
}

fn clients(detail: &Detail) -> Option<Bars> {
    let rows = detail.clients.iter().map(|(name, count)| (shown(name, CLIENT), *count)).collect();
    bars("Clients", "peers", most_frequent(rows, detail.other_clients))
}

/// In the order of their bounds, without the empty ones at both ends.
fn response_times(times: &ResponseTimes) -> Option<Bars> {
    let label = |ms: u128| if ms < 1_000 { format!("{ms} ms") } else { format!("{} s", ms / 1_000) };
    let bounds = ResponseTimes::BOUNDS.map(|bound| label(bound.as_millis()));
    let beyond = bounds.last().map(|bound| format!("{bound} and more"));
    let labels = bounds.iter().map(|bound| format!("below {bound}")).chain(beyond);
    let rows: Vec<_> = labels.zip(times.counts).collect();
    let is_there = |row: &(String, u64)| row.1 > 0;
    let (first, last) = (rows.iter().position(is_there)?, rows.iter().rposition(is_there)?);
    bars("Response times", "peers", rows.get(first..=last)?.to_vec())
}

/// The most frequent first; the rest in one row, together with `others`.
fn most_frequent(mut rows: Vec<(String, u64)>, others: u64) -> Vec<(String, u64)> {
    rows.retain(|(_, count)| *count > 0);
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest = rows.iter().skip(MOST_BARS).fold(others, |rest, (_, count)| rest.saturating_add(*count));
    rows.truncate(MOST_BARS);
    rows.extend((rest > 0).then(|| ("others".to_owned(), rest)));
    rows
}

fn bars(title: &'static str, what: &'static str, rows: Vec<(String, u64)>) -> Option<Bars> {
    let most = rows.iter().map(|(_, count)| *count).max()?.max(1);
    #[expect(clippy::cast_precision_loss, reason = "the length of a bar")]
    let width = |count: u64| format!("{:.1}", 100.0 * count as f64 / most as f64);
    let bar = |(label, count): (String, u64)| Bar { label, count: grouped(count), width: width(count) };
    Some(Bars { title, what, rows: rows.into_iter().map(bar).collect() })
}

impl SourceRow {
    fn of(source: &SourceView, first: UnixTime, last: UnixTime) -> Self {
        let rounds = || source.rounds.iter().filter(|round| round.at <= last);
        let asked: u64 = rounds().map(|round| u64::from(round.asked)).sum();
        let answered: u64 = rounds().map(|round| u64::from(round.answered)).sum();
        Self {
            name: shown(&source.name, NAME),
            answered: format!("{} of {}", grouped(answered), grouped(asked)),
            share: if asked > 0 { percent(answered, asked) } else { String::new() },
            status: shown(&source.status, SENTENCE),
            strip: strip::of_rounds(&source.rounds, first, last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;

    #[test]
    fn the_rest_are_others() {
        let rows = || (1..=12).map(|n| (n.to_string(), n)).collect();
        let shown: Vec<_> = most_frequent(rows(), 7).into_iter().map(|(_, count)| count).collect();
        assert_eq!(shown, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 10]);
        assert_eq!(most_frequent(vec![("a".to_owned(), 0)], 0), []);
        assert_eq!(most_frequent(rows(), u64::MAX).last().unwrap().1, u64::MAX);
    }

    #[test]
    fn response_times_keep_their_order() {
        let bars = response_times(&ResponseTimes { counts: [0, 0, 4, 0, 2, 0, 0, 0] }).unwrap();
        let rows: Vec<_> = bars.rows.iter().map(|bar| (bar.label.as_str(), bar.width.as_str())).collect();
        assert_eq!(rows, [("below 10 ms", "100.0"), ("below 30 ms", "0.0"), ("below 100 ms", "50.0")]);
        assert!(response_times(&ResponseTimes::default()).is_none());
    }

    #[test]
    fn missing_pieces_beyond_the_last_are_not_counted() {
        let missing = Some(vec![2..=3, 9..=u32::MAX]);
        let detail = Detail { pieces: Some(10), missing, more_missing_files: 2, ..Detail::default() };
        let mut torrent = TorrentView::new(InfoHash([0; 20]), "");
        let pieces = Pieces::of(&torrent, &detail).unwrap();
        assert_eq!(pieces.said, "3 of 10 pieces not among the peers that were reached");
        torrent.missing_pieces = Some(7);
        assert!(Pieces::of(&torrent, &detail).unwrap().said.ends_with("; the strip has the first 3"));
        assert_eq!(pieces.more_files, 2);
        assert!(Pieces::of(&torrent, &Detail::default()).is_none());
    }
}
