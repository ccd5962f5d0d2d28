//! Strips: equal parts side by side, each full, broken or empty. Which pieces are missing, and when a source answered.

use crate::date::UnixTime;
use crate::view::SourceRound;
use std::ops::RangeInclusive;

/// Parts of a strip of pieces: each is three pixels wide on a phone.
const PIECE_CELLS: u32 = 120;
/// Parts of a strip of time.
const TIME_CELLS: i64 = 60;

/// A strip, ready for its template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strip {
    /// Its width in parts.
    pub(crate) cells: usize,
    pub(crate) runs: Vec<Run>,
}

/// Parts of the same level side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) at: usize,
    pub(crate) cells: usize,
    pub(crate) level: Level,
}

/// How full a part is. By height and colour: either alone is enough to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Full,
    Broken,
    Empty,
    /// Nothing is known: nothing is drawn.
    Unknown,
}

impl Level {
    fn of(part: u64, whole: u64) -> Self {
        match part {
            _ if whole == 0 => Self::Unknown,
            0 => Self::Empty,
            part if part < whole => Self::Broken,
            _ => Self::Full,
        }
    }

    /// The name of its class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Broken => "broken",
            Self::Empty | Self::Unknown => "empty",
        }
    }

    /// In tenths of the strip's.
    pub(crate) fn height(self) -> u8 {
        match self {
            Self::Full => 10,
            Self::Broken => 6,
            Self::Empty => 2,
            Self::Unknown => 0,
        }
    }
}

/// The pieces of a torrent; `None` without any.
pub(crate) fn of_pieces(pieces: u32, missing: &[RangeInclusive<u32>]) -> Option<Strip> {
    let cells = u64::from(PIECE_CELLS.min(pieces));
    let pieces = u64::from(pieces);
    let begin = |cell: u64| (cell * pieces).div_ceil(cells.max(1));
    let mut lacking = vec![0_u64; usize::try_from(cells).ok()?];
    for range in missing {
        let (first, end) = (u64::from(*range.start()), (u64::from(*range.end()) + 1).min(pieces));
        let mut cell = first * cells / pieces.max(1);
        while begin(cell) < end && first < end {
            let here = begin(cell + 1).min(end).saturating_sub(begin(cell).max(first));
            usize::try_from(cell).ok().and_then(|cell| lacking.get_mut(cell)).into_iter().for_each(|sum| *sum += here);
            cell += 1;
        }
    }
    let level = |(cell, lacking): (u64, &u64)| {
        let whole = begin(cell + 1) - begin(cell);
        Level::of(whole.saturating_sub(*lacking), whole)
    };
    strip((0..).zip(&lacking).map(level))
}

/// When a source answered, from one time to another; `None` where it was never asked.
pub(crate) fn of_rounds(rounds: &[SourceRound], first: UnixTime, last: UnixTime) -> Option<Strip> {
    let span = last.saturating_sub(first).max(1);
    let mut sums = vec![(0_u64, 0_u64); usize::try_from(TIME_CELLS).ok()?];
    for round in rounds.iter().filter(|round| (first..=last).contains(&round.at)) {
        let cell = i128::from(round.at.saturating_sub(first)) * i128::from(TIME_CELLS) / i128::from(span);
        let cell = usize::try_from(cell).unwrap_or(0).min(sums.len() - 1);
        let (answered, asked) = (u64::from(round.answered), u64::from(round.asked));
        sums.get_mut(cell).into_iter().for_each(|sum| *sum = (sum.0 + answered, sum.1 + asked));
    }
    if sums.iter().all(|(_, asked)| *asked == 0) {
        return None;
    }
    strip(sums.iter().map(|(answered, asked)| Level::of(*answered, *asked)))
}

fn strip(levels: impl Iterator<Item = Level>) -> Option<Strip> {
    let mut runs: Vec<Run> = Vec::new();
    let mut cells = 0;
    for level in levels {
        match runs.last_mut().filter(|run| run.level == level) {
            Some(run) => run.cells += 1,
            None => runs.push(Run { at: cells, cells: 1, level }),
        }
        cells += 1;
    }
    runs.retain(|run| run.level != Level::Unknown);
    (cells > 0).then_some(Strip { cells, runs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(strip: Option<Strip>) -> String {
        let strip = strip.unwrap();
        let mut shown = vec![' '; strip.cells];
        for run in strip.runs {
            let mark = match run.level {
                Level::Full => '#',
                Level::Broken => '+',
                Level::Empty => '_',
                Level::Unknown => '?',
            };
            shown[run.at..run.at + run.cells].fill(mark);
        }
        shown.into_iter().collect()
    }

    #[test]
    fn gaps_are_seen_however_small() {
        assert_eq!(shown(of_pieces(3, &[1..=1])), "#_#");
        assert_eq!(shown(of_pieces(1_000_000, &[])), "#".repeat(120));
        let one = shown(of_pieces(1_000_000, &[500_000..=500_000]));
        assert_eq!((one.find('+'), one.matches('#').count()), (Some(60), 119));
        assert_eq!(shown(of_pieces(240, &[0..=1, 3..=4, 239..=u32::MAX])), format!("_++{}+", "#".repeat(116)));
        assert_eq!(of_pieces(0, &[0..=5]), None);
    }

    #[test]
    fn a_source_is_up_down_or_was_not_asked() {
        let round = |at, asked, answered| SourceRound { at, asked, answered };
        let rounds =
            [round(0, 1, 1), round(10, 1, 0), round(10, 1, 1), round(30, 2, 0), round(60, 1, 1), round(61, 1, 1)];
        let strip = shown(of_rounds(&rounds, 0, 60));
        assert_eq!(strip.trim_end_matches('#').trim_end(), format!("#{}+{}_", " ".repeat(9), " ".repeat(19)));
        assert!(strip.ends_with(" #"));
        assert_eq!((of_rounds(&[], 0, 60), of_rounds(&[round(0, 0, 0)], 0, 0)), (None, None));
    }

    proptest! {
        #[test]
        fn each_missing_piece_is_in_one_part(
            pieces in 1..4_000_u32,
            ranges in proptest::collection::vec((0..4_100_u32, 0..50_u32), 0..20),
        ) {
            let mut missing = vec![false; pieces as usize];
            let ranges: Vec<_> = ranges.iter().map(|(first, more)| *first..=first + more).collect();
            // Ranges of a torrent do not overlap.
            let apart: Vec<_> = ranges.into_iter().filter(|range| {
                let here = missing.get_mut(*range.start() as usize..=(*range.end() as usize).min(pieces as usize - 1));
                here.is_some_and(|here| !here.contains(&true) && { here.fill(true); true })
            }).collect();
            let strip = of_pieces(pieces, &apart).unwrap();
            let level = |cell: usize| {
                let begin = |cell: usize| (cell * pieces as usize).div_ceil(strip.cells);
                let part = &missing[begin(cell)..begin(cell + 1)];
                Level::of(part.iter().filter(|missing| !**missing).count() as u64, part.len() as u64)
            };
            for run in &strip.runs {
                prop_assert!((run.at..run.at + run.cells).all(|cell| level(cell) == run.level));
            }
            prop_assert_eq!(strip.runs.iter().map(|run| run.cells).sum::<usize>(), strip.cells);
        }
    }
}
