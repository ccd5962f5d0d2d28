//! What a run saw of a torrent: the observation that is kept, and what is shown in the run alone.

use crate::conditions::Conditions;
use crate::human::verdict::missing;
use crate::input::Input;
use crate::label::Label;
use crate::recorder::Recorder;
use client::{CutShort, Event, Outcome, PeerReport, Role, Summary};
use guard::escape;
use history::{MetSeeds, Recorded};
use report::{Observation, Subject, Tally};
use std::time::Duration;
use tracker::PeerAddress;

/// Seeds of a torrent that are remembered by address until its next round, in memory alone: more are told as a number.
const MOST_SEEDS: usize = 64;

/// What a run saw of a torrent.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What the torrent is called.
    pub(crate) label: Label,
    pub(crate) observation: Observation,
    /// What came of recording it.
    pub(crate) recorded: Option<Recorded>,
    /// Verified seeds, at most [`MOST_SEEDS`].
    pub(crate) seeds: Vec<Seed>,
    /// What is missing, in words.
    pub(crate) missing: Option<String>,
    /// What does not hold that there are rounds until it does.
    pub(crate) unmet: Vec<String>,
}

/// A verified seed. Its address is shown, and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    pub(crate) address: PeerAddress,
    pub(crate) client: Option<String>,
}

/// Takes in the events of a run.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    tally: Tally,
    seeds: Vec<Seed>,
    met: MetSeeds,
}

impl Observer {
    /// Takes in an event.
    pub(crate) fn count(&mut self, input: &Input, event: &Event, recorder: &Recorder) {
        self.tally.count(event);
        if let Event::Peer(report) = event {
            recorder.met(input.info_hash(), report, &mut self.met);
            self.seed(report);
        }
    }

    fn seed(&mut self, report: &PeerReport) {
        let is_seed = report.outcome == Outcome::Ok && report.role == Role::Seed && report.counts_as_client();
        if is_seed && self.seeds.len() < MOST_SEEDS {
            self.seeds.push(Seed { address: report.address.clone(), client: report.client() });
        }
    }

    /// What was seen of a run with this summary, recorded as of the round that began at this time; `None` of one that was
    /// interrupted, which saw a part of the swarm.
    pub(crate) async fn end(
        self,
        input: &Input,
        summary: &Summary,
        (recorder, at_ms): (&Recorder, i64),
        until: Option<&Conditions>,
    ) -> Option<Seen> {
        if summary.cut_short == Some(CutShort::Interrupt) {
            return None;
        }
        let subject = Subject {
            info_hash: input.info_hash(),
            name: input.name().map(|name| String::from_utf8_lossy(&name).into_owned()),
            size_bytes: input.torrent_ref.total_size,
            pieces: input.torrent_ref.pieces,
        };
        let mut observation = self.tally.observation(subject, at_ms)?;
        let recorded = recorder.record(&mut observation, self.met).await;
        let missing = missing(input, &summary.swarm);
        let unmet = until.map(|until| until.unmet(summary).collect()).unwrap_or_default();
        Some(Seen { label: Label::of(input), observation, recorded, seeds: self.seeds, missing, unmet })
    }
}

impl Seen {
    /// For how long the verdict has been the same, where the database tells.
    pub(crate) fn since(&self) -> Option<Duration> {
        let since = self.observation.at_ms.checked_sub(self.recorded.as_ref()?.since_ms?)?;
        u64::try_from(since).ok().filter(|ms| *ms > 0).map(Duration::from_millis)
    }
}

impl Seed {
    /// `qBittorrent 5.1.0 at 198.51.100.23`, without the port: one seed of an address is known by its client.
    pub(crate) fn shown(&self) -> String {
        let host = match &self.address {
            PeerAddress::Socket(address) => address.ip().to_string(),
            PeerAddress::Host(host, _) => host.to_string(),
        };
        match &self.client {
            Some(client) => format!("{} at {host}", escape(client)),
            None => format!("the seed at {host}"),
        }
    }
}
