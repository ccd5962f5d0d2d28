//! One scenario set up: the actors, the run, and what must come of it.

use std::any::Any;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_swarm::{FakeSwarm, FakeTracker, FakeUdpTracker};
use xtask::shell::{self, Result};

use super::super::prober::Prober;
use super::super::row::Row;
use super::super::watch::{Bounds, Run, Seen, Stdout};
use super::super::{goodbyes, process};
use super::reach::Reach;
use crate::report::Report;

/// What a run may take unless the scenario says otherwise. Most end within a second; the machine may be busy.
const TIME: Duration = Duration::from_secs(30);

/// Memory that a run may have at its peak unless the scenario says otherwise.
const MEBIBYTES: u64 = 64;

/// How long a tracker may take to note our goodbye once the run has ended.
const NOTED_WITHIN: Duration = Duration::from_secs(2);

/// Done while the run lasts, with its process id.
type Meanwhile = Box<dyn FnOnce(u32) -> Result + Send>;

/// Done after the run: what the actors have to complain about.
type Afterwards = Box<dyn FnOnce(&Report, &Seen) -> Vec<String> + Send>;

/// One scenario set up.
pub(super) struct Case {
    row: Row,
    bounds: Bounds,
    prefix: Vec<OsString>,
    stdin: Option<PathBuf>,
    stdout: Stdout,
    http: Vec<Arc<FakeTracker>>,
    udp: Vec<Arc<FakeUdpTracker>>,
    /// No goodbye is expected: the run was killed, or interrupted twice.
    leaves_rudely: bool,
    reach: Reach,
    meanwhile: Option<Meanwhile>,
    afterwards: Vec<Afterwards>,
    /// Values that are kept until the run has ended.
    actors: Vec<Box<dyn Any + Send>>,
}

/// What came of it.
pub(super) struct Played {
    /// All that is wrong.
    pub(super) faults: Vec<String>,
    pub(super) took: Duration,
    /// Of resident memory at its peak.
    pub(super) kibibytes: u64,
}

impl Case {
    /// A run that must come out as this row has it, without a log.
    pub(super) fn new(row: Row) -> Self {
        Self {
            row: row.quiet(),
            bounds: Bounds { time: TIME, kibibytes: MEBIBYTES * 1024 },
            prefix: Vec::new(),
            stdin: None,
            stdout: Stdout::Read,
            http: Vec::new(),
            udp: Vec::new(),
            leaves_rudely: false,
            reach: Reach::new(),
            meanwhile: None,
            afterwards: Vec::new(),
            actors: Vec::new(),
        }
    }

    /// Changes the row.
    pub(super) fn row(mut self, change: impl FnOnce(Row) -> Row) -> Self {
        self.row = change(self.row);
        self
    }

    /// With these arguments, too.
    pub(super) fn args(self, line: &str) -> Self {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        self.row(|row| row.args(words))
    }

    /// With a limit lifted by this option, which may have another value.
    pub(super) fn lifted_by(self, option: &str) -> Self {
        let words: Vec<String> = option.split_whitespace().map(str::to_owned).collect();
        self.row(
            |row| {
                if words.len() == 2 && !option.starts_with("--limit") { row.instead(&words) } else { row.args(words) }
            },
        )
    }

    /// Asks this tracker.
    pub(super) fn asks(self, tracker: &Arc<FakeTracker>) -> Self {
        let url = tracker.announce_url();
        self.row(|row| row.tracker(url)).knows(tracker)
    }

    /// The tracker takes part; something else leads to it.
    pub(super) fn knows(mut self, tracker: &Arc<FakeTracker>) -> Self {
        self.http.push(Arc::clone(tracker));
        self.dials_tracker(tracker.addr())
    }

    /// Asks this tracker over UDP.
    pub(super) fn asks_over_udp(mut self, tracker: &Arc<FakeUdpTracker>) -> Self {
        let url = tracker.announce_url();
        self.udp.push(Arc::clone(tracker));
        self.row(|row| row.tracker(url)).dials_tracker(tracker.addr())
    }

    /// May dial the peers of this swarm.
    pub(super) fn meets(mut self, swarm: &Arc<FakeSwarm>) -> Self {
        self.reach.ports.insert(swarm.port());
        self.reach.peers.extend(swarm.endpoints().into_iter().map(SocketAddr::from));
        self.keeps(Arc::clone(swarm))
    }

    /// May dial this tracker.
    pub(super) fn dials_tracker(mut self, address: SocketAddr) -> Self {
        self.reach.trackers.insert(address);
        self
    }

    /// May dial this peer.
    pub(super) fn dials_peer(mut self, address: impl Into<SocketAddr>) -> Self {
        self.reach.peers.insert(address.into());
        self
    }

    /// May dial any address of loopback at this port.
    pub(super) fn dials_port(mut self, port: u16) -> Self {
        self.reach.ports.insert(port);
        self
    }

    /// It is of so many torrents, each of which may dial its peers.
    pub(super) fn of_torrents(mut self, torrents: usize) -> Self {
        self.reach.torrents = torrents;
        self
    }

    /// Keeps this alive until the run has ended.
    pub(super) fn keeps(mut self, actor: impl Any + Send) -> Self {
        self.actors.push(Box::new(actor));
        self
    }

    /// It must not take longer.
    pub(super) fn within(mut self, time: Duration) -> Self {
        self.bounds.time = time;
        self
    }

    /// It may have so much memory.
    pub(super) fn mebibytes(mut self, mebibytes: u64) -> Self {
        self.bounds.kibibytes = mebibytes * 1024;
        self
    }

    /// Run by these programs.
    pub(super) fn under<A: Into<OsString>>(mut self, prefix: impl IntoIterator<Item = A>) -> Self {
        self.prefix.extend(prefix.into_iter().map(Into::into));
        self
    }

    /// With this as its stdin.
    pub(super) fn reading(mut self, file: PathBuf) -> Self {
        self.stdin = Some(file);
        self
    }

    /// With this as its stdout.
    pub(super) fn writing(mut self, stdout: Stdout) -> Self {
        self.stdout = stdout;
        self
    }

    /// Trackers need not hear that it leaves.
    pub(super) fn leaves_rudely(mut self) -> Self {
        self.leaves_rudely = true;
        self
    }

    /// Does this while the run lasts.
    pub(super) fn meanwhile(mut self, act: impl FnOnce(u32) -> Result + Send + 'static) -> Self {
        self.meanwhile = Some(Box::new(act));
        self
    }

    /// Asks this of the actors after the run: their complaints are faults.
    pub(super) fn afterwards(mut self, ask: impl FnOnce(&Report, &Seen) -> Vec<String> + Send + 'static) -> Self {
        self.afterwards.push(Box::new(ask));
        self
    }

    /// Runs it and tells all that is wrong.
    pub(super) fn play(self, prober: &Prober, trace: PathBuf) -> Result<Played> {
        let command = self.row.command(prober);
        let shown = shell::shown(&command);
        let (bounds, stdout) = (self.bounds, self.stdout);
        let run = Run { command, prefix: self.prefix, stdin: self.stdin, stdout, trace: Some(trace), bounds };
        let meanwhile = self.meanwhile.unwrap_or_else(|| Box::new(|_| Ok(())));
        let seen = run.run(meanwhile)?;
        if let Some(exceeded) = &seen.exceeded {
            return Ok(Played {
                faults: vec![format!("{exceeded}\n`{shown}`")],
                took: seen.took,
                kibibytes: seen.kibibytes,
            });
        }
        let (said, complaint) = (seen.said.clone(), seen.complaint.clone());
        let report = Report { command: shown, code: seen.status.code(), lines: Vec::new(), said, complaint };
        let report = if self.row.is_text() { report } else { report.parsed()? };
        let mut faults = Vec::new();
        // Without a reader only the exit code can be judged.
        if stdout == Stdout::Read {
            faults = self.row.faults(&report, seen.took);
        } else if !self.row.ends_with(report.code) {
            faults.push(format!("exit code {:?}, not as expected", report.code));
        }
        faults.extend(self.reach.faults(&seen.dials, &seen.utp));
        if !self.leaves_rudely {
            faults.extend(missing_goodbyes(&self.http, &self.udp));
        }
        faults.extend(self.afterwards.into_iter().flat_map(|ask| ask(&report, &seen)));
        if !faults.is_empty() {
            faults = vec![shortened(report).told(&faults)];
        }
        Ok(Played { faults, took: seen.took, kibibytes: seen.kibibytes })
    }
}

/// Trackers that were told of us and not of our leaving, once they have had time to notice.
fn missing_goodbyes(http: &[Arc<FakeTracker>], udp: &[Arc<FakeUdpTracker>]) -> Vec<String> {
    let missing = || goodbyes::missing(http.iter().map(Arc::as_ref), udp.iter().map(Arc::as_ref));
    let noted = process::poll(Instant::now() + NOTED_WITHIN, || {
        let missing = missing();
        Ok(if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) })
    });
    noted.err().into_iter().collect()
}

/// The report, of which the end tells most, and some have a hundred thousand lines.
fn shortened(report: Report) -> Report {
    const BYTES: usize = 3000;
    let end = |text: String| {
        let from = text.char_indices().rev().map(|(at, _)| at).find(|at| text.len() - at >= BYTES).unwrap_or(0);
        text.get(from..).unwrap_or_default().to_owned()
    };
    Report { said: end(report.said), complaint: end(report.complaint), ..report }
}
