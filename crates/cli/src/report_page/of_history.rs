//! The page's values from a history.

use crate::report_page::known::{Known, More};
use crate::report_page::rounds::{Rounds, seconds};
use history::{Error, History, Latest};
use ids::InfoHash;
use pages::{BytesBySeeds, MOST_DETAILS, Overview, worst_first};
use std::collections::HashMap;
use std::path::Path;

/// Takes in every torrent; with the history of those that have a section, and of all bytes, if charts are wanted.
pub(super) fn read(path: &Path, overview: &mut Overview, charts: bool) -> Result<(), Error> {
    let mut history = History::open_read_only(path)?;
    let torrents: HashMap<InfoHash, Known> =
        history.torrents()?.into_iter().map(|latest| (latest.observation.info_hash, known(latest))).collect();
    overview.torrents = torrents.values().map(Known::view).collect();
    worst_first(&mut overview.torrents);
    if charts {
        for view in overview.torrents.iter_mut().take(MOST_DETAILS) {
            let mut rounds = Rounds::default();
            history.observations(view.info_hash)?.iter().for_each(|seen| rounds.add(seen));
            view.detail = torrents.get(&view.info_hash).map(|known| Box::new(known.detail(rounds)));
        }
        overview.bytes_by_seeds = bytes(&mut history)?;
    }
    Ok(())
}

fn known(latest: Latest) -> Known {
    Known {
        newest: latest.observation,
        verdict: latest.verdict,
        since: latest.since_ms.map(seconds),
        more: More::default(),
    }
}

fn bytes(history: &mut History) -> Result<Vec<BytesBySeeds>, Error> {
    let mut days = Vec::new();
    history.bytes_by_seeds(|day_ms, by_seeds| {
        let mut bytes = BytesBySeeds::new(seconds(day_ms));
        by_seeds.iter().for_each(|(seeds, sum)| bytes.add(Some(*seeds), *sum));
        days.push(bytes);
    })?;
    Ok(days)
}
