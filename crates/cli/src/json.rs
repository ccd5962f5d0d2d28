//! The report for machines: the values of a run as JSON, one object a line. URLs are redacted.

mod line;
mod torrent;

use crate::input::Subject;
use crate::output;
use client::report::{Line, TotalLine};
use client::{PeerReport, Summary, TrackerReport};
use ids::InfoHash;
use line::line;
use std::io;
use torrent::path;
pub(crate) use torrent::{start, torrent};

/// Most files listed in one line.
const MOST_LISTED: usize = 1000;

pub(crate) fn tracker(subject: &Subject, report: &TrackerReport) -> io::Result<String> {
    line(&Line::tracker(info_hash(subject), report))
}

/// A goodbye that could not be sent.
pub(crate) fn goodbye(subject: &Subject, report: &TrackerReport) -> io::Result<String> {
    line(&Line::goodbye(info_hash(subject), report))
}

pub(crate) fn peer(subject: &Subject, report: &PeerReport) -> io::Result<String> {
    line(&Line::peer(info_hash(subject), report))
}

/// The end of a run; `unmet` are the conditions of the user's that are not met.
pub(crate) fn summary(subject: &Subject, summary: &Summary, unmet: &[String]) -> io::Result<String> {
    let swarm = &summary.swarm;
    let missing_files = swarm.missing.as_ref().zip(subject.listing()).map(|(_, torrent)| {
        swarm.missing_files(torrent).take(MOST_LISTED).map(|file| path(subject, &file.path)).collect()
    });
    line(&Line::summary(info_hash(subject), summary, missing_files, unmet))
}

pub(crate) fn total(total: &output::Total) -> io::Result<String> {
    line(&Line::Total(TotalLine {
        info_hash: (),
        torrents: total.torrents,
        torrents_ok: total.answered,
        peers: total.peers,
        ok: total.ok,
        outcomes: &total.outcomes,
        elapsed: total.begun.elapsed(),
    }))
}

fn info_hash(subject: &Subject) -> InfoHash {
    subject.topic.hashes.primary()
}
