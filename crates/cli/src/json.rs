//! The report for machines: the values of a run as JSON, one object a line. URLs are redacted.

mod escaped;
mod of_torrent;

use crate::input::Input;
use crate::total::Total;
use client::report::{Line, MaybeAbout, TotalLine};
use client::{DhtReport, MetadataReport, PeerReport, PexReport, Summary, TrackerReport, WebSeedReport};
use escaped::line;
use of_torrent::{about, name, path};
pub(crate) use of_torrent::{start, torrent};
use std::io;

/// Most files listed in one line.
const MOST_LISTED: usize = 1000;

pub(crate) fn tracker(input: &Input, report: &TrackerReport) -> io::Result<String> {
    line(&Line::tracker(about(input, &name(input)), report))
}

pub(crate) fn web_seed(input: &Input, report: &WebSeedReport) -> io::Result<String> {
    line(&Line::web_seed(about(input, &name(input)), report))
}

pub(crate) fn dht(input: &Input, report: &DhtReport) -> io::Result<String> {
    line(&Line::dht(about(input, &name(input)), report))
}

pub(crate) fn pex(input: &Input, report: &PexReport) -> io::Result<String> {
    line(&Line::pex(about(input, &name(input)), report))
}

pub(crate) fn metadata(input: &Input, report: &MetadataReport) -> io::Result<String> {
    line(&Line::metadata(about(input, &name(input)), report))
}

/// What one node of the DHT answered, of a torrent if it was asked for one.
pub(crate) fn pinged(input: Option<&Input>, report: &DhtReport) -> io::Result<String> {
    let name = input.and_then(name);
    line(&Line::dht(input.map_or_else(MaybeAbout::default, |input| about(input, &name).into()), report))
}

/// A goodbye that could not be sent.
pub(crate) fn goodbye(input: &Input, report: &TrackerReport) -> io::Result<String> {
    line(&Line::goodbye(about(input, &name(input)), report))
}

pub(crate) fn peer(input: &Input, report: &PeerReport) -> io::Result<String> {
    line(&Line::peer(about(input, &name(input)), report))
}

/// The end of a run, with its verdict in a sentence; `unmet` are the user's conditions that are not met.
pub(crate) fn summary(input: &Input, summary: &Summary, sentence: &str, unmet: &[String]) -> io::Result<String> {
    let swarm = &summary.swarm;
    let missing_files = swarm.missing.as_ref().zip(input.listing()).map(|(_, torrent)| {
        swarm.missing_files(torrent).take(MOST_LISTED).map(|file| path(input, &file.path)).collect()
    });
    line(&Line::summary(about(input, &name(input)), summary, sentence, missing_files, unmet))
}

pub(crate) fn total(total: &Total) -> io::Result<String> {
    line(&Line::Total(TotalLine {
        about: MaybeAbout::default(),
        torrents: total.torrents,
        torrents_ok: total.answered,
        peers: total.peers,
        ok: total.ok,
        outcomes: &total.outcomes,
        web_seeds_checked: total.web_seeds,
        web_seeds_complete: total.web_seeds_complete,
        elapsed: total.begun.elapsed(),
    }))
}
