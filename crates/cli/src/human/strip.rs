//! The pieces of a torrent as a strip of characters.

use crate::text::Marks;
use client::SwarmView;

/// One character for each of `columns` equal parts of the pieces, or one for each piece if there are fewer: full where
/// every piece of the part is there, and lower the more of it is missing.
pub(super) fn strip(swarm: &SwarmView, pieces: u32, columns: u32, marks: Marks) -> Option<String> {
    let missing = swarm.missing.as_ref()?;
    let cells = columns.min(pieces);
    let begin = |cell: u32| u64::from(cell) * u64::from(pieces) / u64::from(cells.max(1));
    let [none, few, many, all] = marks.levels;
    let mark = |cell: u32| {
        let (first, end) = (begin(cell), begin(cell + 1));
        let lacking: u64 = missing
            .iter()
            .map(|range| (u64::from(*range.end()) + 1).min(end).saturating_sub(u64::from(*range.start()).max(first)))
            .sum();
        match (end - first, lacking) {
            (_, 0) => all,
            (pieces, lacking) if lacking >= pieces => none,
            (pieces, lacking) if 2 * lacking > pieces => few,
            _ => many,
        }
    };
    Some((0..cells).map(mark).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(missing: &[std::ops::RangeInclusive<u32>], pieces: u32, columns: u32) -> String {
        let mut swarm = SwarmView::default();
        swarm.missing = Some(missing.to_vec());
        strip(&swarm, pieces, columns, Marks::UNICODE).unwrap()
    }

    #[test]
    fn gaps_are_seen_however_small() {
        assert_eq!(shown(&[], 1000, 8), "████████");
        assert_eq!(shown(&[500..=500], 1000, 8), "████▄███");
        assert_eq!(shown(&[125..=249, 300..=370], 1000, 8), "█▁▂█████");
        assert_eq!(shown(&[0..=999], 1000, 8), "▁▁▁▁▁▁▁▁");
        assert_eq!(shown(&[1..=1], 3, 8), "█▁█");
        assert_eq!(shown(&[6..=6], 7, 2), "█▄");
    }

    #[test]
    fn without_knowledge_of_pieces_there_is_none() {
        assert_eq!(strip(&SwarmView::default(), 10, 8, Marks::UNICODE), None);
    }
}
