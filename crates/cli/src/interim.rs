//! Interim statistics: a line on stderr for each torrent that runs, whenever a signal asks for them.

use crate::text::{plural, time};
use crate::total::Total;
use client::{Interim, SoFar};
use std::time::{Duration, Instant};

/// The torrents that run.
#[derive(Debug, Default)]
pub(crate) struct Running(Vec<Run>);

#[derive(Debug)]
struct Run {
    name: String,
    begun: Instant,
    interim: Interim,
}

impl Running {
    pub(crate) fn begin(&mut self, name: &str, begun: Instant, interim: Interim) {
        self.0.push(Run { name: name.to_owned(), begun, interim });
    }

    /// The run that began at that time, to the nanosecond, has been reported and is in the total.
    pub(crate) fn end(&mut self, name: &str, begun: Instant) {
        self.0.retain(|run| (run.name.as_str(), run.begun) != (name, begun));
    }

    /// Nodes of the DHT that have answered, of all torrents; `None` as long as it is not asked.
    pub(crate) fn dht_nodes(&self, done: &Total) -> Option<usize> {
        self.0.iter().map(|run| run.interim.so_far().dht_nodes).fold(done.dht_nodes, sum)
    }

    /// A line for each torrent, and one for all of several; none where none runs.
    pub(crate) fn lines(&self, done: &Total) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let each = self.0.iter().map(|run| line(&run.name, run.begun.elapsed(), run.interim.so_far()));
        let mut lines: Vec<String> = each.collect();
        if done.torrents > 1 {
            let told = SoFar {
                named: done.peers,
                ok: done.ok,
                failed: done.peers - done.ok,
                in_flight: 0,
                trackers: done.trackers,
                trackers_ok: done.trackers_ok,
                web_seeds: done.web_seeds,
                web_seeds_complete: done.web_seeds_complete,
                dht_nodes: done.dht_nodes,
            };
            let all = self.0.iter().fold(told, |sum, run| plus(sum, run.interim.so_far()));
            let name = format!("{} of {} running", self.0.len(), plural(done.torrents, "torrent"));
            lines.push(line(&name, done.begun.elapsed(), all));
        }
        lines
    }
}

fn plus(one: SoFar, other: SoFar) -> SoFar {
    SoFar {
        named: one.named + other.named,
        ok: one.ok + other.ok,
        failed: one.failed + other.failed,
        in_flight: one.in_flight + other.in_flight,
        trackers: one.trackers + other.trackers,
        trackers_ok: one.trackers_ok + other.trackers_ok,
        web_seeds: one.web_seeds + other.web_seeds,
        web_seeds_complete: one.web_seeds_complete + other.web_seeds_complete,
        dht_nodes: sum(one.dht_nodes, other.dht_nodes),
    }
}

/// Of what some runs do not have.
fn sum(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    one.into_iter().chain(other).reduce(|one, other| one + other)
}

fn line(name: &str, elapsed: Duration, so_far: SoFar) -> String {
    let SoFar { named, ok, failed, in_flight, trackers, trackers_ok, web_seeds, web_seeds_complete, dht_nodes } =
        so_far;
    let peers = format!("{} named, {ok} answered, {failed} failed, {in_flight} in flight", plural(named, "peer"));
    let web_seeds = match web_seeds {
        0 => String::new(),
        checked => format!("; {web_seeds_complete} of {} complete", plural(checked, "web seed")),
    };
    let trackers = plural(trackers, "tracker request");
    let dht = dht_nodes.map(|nodes| format!("; {} answered", plural(nodes, "DHT node"))).unwrap_or_default();
    format!("{name}: after {}: {peers}; {trackers_ok} of {trackers} answered{web_seeds}{dht}", time(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_it_all() {
        let trackers = SoFar { trackers: 2, trackers_ok: 1, ..SoFar::default() };
        let so_far = SoFar { named: 12, ok: 3, failed: 4, in_flight: 5, ..trackers };
        assert_eq!(
            line("a.torrent", Duration::from_millis(3200), plus(so_far, SoFar { named: 1, ..SoFar::default() })),
            "a.torrent: after 3.20 s: 13 peers named, 3 answered, 4 failed, 5 in flight; 1 of 2 tracker requests answered"
        );
        let of_dht = |nodes| line("a", Duration::ZERO, SoFar { dht_nodes: nodes, ..trackers });
        assert!(
            of_dht(Some(1)).ends_with(" answered; 1 DHT node answered") && of_dht(None).ends_with("requests answered")
        );
        assert_eq!([sum(None, None), sum(Some(2), None), sum(Some(2), Some(3))], [None, Some(2), Some(5)]);
        let web_seeds = SoFar { web_seeds: 3, web_seeds_complete: 1, ..SoFar::default() };
        let line = line("a", Duration::ZERO, plus(trackers, web_seeds));
        assert!(line.ends_with("; 1 of 2 tracker requests answered; 1 of 3 web seeds complete"), "{line}");
    }
}
