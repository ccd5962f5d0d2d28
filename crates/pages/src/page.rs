//! The page: overview, chart of bytes, sections, put together by its template.

use crate::age::{as_of, last_seen, nothing_for, now};
use crate::bytes_by_seeds::{BytesBySeeds, SeedClass};
use crate::chart::{Chart, area};
use crate::date;
use crate::namesakes::Namesakes;
use crate::scale::{TimeScale, ValueScale};
use crate::section::{NAME, ROW_NAME, SENTENCE, Section, name};
use crate::state::{Mark, to_do, word, worse};
use crate::text::{copies, grouped, percent, plural, shown, size, span};
use crate::view::{Overview, TorrentView};
use askama::Template;
use std::collections::BTreeSet;

/// Most torrents with a section of their own: the worst. With a year of history each takes about 39 kB of the page.
pub const MOST_DETAILS: usize = 100;
/// Rows of the overview that are open; those after them unfold. A browser lays out what is open at once.
const OPEN_ROWS: usize = 200;

/// A report as one file of HTML that needs nothing else: no script, no font, no picture, no network. The same values give the
/// same bytes. Text in them is untrusted, and is text in the page.
#[must_use]
pub fn page(overview: &Overview) -> String {
    let mut torrents: Vec<&TorrentView> = overview.torrents.iter().collect();
    torrents.sort_by(|a, b| worse(a, b));
    let namesakes = Namesakes::of(torrents.iter().copied());
    let as_of = as_of(overview);
    // A torrent that is there twice has one section, so that every anchor is there once.
    let mut hashes = BTreeSet::new();
    let detailed = torrents.iter().take(MOST_DETAILS);
    let sections: Vec<_> = detailed
        .filter_map(|torrent| Some((torrent, torrent.detail.as_deref()?)))
        .filter(|(torrent, _)| hashes.insert(torrent.info_hash))
        .map(|(torrent, detail)| Section::of(torrent, detail, overview.made_at, namesakes.digits(torrent)))
        .collect();
    let row = |torrent: &&TorrentView| {
        let has_section = hashes.contains(&torrent.info_hash);
        Row::of(torrent, has_section, namesakes.digits(torrent), as_of)
    };
    let mut rows: Vec<_> = torrents.iter().map(row).collect();
    let folded = rows.split_off(OPEN_ROWS.min(rows.len()));
    let page = Page {
        title: shown(&overview.title, NAME),
        as_of: date::minute(as_of),
        made: date::minute(overview.made_at),
        nothing_for: nothing_for(overview),
        said: said(&torrents),
        tally: tally(&torrents),
        bytes: Bytes::of(overview, as_of),
        rows,
        more: grouped(u64::try_from(folded.len()).unwrap_or(u64::MAX)),
        folded,
        without_section: grouped(u64::try_from(torrents.len().saturating_sub(sections.len())).unwrap_or(u64::MAX)),
        sections,
    };
    // Writing to a string cannot fail, and nothing in the template does.
    page.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    title: String,
    as_of: String,
    made: String,
    /// For how long nothing was recorded when it was made, if that is long.
    nothing_for: Option<String>,
    said: String,
    tally: Vec<Tally>,
    bytes: Option<Bytes>,
    rows: Vec<Row>,
    folded: Vec<Row>,
    more: String,
    sections: Vec<Section>,
    without_section: String,
}

/// How many torrents have a verdict.
struct Tally {
    mark: Mark,
    word: &'static str,
    count: String,
}

/// The chart of bytes by verified seeds, and its sums now.
struct Bytes {
    /// Which time the sums are of.
    now: &'static str,
    chart: Option<Chart>,
    rows: Vec<BytesRow>,
}

/// Torrents of one class.
struct BytesRow {
    class: &'static str,
    seeds: &'static str,
    torrents: String,
    size: String,
    share: String,
}

/// One torrent in the overview.
struct Row {
    /// Where its section is, if it has one.
    anchor: Option<String>,
    name: String,
    /// The first digits of its hash, where the name does not tell it.
    digits: Option<String>,
    size: Option<String>,
    /// When it was, if that is long ago.
    last_seen: Option<String>,
    mark: Mark,
    word: &'static str,
    seeds: String,
    copies: String,
    /// For programs, and for the reader.
    since: Option<(String, String)>,
    to_do: String,
}

impl Row {
    fn of(torrent: &TorrentView, has_section: bool, digits: Option<String>, as_of: i64) -> Self {
        let number = |seeds: u32| grouped(u64::from(seeds));
        let verified = torrent.verified_seeds.map_or("?".to_owned(), number);
        let since = |at| Some((date::second(at) + "Z", span(at, as_of).unwrap_or_else(|| date::day(at))));
        Self {
            anchor: has_section.then(|| torrent.info_hash.to_string()),
            name: name(torrent, ROW_NAME),
            digits,
            size: torrent.data_size.map(size),
            last_seen: last_seen(torrent, as_of),
            mark: Mark::of(torrent.verdict),
            word: word(torrent.verdict),
            seeds: match torrent.claimed.seeds {
                Some(claimed) => format!("{verified} of {}", number(claimed)),
                None => verified,
            },
            copies: torrent.copies.map_or("?".to_owned(), copies),
            since: torrent.since.and_then(since),
            to_do: shown(to_do(torrent), SENTENCE),
        }
    }
}

/// `40 torrents, 1.20 TB; 3 of them, 32.0 GB, without a verified seed`.
fn said(torrents: &[&TorrentView]) -> String {
    let bytes = |torrents: &mut dyn Iterator<Item = &&TorrentView>| {
        size(torrents.filter_map(|torrent| torrent.data_size).fold(0, u64::saturating_add))
    };
    let count = |torrents: usize| u64::try_from(torrents).unwrap_or(u64::MAX);
    let is_unseeded = |torrent: &&&TorrentView| torrent.verified_seeds == Some(0);
    let all = format!("{}, {}", plural(count(torrents.len()), "torrent"), bytes(&mut torrents.iter()));
    match torrents.iter().filter(is_unseeded).count() {
        0 => all,
        unseeded => {
            let bytes = bytes(&mut torrents.iter().filter(is_unseeded));
            format!("{all}; {} of them, {bytes}, without a verified seed", grouped(count(unseeded)))
        }
    }
}

/// In the order of the torrents: the worst first.
fn tally(torrents: &[&TorrentView]) -> Vec<Tally> {
    let mut counts: Vec<(Mark, &'static str, u64)> = Vec::new();
    for torrent in torrents {
        let (mark, word) = (Mark::of(torrent.verdict), word(torrent.verdict));
        match counts.iter_mut().find(|(_, known, _)| *known == word) {
            Some((_, _, count)) => *count += 1,
            None => counts.push((mark, word, 1)),
        }
    }
    counts.sort_by_key(|(mark, _, _)| *mark);
    counts.into_iter().map(|(mark, word, count)| Tally { mark, word, count: grouped(count) }).collect()
}

/// Names of the classes in the style sheet, in the order of [`SeedClass::ALL`].
const CLASSES: [&str; SeedClass::ALL.len()] = ["s0", "s1", "s2", "s4", "s11", "s-unknown"];

impl Bytes {
    fn of(overview: &Overview, as_of: i64) -> Option<Self> {
        let mut bytes = BytesBySeeds::new(as_of);
        let mut torrents = BytesBySeeds::default();
        for torrent in &overview.torrents {
            bytes.add(torrent.verified_seeds, torrent.data_size.unwrap_or(0));
            torrents.add(torrent.verified_seeds, 1);
        }
        let (all, count) = (bytes.total(), torrents.total());
        let rows = SeedClass::ALL.iter().zip(CLASSES).zip(bytes.bytes.iter().zip(torrents.bytes));
        let rows = rows.map(|((seeds, class), (bytes, torrents))| BytesRow {
            class,
            seeds: seeds.words(),
            torrents: grouped(torrents),
            size: size(*bytes),
            share: percent(*bytes, all),
        });
        let now = now(as_of, overview.made_at);
        (count > 0).then(|| Self { now, chart: stacked(overview, as_of), rows: rows.collect() })
    }
}

/// Areas from the highest to the lowest, each from the bottom up: the next hides what is not its own.
fn stacked(overview: &Overview, as_of: i64) -> Option<Chart> {
    let sums = date::in_order(&overview.bytes_by_seeds, |sums| sums.at, overview.made_at);
    let (first, last) = (sums.first()?, sums.last()?);
    let time = TimeScale::new(first.at, last.at.max(as_of));
    #[expect(clippy::cast_precision_loss, reason = "a place in a chart")]
    let up_to = |sums: &BytesBySeeds, class: usize| sums.bytes.iter().take(class + 1).map(|bytes| *bytes as f64).sum();
    let highest = |sums: &BytesBySeeds| -> f64 { up_to(sums, CLASSES.len()) };
    let scale = ValueScale::new(sums.iter().map(highest).reduce(f64::max)?, 1.0);
    let paths = CLASSES.iter().enumerate().rev().map(|(class, name)| {
        let values: Vec<(i64, f64)> = sums.iter().map(|sums| (sums.at, up_to(sums, class))).collect();
        area(name, &values, time, scale)
    });
    let unseeded = |sums: &BytesBySeeds| sums.bytes.first().copied().map(size).unwrap_or_default();
    let now = now(as_of, overview.made_at);
    Some(Chart {
        title: "Bytes by number of verified seeds",
        said: format!(
            "{} {now}; without a seed {} on {}, {} {now}; web seeds are not counted",
            size(last.total()),
            unseeded(first),
            date::day(first.at),
            unseeded(last)
        ),
        keys: Vec::new(),
        times: time.marks(),
        values: scale.marks(axis_size),
        paths: paths.collect(),
    })
}

/// A round size as an axis has it: `2 TB`, `0.5 TB`.
fn axis_size(bytes: f64) -> String {
    const UNITS: [(f64, &str); 7] =
        [(1e18, "EB"), (1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit * 0.999_999);
    unit.map_or("0".to_owned(), |(unit, name)| format!("{} {name}", (bytes / unit * 100.0).round() / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_on_an_axis_are_short() {
        let sizes = [0.0, 500.0, 2e12, 2.5e12, 4e18, 0.2e9, 2.0 * 1e9 * 3.0];
        assert_eq!(sizes.map(axis_size), ["0", "500 B", "2 TB", "2.5 TB", "4 EB", "200 MB", "6 GB"]);
    }

    #[test]
    fn there_is_a_class_for_each_number_of_seeds() {
        let style = include_str!("../templates/style.css");
        assert!(CLASSES.iter().all(|class| style.contains(&format!(".{class}{{"))));
    }
}
