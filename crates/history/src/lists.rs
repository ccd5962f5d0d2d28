//! The lists of an observation: JSON of numbers, where names are ids of the dictionary.

use crate::error::Error;
use crate::names::Access;
use report::{Observation, SourceCounts, SourceKind, TrackerObservation, WebSeedObservation};
use serde_json::from_str;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::str::FromStr;
use tracker::Family;

/// The id of a client without a name; ids of names are at least 1.
const NO_NAME: i64 = 0;

/// A number that may be unknown, in an entry of a list.
type Cell = Option<i64>;

impl Access<'_> {
    /// `[id,count,id,count]`; `None` if empty.
    pub(crate) fn counts<'n>(
        &mut self,
        counts: impl Iterator<Item = (Option<&'n str>, u32)>,
    ) -> Result<Option<String>, Error> {
        let mut text = String::new();
        for (name, count) in counts {
            let id = name.map_or(Ok(NO_NAME), |name| self.id(name))?;
            push(&mut text, format_args!("{id},{count}"));
        }
        Ok(closed(text))
    }

    /// Codes and their counts.
    pub(crate) fn read_codes<T>(&mut self, text: Option<&str>) -> Result<BTreeMap<T, u32>, Error>
    where
        T: FromStr<Err = report::UnknownCode> + Ord,
    {
        let what = "a list of counts";
        let read = |[id, count]: [i64; 2]| Ok((self.code(id)?, number(count, what)?));
        groups(text, what)?.into_iter().map(read).collect()
    }

    pub(crate) fn read_clients(&mut self, text: Option<&str>) -> Result<BTreeMap<Option<String>, u32>, Error> {
        let what = "a list of clients";
        let read = |[id, count]: [i64; 2]| {
            let name = if id == NO_NAME { None } else { Some(self.name(id)?.to_string()) };
            Ok((name, number(count, what)?))
        };
        groups(text, what)?.into_iter().map(read).collect()
    }

    /// `[id,named,ok,only,id,named,ok,only]`.
    pub(crate) fn sources(&mut self, sources: &BTreeMap<SourceKind, SourceCounts>) -> Result<Option<String>, Error> {
        let mut text = String::new();
        for (kind, SourceCounts { named, ok, only }) in sources {
            let id = self.id(kind.code())?;
            push(&mut text, format_args!("{id},{named},{ok},{only}"));
        }
        Ok(closed(text))
    }

    pub(crate) fn read_sources(&mut self, text: Option<&str>) -> Result<BTreeMap<SourceKind, SourceCounts>, Error> {
        let what = "a list of sources";
        let read = |[id, named, ok, only]: [i64; 4]| {
            let count = |count| number(count, what);
            Ok((self.code(id)?, SourceCounts { named: count(named)?, ok: count(ok)?, only: count(only)? }))
        };
        groups(text, what)?.into_iter().map(read).collect()
    }

    /// `[[url, status, family, elapsed_ms, peers, seeders, leechers, downloaded]]`; unknown numbers at the end are left out.
    pub(crate) fn trackers(&mut self, trackers: &[TrackerObservation]) -> Result<Option<String>, Error> {
        let mut text = String::new();
        for tracker in trackers.iter().take(Observation::MOST_TRACKERS) {
            let family = tracker.family.map(|family| if family == Family::V4 { 4 } else { 6 });
            let numbers = [tracker.elapsed_ms, tracker.peers, tracker.seeders, tracker.leechers, tracker.downloaded];
            let ids = [Some(self.id(&tracker.url)?), Some(self.id(tracker.status.code())?), family];
            let cells: Vec<Cell> = ids.into_iter().chain(numbers.map(|number| number.map(i64::from))).collect();
            push(&mut text, format_args!("{}", entry(&cells)));
        }
        Ok(closed(text))
    }

    pub(crate) fn read_trackers(&mut self, text: Option<&str>) -> Result<Vec<TrackerObservation>, Error> {
        let what = "a list of trackers";
        let entries: Vec<Vec<Cell>> = parse(text, what)?;
        let read = |cells: Vec<Cell>| {
            let id = |at: usize| cells.get(at).copied().flatten();
            let number = |at| id(at).map(|cell| number(cell, what)).transpose();
            Ok(TrackerObservation {
                url: self.name(id(0).ok_or(Error::value(what))?)?,
                status: self.code(id(1).ok_or(Error::value(what))?)?,
                family: id(2).map(read_family).transpose()?,
                elapsed_ms: number(3)?,
                peers: number(4)?,
                seeders: number(5)?,
                leechers: number(6)?,
                downloaded: number(7)?,
            })
        };
        entries.into_iter().map(read).collect()
    }

    /// `[[url, status, 1]]`, where the 1 says that it is complete.
    pub(crate) fn web_seeds(&mut self, web_seeds: &[WebSeedObservation]) -> Result<Option<String>, Error> {
        let mut text = String::new();
        for seed in web_seeds.iter().take(Observation::MOST_WEB_SEEDS) {
            let (url, status) = (self.id(&seed.url)?, self.id(seed.status.code())?);
            push(&mut text, format_args!("[{url},{status}{}]", if seed.complete { ",1" } else { "" }));
        }
        Ok(closed(text))
    }

    pub(crate) fn read_web_seeds(&mut self, text: Option<&str>) -> Result<Vec<WebSeedObservation>, Error> {
        let what = "a list of web seeds";
        let entries: Vec<Vec<i64>> = parse(text, what)?;
        let read = |entry: Vec<i64>| {
            let (url, status, complete) = match entry[..] {
                [url, status] => (url, status, false),
                [url, status, 1] => (url, status, true),
                _ => return Err(Error::value(what)),
            };
            Ok(WebSeedObservation { url: self.name(url)?, status: self.code(status)?, complete })
        };
        entries.into_iter().map(read).collect()
    }
}

/// `7,9-12`: first and last piece of each range.
pub(crate) fn ranges(ranges: &[RangeInclusive<u32>]) -> Option<String> {
    let mut text = String::new();
    for range in ranges.iter().take(Observation::MOST_RANGES) {
        let (first, last) = (range.start(), range.end());
        let comma = if text.is_empty() { "" } else { "," };
        // To write to a text does not fail.
        _ = if first == last { write!(text, "{comma}{first}") } else { write!(text, "{comma}{first}-{last}") };
    }
    (!text.is_empty()).then_some(text)
}

pub(crate) fn read_ranges(text: Option<&str>) -> Result<Vec<RangeInclusive<u32>>, Error> {
    let bad = || Error::value("a list of pieces");
    let read = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?);
        if first <= last { Ok(first..=last) } else { Err(bad()) }
    };
    text.map_or_else(|| Ok(Vec::new()), |text| text.split(',').map(read).collect())
}

fn read_family(number: i64) -> Result<Family, Error> {
    match number {
        4 => Ok(Family::V4),
        6 => Ok(Family::V6),
        _ => Err(Error::value("a family of addresses")),
    }
}

/// `[1,2,null,3]`, without the nulls at the end.
fn entry(cells: &[Cell]) -> String {
    let known = cells.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let mut text = String::new();
    for cell in cells.iter().take(known) {
        match cell {
            Some(number) => push(&mut text, format_args!("{number}")),
            None => push(&mut text, format_args!("null")),
        }
    }
    closed(text).unwrap_or_else(|| "[]".to_owned())
}

/// Adds to a list.
fn push(text: &mut String, entry: std::fmt::Arguments<'_>) {
    text.push(if text.is_empty() { '[' } else { ',' });
    _ = text.write_fmt(entry);
}

fn closed(mut text: String) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    text.push(']');
    Some(text)
}

/// The numbers of a list, so many at a time.
fn groups<const N: usize>(text: Option<&str>, what: &'static str) -> Result<Vec<[i64; N]>, Error> {
    let numbers: Vec<i64> = parse(text, what)?;
    let (groups, rest) = numbers.as_chunks::<N>();
    if rest.is_empty() { Ok(groups.to_vec()) } else { Err(Error::value(what)) }
}

fn number(cell: i64, what: &'static str) -> Result<u32, Error> {
    u32::try_from(cell).map_err(|_| Error::value(what))
}

pub(crate) fn parse<'t, T: serde::Deserialize<'t> + Default>(
    text: Option<&'t str>,
    what: &'static str,
) -> Result<T, Error> {
    text.map_or_else(|| Ok(T::default()), |text| from_str(text).map_err(|_| Error::value(what)))
}
