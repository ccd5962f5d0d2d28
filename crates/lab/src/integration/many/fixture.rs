//! Where scenarios are played: unused addresses, torrents, and runs of the binary.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use fake_swarm::bencoding::string;
use fake_swarm::torrent::SingleFile;
use serde_json::Value;
use xtask::binary;
use xtask::scratch::write;
use xtask::shell::Result;

use super::super::namespace::Namespace;
use super::super::process;
use super::super::watch::{Bounds, Run, Stdout};
use super::tracker::{Hash, Tracker};
use crate::report::Report;

/// Memory that a run may have at its peak.
const KIBIBYTES: u64 = 64 * 1024;

/// How long a goodbye may take to be recorded once the run has ended.
const NOTED_WITHIN: Duration = Duration::from_secs(2);

/// Most of stderr that is shown, in characters.
const SHOWN: usize = 600;

/// Where scenarios are played.
pub(super) struct Fixture {
    binary: PathBuf,
    folder: PathBuf,
    /// Whether they may take minutes.
    pub(super) long: bool,
    numbers: AtomicU16,
}

/// A torrent of a run.
#[derive(Clone)]
pub(super) struct Torrent {
    pub(super) hash: Hash,
    /// How many trackers it names.
    trackers: usize,
    /// Its magnet link, or its file.
    pub(super) argument: OsString,
}

/// A run that has ended.
pub(super) struct Ran {
    pub(super) report: Report,
    pub(super) began: Instant,
    pub(super) took: Duration,
    /// All that is wrong, so far.
    pub(super) faults: Vec<String>,
    kibibytes: u64,
}

impl Fixture {
    pub(super) fn new(namespace: &Namespace) -> Self {
        let (binary, folder) = (namespace.prober.binary().to_owned(), namespace.folder.clone());
        Self { binary, folder, long: namespace.long, numbers: AtomicU16::new(0) }
    }

    /// The command.
    pub(super) fn binary(&self) -> &Path {
        &self.binary
    }

    /// Where a file of this name may be written.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An unused address of the wide world.
    pub(super) fn world(&self) -> IpAddr {
        self.address(45, 83)
    }

    /// An unused address of loopback.
    pub(super) fn local(&self) -> IpAddr {
        self.address(127, 77)
    }

    fn address(&self, a: u8, b: u8) -> IpAddr {
        let [c, d] = self.numbers.fetch_add(1, Ordering::Relaxed).saturating_add(1).to_be_bytes();
        Ipv4Addr::new(a, b, c, d).into()
    }

    /// Magnet links of `count` new torrents; `trackers` gives the trackers of each, by its number.
    pub(super) fn magnets<'t>(&self, count: usize, trackers: impl Fn(usize) -> Vec<&'t str>) -> Vec<Torrent> {
        let group = self.numbers.fetch_add(1, Ordering::Relaxed);
        let magnet = |number: usize| {
            let hash = SingleFile::new(&format!("many {group} {number}"), 1).info_hash();
            Torrent::magnet(hash, &trackers(number))
        };
        (0..count).map(magnet).collect()
    }

    /// The same as files with one tracker and one web server each.
    pub(super) fn files<'t>(
        &self,
        count: usize,
        urls: impl Fn(usize) -> Option<(&'t str, String)>,
    ) -> Result<Vec<Torrent>> {
        let group = self.numbers.fetch_add(1, Ordering::Relaxed);
        let file = |number: usize| {
            let name = format!("many {group} {number}");
            let (tracker, web_server) = urls(number).ok_or("no tracker")?;
            let torrent = SingleFile { announce: Some(tracker), ..SingleFile::new(&name, 1) };
            let (path, mut bytes) = (self.folder.join(format!("{name}.torrent")), torrent.to_bytes());
            // The last key of the outer dictionary (BEP 19).
            bytes.pop();
            bytes.extend([string("url-list"), string(web_server), b"e".to_vec()].concat());
            write(&path, bytes)?;
            Ok(Torrent { hash: torrent.info_hash(), trackers: 1, argument: path.into() })
        };
        (0..count).map(file).collect()
    }

    /// Runs the binary on these torrents, with these arguments. It is a fault to take longer.
    pub(super) fn run(&self, line: &str, torrents: &[Torrent], within: Duration) -> Result<Ran> {
        self.run_while(line, torrents, within, || Ok(()))
    }

    /// The same, with something else on a thread meanwhile.
    pub(super) fn run_while(
        &self,
        line: &str,
        torrents: &[Torrent],
        within: Duration,
        meanwhile: impl FnOnce() -> Result + Send,
    ) -> Result<Ran> {
        let mut command = binary::command(&self.binary);
        command.args(line.split_whitespace()).arg("--json").args(torrents.iter().map(|torrent| &torrent.argument));
        // Above the limits, so that a run that exceeds them still has its figures.
        let bounds = Bounds { time: within * 2 + Duration::from_secs(5), kibibytes: KIBIBYTES * 8 };
        let run = Run { command, prefix: Vec::new(), stdin: None, stdout: Stdout::Read, trace: None, bounds };
        let began = Instant::now();
        let seen = run.run(|_| meanwhile())?;
        let command = format!("bt-handshake {line} --json, of {} torrents", torrents.len());
        if let Some(exceeded) = seen.exceeded {
            return Err(format!("{exceeded}: `{command}`"));
        }
        let report = Report {
            command,
            code: seen.status.code(),
            lines: Vec::new(),
            said: seen.said,
            complaint: end(&seen.complaint),
        };
        let mut ran =
            Ran { report: report.parsed()?, began, took: seen.took, faults: Vec::new(), kibibytes: seen.kibibytes };
        ran.must(seen.took <= within, || format!("it took {:.1?}, not {within:.1?}", seen.took));
        ran.must(seen.kibibytes <= KIBIBYTES, || format!("{} MiB at its peak", seen.kibibytes / 1024));
        Ok(ran)
    }
}

impl Torrent {
    pub(super) fn magnet(hash: Hash, trackers: &[&str]) -> Self {
        let mut link = format!("magnet:?xt=urn:btih:{}", hex(&hash));
        for tracker in trackers {
            link += &format!("&tr={}", tracker.replace(':', "%3A").replace('/', "%2F"));
        }
        Self { hash, trackers: trackers.len(), argument: link.into() }
    }
}

impl Ran {
    /// Notes a fault, unless this holds.
    pub(super) fn must(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        self.faults.extend((!holds).then(fault));
    }

    /// Each torrent must have its lines: a start, one for each tracker, and a summary.
    pub(super) fn must_report(&mut self, torrents: &[Torrent]) {
        let mut lines: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for line in &self.report.lines {
            let key = |name: &str| line[name].as_str().unwrap_or_default();
            *lines.entry((key("info_hash"), key("type"))).or_default() += 1;
        }
        let count = |hash: &str, kind: &'static str| lines.get(&(hash, kind)).copied().unwrap_or(0);
        let told = |torrent: &&Torrent| {
            let hash = hex(&torrent.hash);
            ["start", "tracker", "summary"].map(|kind| count(&hash, kind)) == [1, torrent.trackers, 1]
        };
        let right = torrents.iter().filter(told).count();
        let all = torrents.len();
        self.must(right == all, || format!("{right} of {all} torrents have all their lines"));
    }

    /// Each `started` must have its `stopped`.
    pub(super) fn must_say_goodbye(&mut self, trackers: &[Tracker]) {
        for tracker in trackers {
            let owed = self.owed(&tracker.url).len();
            self.must(owed == 0, || format!("{}: {owed} goodbyes are reported as owed", tracker.url));
            let ask = || {
                let lost = tracker.owed().len();
                Ok(if lost == 0 { Ok(()) } else { Err(lost) }.map_err(|lost| lost.to_string()))
            };
            let lost = process::poll(Instant::now() + NOTED_WITHIN, ask);
            let started = tracker.of("started").len();
            self.faults.extend(
                lost.err().map(|lost| format!("{}: of {started} `started`, {lost} without `stopped`", tracker.url)),
            );
        }
    }

    /// The info-hashes of the goodbyes that are owed to a tracker, as the lines have it.
    pub(super) fn owed(&self, url: &str) -> Vec<String> {
        self.hashes("goodbye", |line| line["url"] == url && line["message"].is_string())
    }

    /// Those that it has answered.
    pub(super) fn answered(&self, url: &str) -> Vec<String> {
        self.hashes("tracker", |line| line["url"] == url && line["status"] == "ok")
    }

    fn hashes(&self, kind: &str, is_one: impl Fn(&Value) -> bool) -> Vec<String> {
        let lines = self.report.lines_of(kind).filter(|line| is_one(line));
        lines.filter_map(|line| line["info_hash"].as_str().map(str::to_owned)).collect()
    }

    /// How many lines there are on trackers whose URLs begin so, by their status.
    pub(super) fn statuses(&self, url: &str) -> BTreeMap<String, usize> {
        let mut statuses = BTreeMap::new();
        let on_it = |line: &&Value| line["url"].as_str().is_some_and(|known| known.starts_with(url));
        for line in self.report.lines_of("tracker").filter(on_it) {
            *statuses.entry(line["status"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        statuses
    }

    /// All trackers with this prefix must have answered, with this number of lines in all.
    pub(super) fn must_answer(&mut self, url: &str, times: usize) {
        let statuses = self.statuses(url);
        let right = statuses.len() <= 1 && statuses.get("ok").copied().unwrap_or(0) == times;
        self.must(right, || format!("{url} says {statuses:?}, expected ok {times} times"));
    }

    /// This number of torrents must have found this number of peers each.
    pub(super) fn must_find(&mut self, torrents: usize, peers: u64) {
        let met = self.report.lines_of("summary").filter(|line| line["ok"] == peers).count();
        self.must(met == torrents, || format!("{met} of {torrents} torrents have {peers} peers that answer"));
    }

    /// Its figures, or all its faults with them.
    pub(super) fn verdict(self, said: impl AsRef<str>) -> Result<String> {
        let (took, mebibytes) = (self.took.as_secs_f64(), self.kibibytes / 1024);
        let said = format!("{}; {took:.1} s, {mebibytes} MiB", said.as_ref());
        if self.faults.is_empty() {
            return Ok(said);
        }
        let Report { command, code, complaint, .. } = &self.report;
        Err(format!("{}\n{said}\n`{command}` ended with {code:?}, stderr:\n{complaint}", self.faults.join("\n")))
    }
}

/// The end of what is too long to be shown: what is printed of all torrents is there.
fn end(text: &str) -> String {
    text.chars().skip(text.chars().count().saturating_sub(SHOWN)).collect()
}

/// Lower case, as the lines have it.
pub(super) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
