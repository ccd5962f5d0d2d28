//! The reports of a contender: how many peers, when, and the time of each.

use crate::Result;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

/// The reports so far.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    reports: usize,
    /// The time of each valid handshake, from dialling to the last byte, in microseconds.
    took: Vec<u32>,
    first: Duration,
    last: Duration,
}

/// The reports of a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) reports: usize,
    pub(crate) ok: usize,
    /// Median and 99th percentile of the peers' times, in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// When the first and the last valid handshake were reported, in seconds after the start; zero if that was not measured.
    pub(crate) first: f64,
    pub(crate) last: f64,
}

impl Reading {
    pub(crate) fn with_capacity(peers: usize) -> Self {
        Self { took: Vec::with_capacity(peers), ..Self::default() }
    }

    pub(crate) fn ok(&mut self, took: Duration, at: Duration) {
        if self.took.is_empty() {
            self.first = at;
        }
        self.last = at;
        self.reports += 1;
        self.took.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn failed(&mut self) {
        self.reports += 1;
    }

    pub(crate) fn summary(&mut self) -> Summary {
        self.took.sort_unstable();
        let percentile = |part: usize| {
            let place = (self.took.len() * part / 100).min(self.took.len().saturating_sub(1));
            self.took.get(place).map_or(0.0, |&micros| f64::from(micros) / 1e3)
        };
        Summary {
            reports: self.reports,
            ok: self.took.len(),
            p50: percentile(50),
            p99: percentile(99),
            first: self.first.as_secs_f64(),
            last: self.last.as_secs_f64(),
        }
    }
}

impl Summary {
    /// The line that a contender of this program prints.
    pub(crate) fn to_line(self) -> String {
        let Self { reports, ok, p50, p99, first, last } = self;
        format!("{reports} {ok} {p50} {p99} {first} {last}")
    }

    pub(crate) fn read_line(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let [reports, ok, p50, p99, first, last] = words[..] else {
            return Err(format!("not a summary: {text}").into());
        };
        Ok(Self {
            reports: reports.parse()?,
            ok: ok.parse()?,
            p50: p50.parse()?,
            p99: p99.parse()?,
            first: first.parse()?,
            last: last.parse()?,
        })
    }

    /// Reads the output of the command line by line: read whole, it would make this process large, and with it the peak of
    /// each program that it starts.
    pub(crate) fn read_json(path: &Path, mut each: impl FnMut(&str)) -> Result<Self> {
        let mut reading = Reading::default();
        for line in BufReader::new(File::open(path)?).lines() {
            let line = line?;
            // A stamp, if there is one, is before the object.
            let (stamp, object) = line.split_at(line.find('{').ok_or("a line without an object")?);
            let line: Line = serde_json::from_str(object)?;
            let Some(outcome) = line.outcome.filter(|_| line.r#type == "peer") else { continue };
            each(outcome);
            match (outcome, line.connect_ms, line.handshake_ms) {
                ("ok", Some(connect), Some(handshake)) => {
                    let at = stamp.trim().parse().unwrap_or(0.0);
                    reading.ok(Duration::from_secs_f64((connect + handshake) / 1e3), Duration::from_secs_f64(at));
                }
                ("ok", ..) => return Err("a valid handshake without its times".into()),
                _ => reading.failed(),
            }
        }
        Ok(reading.summary())
    }
}

/// The properties of a line of `bt-handshake --json` that are read here.
#[derive(Deserialize)]
struct Line<'l> {
    r#type: &'l str,
    outcome: Option<&'l str>,
    connect_ms: Option<f64>,
    handshake_ms: Option<f64>,
}
