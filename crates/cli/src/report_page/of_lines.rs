//! The page's values from JSON lines: several runs about a torrent are its history.

use crate::report_page::known::{Known, More};
use crate::report_page::line_forms::{AnyLine, Dht, Peer, Start, Summary, Tracker, WebSeed};
use crate::report_page::lines::{self, LeftOut};
use crate::report_page::rounds::{Rounds, seconds};
use client::{
    Copies, DhtView, Event, Outcome, PeerCounts, PeerReport, Stage, Standing, TrackerReport, WebSeedKind, WebSeedReport,
};
use ids::InfoHash;
use pages::{BytesOverTime, MOST_DETAILS, Overview, worst_first};
use report::{Observation, StartLine, Subject, Tally};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};
use std::time::{Duration, SystemTime};
use tracker::{Family, PeerAddress};

/// All torrents of a file of lines. Of each run is kept what is drawn, about a tenth of its `summary`.
struct Runs {
    torrents: HashMap<InfoHash, Torrent>,
    /// When a run began that does not say so, milliseconds since 1970.
    at_ms: i64,
    /// The schema of a newer program, if there is any.
    newer: Option<u32>,
}

/// One torrent: its run of which the summary has not come, and those before.
struct Torrent {
    subject: Subject,
    at_ms: i64,
    tally: Tally,
    dht: DhtView,
    more: More,
    known: Option<Known>,
    rounds: Rounds,
}

/// Takes in every torrent; with the history of those that have a section, and of all bytes. What cannot be used at all is an error.
pub(super) fn read(from: impl BufRead, at_ms: i64, overview: &mut Overview) -> io::Result<LeftOut> {
    let mut runs = Runs { torrents: HashMap::new(), at_ms, newer: None };
    let left_out = lines::each(from, |line| runs.take(line).is_some())?;
    if let Some(schema) = runs.newer {
        return Err(io::Error::other(format!(
            "schema {schema} of a newer program, this one reads {}",
            StartLine::SCHEMA
        )));
    }
    if left_out.is_everything() {
        return Err(io::Error::other("neither a history nor a JSON report"));
    }
    overview.bytes_by_seeds = bytes(&runs.torrents, overview.made_at);
    overview.torrents = runs.torrents.values().filter_map(|torrent| torrent.known.as_ref()).map(Known::view).collect();
    worst_first(&mut overview.torrents);
    for view in overview.torrents.iter_mut().take(MOST_DETAILS) {
        let torrent = runs.torrents.remove(&view.info_hash);
        view.detail = torrent.and_then(|torrent| Some(Box::new(torrent.known?.detail(torrent.rounds))));
    }
    Ok(left_out)
}

fn bytes(torrents: &HashMap<InfoHash, Torrent>, made_at: i64) -> Vec<pages::BytesBySeeds> {
    let times =
        || torrents.values().flat_map(|torrent| torrent.rounds.seeds()).map(|(at, _)| at).filter(|at| *at <= made_at);
    let Some((first, last)) = times().min().zip(times().max()) else { return Vec::new() };
    let mut bytes = BytesOverTime::new(first, last);
    for torrent in torrents.values() {
        bytes.add(torrent.subject.size_bytes.unwrap_or_default(), torrent.rounds.seeds());
    }
    bytes.sums()
}

impl Runs {
    /// Takes in a line; `None` if it is none of the report.
    fn take(&mut self, line: &[u8]) -> Option<()> {
        let any: AnyLine<'_> = of(line)?;
        let Some(info_hash) = any.info_hash else { return Some(()) };
        let info_hash: InfoHash = info_hash.parse().ok()?;
        let (at_ms, kind) = (self.at_ms, any.kind.as_ref());
        let torrent = self.torrents.entry(info_hash).or_insert_with(|| Torrent::new(info_hash, at_ms));
        match kind {
            "start" => {
                let start: Start = of(line)?;
                if start.schema > StartLine::SCHEMA {
                    self.newer = Some(start.schema);
                }
                // Those that do not say are taken for as late as the last that did.
                self.at_ms = start.at.as_deref().and_then(milliseconds).unwrap_or(at_ms);
                torrent.begin(start, self.at_ms);
            }
            "tracker" => torrent.tally.count(&Event::Tracker(tracker(&of(line)?)?)),
            "web_seed" => torrent.tally.count(&Event::WebSeed(web_seed(&of(line)?)?)),
            "dht" => torrent.add_dht(&of(line)?)?,
            "peer" => torrent.add_peer(&of(line)?),
            "summary" => torrent.end(of(line)?)?,
            _ => {}
        }
        Some(())
    }
}

fn of<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Option<T> {
    serde_json::from_slice(line).ok()
}

fn milliseconds(at: &str) -> Option<i64> {
    let at = humantime::parse_rfc3339(at).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(at.as_millis()).ok()
}

fn duration(milliseconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(milliseconds / 1e3).ok()
}

/// Only what an observation keeps.
fn tracker(line: &Tracker<'_>) -> Option<TrackerReport> {
    let status = line.status.parse().ok()?;
    let mut report = TrackerReport::new(line.url.as_ref().into(), status, Standing::Answered);
    report.family = match line.family.as_deref() {
        Some("ipv4") => Some(Family::V4),
        Some("ipv6") => Some(Family::V6),
        _ => None,
    };
    report.peers = line.peers.map(|v4| PeerCounts { v4, ..PeerCounts::default() });
    (report.seeders, report.leechers, report.downloaded) = (line.seeders, line.leechers, line.downloaded);
    Some(report)
}

fn web_seed(line: &WebSeed<'_>) -> Option<WebSeedReport> {
    let mut report = WebSeedReport::new(line.url.as_ref().into(), WebSeedKind::UrlList, line.status.parse().ok()?);
    (report.complete, report.proved) = (line.complete, line.proved);
    Some(report)
}

impl Torrent {
    fn new(info_hash: InfoHash, at_ms: i64) -> Self {
        Self {
            subject: Subject { info_hash, name: None, size_bytes: None, pieces: None },
            at_ms,
            tally: Tally::default(),
            dht: DhtView::default(),
            more: More::default(),
            known: None,
            rounds: Rounds::default(),
        }
    }

    /// Forgets a run that did not come to its summary. What is known of a link's torrent from an earlier run stays.
    fn begin(&mut self, start: Start, at_ms: i64) {
        self.at_ms = at_ms;
        self.subject.name = start.name.or(self.subject.name.take());
        self.subject.size_bytes = start.total_size_bytes.or(self.subject.size_bytes);
        self.subject.pieces = start.pieces.or(self.subject.pieces);
        self.forget_run();
        self.more.files = start.files.or(self.more.files);
        self.more.hash_v2 = start.info_hash_v2.and_then(|hash| hash.parse().ok()).or(self.more.hash_v2);
    }

    fn forget_run(&mut self) {
        (self.tally, self.dht) = (Tally::default(), DhtView::default());
        let More { hash_v2, files, .. } = self.more;
        self.more = More { hash_v2, files, ..More::default() };
    }

    fn add_dht(&mut self, line: &Dht<'_>) -> Option<()> {
        *self.dht.statuses.entry(line.status.parse().ok()?).or_default() += 1;
        self.dht.answered += line.nodes.answered;
        Some(())
    }

    fn add_peer(&mut self, line: &Peer<'_>) {
        if line.outcome == Outcome::Ok.code() {
            // Its address is of no use.
            let nowhere = PeerAddress::Socket(([0, 0, 0, 0], 0).into());
            let mut report = PeerReport::new(nowhere, Outcome::Ok, Stage::Done);
            report.handshake = line.handshake_ms.and_then(duration);
            report.handshake.into_iter().for_each(|took| self.more.response_times.add(took));
            self.tally.count(&Event::Peer(report));
        }
    }

    fn end(&mut self, line: Summary) -> Option<()> {
        let verdict = line.verdict.parse().ok()?;
        self.subject.name = line.name.clone().or(self.subject.name.take());
        let mut tally = std::mem::take(&mut self.tally);
        let missing_pieces = line.missing_pieces;
        let mut summary = summary(&line);
        summary.dht = std::mem::take(&mut self.dht);
        tally.count(&Event::Summary(summary));
        let mut seen = tally.observation(self.subject.clone(), self.at_ms)?;
        seen.verdict = verdict;
        if let (Some(missing), Some(pieces)) = (&mut seen.missing, missing_pieces) {
            missing.pieces = pieces;
        }
        self.more.sentence = line.sentence;
        self.more.missing_files = line.missing_files.unwrap_or_default();
        self.add(seen);
        self.forget_run();
        Some(())
    }

    /// Takes in an observation; one that says nothing of the swarm is no newer state of it.
    fn add(&mut self, seen: Observation) {
        self.rounds.add(&seen);
        let known = self.known.take();
        let (since, verdict) = match &known {
            Some(known) if known.verdict == Some(seen.verdict) || !seen.is_of_swarm() => (known.since, known.verdict),
            _ => (Some(seconds(seen.at_ms)), Some(seen.verdict)),
        };
        let is_newer = seen.is_of_swarm() || known.as_ref().is_none_or(|known| !known.newest.is_of_swarm());
        self.known = known.filter(|_| !is_newer);
        let known = self.known.get_or_insert_with(|| Known { newest: seen, verdict, since, more: self.more.clone() });
        (known.verdict, known.since) = (verdict, since);
    }
}

/// The summary as far as an observation keeps it.
fn summary(line: &Summary) -> client::Summary {
    let codes = |(code, count): (&String, &usize)| Some((code.parse::<Outcome>().ok()?, *count));
    let name = |(name, count): (&String, &usize)| (Some(name.clone()).filter(|name| name != "unknown"), *count);
    let mut summary = client::Summary::default();
    (summary.peers, summary.declined, summary.ok) = (line.peers, line.declined, line.ok);
    summary.outcomes = line.outcomes.iter().filter_map(codes).collect();
    summary.clients = line.clients.iter().map(name).collect::<BTreeMap<_, _>>();
    summary.other_clients = line.other_clients;
    summary.elapsed = line.elapsed_ms.and_then(duration).unwrap_or_default();
    let swarm = &mut summary.swarm;
    swarm.copies = line.copies_min.zip(line.copies_max).map(|(min, max)| Copies { min, max });
    // What a stranger wrote may be in any order, which a page does not like.
    let ranges = line.missing_piece_ranges.as_ref().map(|ranges| {
        let mut next = 0;
        let mut ranges = ranges.clone();
        ranges.retain(|(first, last)| {
            let is_next = *first >= next && last >= first && *last < u32::MAX;
            next = if is_next { last.saturating_add(1) } else { next };
            is_next
        });
        ranges.into_iter().map(|(first, last)| first..=last).collect()
    });
    (swarm.missing, swarm.claimed_seeds) = (ranges, line.claimed_seeds);
    (swarm.verified_seeds, swarm.verified_seeds_max) = (line.verified_seeds, line.verified_seeds_max);
    swarm.coverage.with_piece_info = line.coverage.with_piece_info;
    swarm.coverage.list_complete = line.coverage.list_complete;
    summary
}
