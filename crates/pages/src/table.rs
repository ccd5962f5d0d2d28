//! The torrents as rows for other programs: the archives' columns, and what was verified beside them.

use crate::date;
use crate::date::UnixTime;
use crate::link::magnet_link;
use crate::state::worse;
use crate::text::down;
use crate::view::{Overview, TorrentView};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// Columns of a row.
pub(crate) const COLUMNS: usize = 21;

/// One torrent: each column with its name. The first thirteen are those of `torrents.json` as archives publish it.
pub(crate) struct Row<'v>(pub(crate) [(&'static str, Cell<'v>); COLUMNS]);

/// One value.
#[derive(Debug, PartialEq)]
pub(crate) enum Cell<'v> {
    /// Not known.
    Null,
    Bool(bool),
    Number(u64),
    Decimal(f64),
    Text(Cow<'v, str>),
}

/// The worst first.
pub(crate) fn rows(overview: &Overview) -> impl Iterator<Item = Row<'_>> {
    let mut torrents: Vec<&TorrentView> = overview.torrents.iter().collect();
    torrents.sort_by(|a, b| worse(a, b));
    torrents.into_iter().map(Row::of)
}

impl<'v> Row<'v> {
    pub(crate) fn of(torrent: &'v TorrentView) -> Self {
        let count = |count: Option<u32>| number(count.map(u64::from));
        let copies = |copies: Option<f64>| {
            let thousandths = copies.map(|copies| down(copies, 3)).filter(|copies| copies.is_finite());
            thousandths.map_or(Cell::Null, Cell::Decimal)
        };
        let (archive, claimed) = (torrent.archive, torrent.claimed);
        Self([
            ("btih", text(torrent.info_hash.to_string())),
            ("magnet_link", text(magnet_link(torrent))),
            ("torrent_size", number(torrent.torrent_size)),
            ("num_files", number(torrent.num_files)),
            ("data_size", number(torrent.data_size)),
            ("aa_currently_seeding", flag(archive.currently_seeding)),
            ("obsolete", flag(archive.obsolete)),
            ("embargo", flag(archive.embargo)),
            ("seeders", count(claimed.seeds)),
            ("leechers", count(claimed.leechers)),
            ("completed", count(claimed.completed)),
            ("stats_scraped_at", time(claimed.at)),
            ("partially_broken", flag(archive.partially_broken)),
            ("name", text(torrent.name.as_str())),
            ("verdict", torrent.verdict.map_or(Cell::Null, |verdict| text(verdict.code()))),
            ("verdict_since", time(torrent.since)),
            ("checked_at", time(torrent.checked_at)),
            ("verified_seeds", count(torrent.verified_seeds)),
            ("copies_min", copies(torrent.copies.map(|copies| copies.min))),
            ("copies_max", copies(torrent.copies.map(|copies| copies.max))),
            ("missing_pieces", count(torrent.missing_pieces)),
        ])
    }
}

fn text<'v>(text: impl Into<Cow<'v, str>>) -> Cell<'v> {
    Cell::Text(text.into())
}

fn number<'v>(number: Option<u64>) -> Cell<'v> {
    number.map_or(Cell::Null, Cell::Number)
}

fn flag<'v>(flag: Option<bool>) -> Cell<'v> {
    flag.map_or(Cell::Null, Cell::Bool)
}

/// As archives write it: UTC, without saying so.
fn time<'v>(at: Option<UnixTime>) -> Cell<'v> {
    at.map_or(Cell::Null, |at| text(date::second(at)))
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, cell)| (name, cell)))
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Decimal(decimal) => serializer.serialize_f64(*decimal),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}
