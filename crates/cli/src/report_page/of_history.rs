//! The page's values from a history.

use crate::report_page::known::{Known, More};
use crate::report_page::rounds::{Rounds, seconds};
use history::{Error, History, Latest};
use ids::InfoHash;
use pages::{BytesOverTime, MOST_DETAILS, Overview, TorrentView, worst_first};
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
        bytes(&mut history, overview)?;
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

fn bytes(history: &mut History, overview: &mut Overview) -> Result<(), Error> {
    let mut all = Vec::new();
    for TorrentView { info_hash, data_size, .. } in &overview.torrents {
        let mut rounds = Rounds::default();
        history.observations(*info_hash)?.iter().for_each(|seen| rounds.add(seen));
        all.push((data_size.unwrap_or_default(), rounds.seeds().collect::<Vec<_>>()));
    }
    let times = || all.iter().flat_map(|(_, seen)| seen.iter().map(|(at, _)| *at)).filter(|at| *at <= overview.made_at);
    let Some((first, last)) = times().min().zip(times().max()) else { return Ok(()) };
    let mut bytes = BytesOverTime::new(first, last);
    all.iter().for_each(|(size, seen)| bytes.add(*size, seen.iter().copied()));
    overview.bytes_by_seeds = bytes.sums();
    Ok(())
}
