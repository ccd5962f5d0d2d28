//! Goodbyes that could not be sent, told at the end: a line for each tracker, however many torrents it still counts.

use client::TrackerReport;
use std::collections::BTreeMap;

use crate::text::plural;

/// Those of all runs, by URL.
#[derive(Debug, Default)]
pub(crate) struct Owed(BTreeMap<String, Tracker>);

#[derive(Debug)]
struct Tracker {
    /// The first of them, and why.
    torrent: String,
    reason: String,
    torrents: usize,
}

impl Owed {
    /// Adds one of this torrent.
    pub(crate) fn add(&mut self, torrent: &str, report: &TrackerReport) {
        let first =
            || Tracker { torrent: torrent.to_owned(), reason: report.message.clone().unwrap_or_default(), torrents: 0 };
        self.0.entry(report.url.to_string()).or_insert_with(first).torrents += 1;
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(url, Tracker { torrent, reason, torrents })| {
            let others = match torrents - 1 {
                0 => String::new(),
                more => format!(" and {}", plural(more, "more torrent")),
            };
            format!("{torrent}{others}: {url} still counts us: the goodbye could not be sent: {reason}")
        })
    }
}
