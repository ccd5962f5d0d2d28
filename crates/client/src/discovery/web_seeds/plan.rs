//! What each web seed of a run is asked: which files, which pieces, and the piece that proves it.

use crate::config::WebSeedChecks;
use crate::discovery::web_seeds::context::CheckContext;
use crate::discovery::web_seeds::planned_file::PlannedFile;
use crate::discovery::web_seeds::proof::PlannedProof;
use crate::net::entropy;
use crate::torrent_ref::{Content, Proof};
use std::collections::BTreeSet;
use web_seed::ByteRange;

/// Bytes asked of each file, at its end: a file that grew or shrank after the torrent was made shows there.
const RANGE_BYTES: u64 = 1024;

/// Files that are looked at beside the first and the last, at random.
const OTHERS: usize = 6;

/// What each web seed is asked; the same for all of a run, so that their answers can be compared.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: Vec<u8>,
    pub(crate) is_single_file: bool,
    pub(crate) files: Vec<PlannedFile>,
    /// For BEP 17: pieces, and a small range of each.
    pub(crate) pieces: Vec<(u32, ByteRange)>,
    pub(crate) total_size: u64,
    pub(crate) proof: Option<PlannedProof>,
}

impl Plan {
    /// `None` where no file is known, as of a list that was [forgotten](metainfo::Files::forget).
    pub(crate) fn new(content: &Content, proof: Option<Proof>, context: &CheckContext) -> Option<Self> {
        content.files.iter().next()?;
        let count = content.wanted_files().count();
        let places = match context.checks {
            WebSeedChecks::All => (0..count.min(context.limits.web_seed_files)).collect(),
            WebSeedChecks::Sample => sample(count, OTHERS),
        };
        let files = content.wanted_files().enumerate().filter(|(place, _)| places.contains(place));
        let total_size = content.files.iter().map(|file| file.length).sum();
        Some(Self {
            name: content.name.clone(),
            is_single_file: content.is_single_file,
            files: files
                .filter_map(|(_, file)| PlannedFile::part(&file, file.length.saturating_sub(RANGE_BYTES), RANGE_BYTES))
                .collect(),
            pieces: pieces(total_size, content.piece_length.into()),
            total_size,
            proof: proof.map(|proof| PlannedProof::new(proof, content, &context.limits)),
        })
    }

    /// What the URL of a file is made from.
    pub(crate) fn content(&self) -> web_seed::Content<'_> {
        web_seed::Content { name: &self.name, is_single_file: self.is_single_file }
    }

    /// The torrent's name, as it is shown.
    pub(crate) fn shown_name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// The first, the last, and up to `others` random numbers below `count`.
fn sample(count: usize, others: usize) -> BTreeSet<usize> {
    let mut places: BTreeSet<usize> = [0, count.saturating_sub(1)].into_iter().filter(|&place| place < count).collect();
    let wanted = count.min(places.len() + others);
    while places.len() < wanted {
        // Without random bytes, those that come first.
        let drawn = entropy::below(count as u64).and_then(|place| usize::try_from(place).ok());
        let place = drawn.or_else(|| (0..count).find(|place| !places.contains(place)));
        places.extend(place);
    }
    places
}

/// The end of the first piece, of the last, and of some others.
fn pieces(total_size: u64, piece_length: u64) -> Vec<(u32, ByteRange)> {
    let count = total_size.div_ceil(piece_length.max(1));
    let end_of = |piece: usize| {
        let size = (total_size - piece as u64 * piece_length).min(piece_length);
        let range = ByteRange::new(size.saturating_sub(RANGE_BYTES), RANGE_BYTES, size)?;
        Some((u32::try_from(piece).ok()?, range))
    };
    sample(usize::try_from(count).unwrap_or_default(), OTHERS).into_iter().filter_map(end_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_first_the_last_and_some_others() {
        for (count, size) in [(0, 0), (1, 1), (2, 2), (5, 5), (8, 8), (9, 8), (1_000_000, 8)] {
            let places = sample(count, OTHERS);
            assert_eq!(places.len(), size, "of {count}");
            assert_eq!(
                (places.first(), places.last()),
                ((count > 0).then_some(&0), (count > 0).then(|| count - 1).as_ref())
            );
        }
        assert_ne!(sample(1_000_000, OTHERS), sample(1_000_000, OTHERS), "the others are drawn");
    }

    #[test]
    fn a_range_of_a_piece_is_its_end() {
        let ends: Vec<_> =
            pieces(70_000, 32_768).into_iter().map(|(n, range)| (n, range.first(), range.last())).collect();
        assert_eq!(ends, [(0, 31_744, 32_767), (1, 31_744, 32_767), (2, 3440, 4463)]);
        assert_eq!(pieces(5, 16_384).first().map(|(_, range)| (range.first(), range.count())), Some((0, 5)));
        assert!(pieces(0, 16_384).is_empty() && pieces(0, 0).is_empty());
    }
}
