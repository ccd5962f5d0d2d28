//! What the peers that answered have between them: roles, copies, and which endpoints are one client.

pub(crate) mod availability;
pub(crate) mod clients;
pub(crate) mod judge;
pub(crate) mod role;
pub(crate) mod tally;

use crate::census::availability::Availability;
use crate::census::clients::{Clients, Met};
use crate::census::role::{may_hide, scattered_holes};
use crate::dial::story::Story;
use crate::torrent_ref::TorrentRef;
use guard::Secrets;
use metainfo::Hashes;
use peer_session::{Advertised, PieceCount, Pieces};
use peer_wire::ExtensionHandshake;
use report::{Coverage, MatchedHash, Outcome, PeerReport, Role, RoleFrom, Summary, SwarmView, TrackerReport};
use std::ops::RangeInclusive;

/// Candidates that there must be before they are compared: the holes of two may be alike by chance.
const ENOUGH: u32 = 4;

/// What is known of a swarm so far.
#[derive(Debug)]
pub(crate) struct Census {
    /// While it is not known, peers are not compared with others.
    pieces: PieceCount,
    /// Whether it may become known.
    may_be_learned: bool,
    /// Peers that have said which pieces they have, while the number of pieces may become known.
    undecided: Vec<Story>,
    /// What no report may show.
    secrets: Secrets,
    clients: Clients,
    availability: Availability,
    /// Peers that may be seeds, withheld until every piece they lack was seen elsewhere and enough candidates can be compared.
    waiting: Vec<Candidate>,
    waiting_bytes: usize,
    max_waiting_bytes: usize,
    /// Peers that lack a few scattered pieces.
    candidates: u32,
    /// By piece, how many of them lack it. Empty until there is one; then it is as large as the torrent has pieces, however
    /// many peers there are.
    lacking: Vec<u32>,
    /// Endpoints that say they have everything; of these, those that may be a client that is counted already.
    seeds: usize,
    maybe_seeds: usize,
    told: usize,
    empty: usize,
    /// Clients that may have everything and hide it.
    may_hide: usize,
    silent_closers: usize,
    /// The most seeds that a tracker claims.
    claimed_seeds: Option<u32>,
    list_complete: Option<bool>,
    /// Web seeds that were named and not asked.
    web_seeds: usize,
}

/// A peer that lacks a few scattered pieces.
#[derive(Debug)]
struct Candidate {
    report: PeerReport,
    holes: Vec<u32>,
}

impl Census {
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        pieces: PieceCount,
        secrets: Secrets,
        max_waiting_bytes: usize,
    ) -> Self {
        Self {
            pieces,
            may_be_learned: torrent_ref.may_be_learned,
            undecided: Vec::new(),
            secrets,
            clients: Clients::default(),
            availability: Availability::new(torrent_ref.pieces),
            waiting: Vec::new(),
            waiting_bytes: 0,
            max_waiting_bytes,
            candidates: 0,
            lacking: Vec::new(),
            seeds: 0,
            maybe_seeds: 0,
            told: 0,
            empty: 0,
            may_hide: 0,
            silent_closers: 0,
            claimed_seeds: None,
            list_complete: None,
            web_seeds: 0,
        }
    }

    /// Takes in a peer, and adds the reports that can be told now: this one, or others that had to wait for it.
    pub(crate) fn take(&mut self, story: Story, told: &mut Vec<PeerReport>) {
        if story.report.outcome != Outcome::Ok {
            return told.push(story.report);
        }
        let has_stated_pieces = story.said.pieces != Pieces::Unknown;
        if has_stated_pieces && self.may_be_learned && self.pieces.get().is_none() {
            let bytes = self.waiting_bytes + story.bytes();
            if bytes <= self.max_waiting_bytes {
                self.waiting_bytes = bytes;
                return self.undecided.push(story);
            }
        }
        self.decide(story, told);
    }

    /// Takes in that as many web seeds will not be asked.
    pub(crate) fn leave_out_web_seeds(&mut self, count: usize) {
        self.web_seeds += count;
    }

    /// Takes in that the number of pieces is known, and adds the reports of the peers that waited for it; which of the torrent's
    /// hashes they matched is known now, too.
    pub(crate) fn learned(&mut self, hashes: Hashes, told: &mut Vec<PeerReport>) {
        for Story { report, .. } in &mut self.undecided {
            report.matched_hash = report.theirs.map(|theirs| MatchedHash::of(&theirs, hashes));
        }
        self.availability.learn(self.pieces.get());
        self.decide_all(told);
    }

    /// Nothing more can become known of the torrent.
    fn decide_all(&mut self, told: &mut Vec<PeerReport>) {
        self.may_be_learned = false;
        let undecided = std::mem::take(&mut self.undecided);
        self.waiting_bytes = self.waiting.iter().map(Candidate::bytes).sum();
        undecided.into_iter().for_each(|story| self.decide(story, told));
    }

    /// Judges a peer by itself, and compares it with the others.
    fn decide(&mut self, mut story: Story, told: &mut Vec<PeerReport>) {
        let pieces = self.pieces.get();
        let silence = story.judge(pieces, &self.secrets);
        let Story { mut report, said } = story;
        let said = &said;
        self.count(&report, said);
        match self.clients.meet(&report, &said.pieces, pieces) {
            Met::New => {}
            Met::Again(first) => {
                report.same_as = Some(first);
                return told.push(report);
            }
            Met::MaybeAgain(first) => {
                report.maybe_same_as = Some(first);
                self.availability.add_maybe(&said.pieces, report.role);
                self.maybe_seeds += usize::from(report.role == Role::Seed);
                return told.push(report);
            }
            Met::Instead(first) => {
                (report.same_as, report.counts_instead) = (Some(first), true);
                self.availability.forget_silent();
            }
        }
        let news = self.availability.add(&said.pieces, report.role);
        self.may_hide += usize::from(may_hide(report.role, said, silence));
        // A lazy seed that says that it wants nothing more is not yet a peer that has chosen some of the files.
        let lacks_some = matches!(report.role, Role::Leech | Role::PartialSeed);
        let candidate = pieces.and_then(|pieces| scattered_holes(said, pieces)).filter(|_| lacks_some);
        match candidate {
            None => told.push(report),
            Some(holes) => self.take_candidate(Candidate { report, holes }, told),
        }
        if news && self.candidates >= ENOUGH {
            self.judge_waiting(told);
        }
    }

    /// Counts an endpoint, whatever client is there.
    fn count(&mut self, report: &PeerReport, said: &Advertised) {
        self.seeds += usize::from(report.role == Role::Seed);
        let has_some = said.pieces.is_some();
        let is_empty = !has_some && report.role == Role::Leech;
        self.told += usize::from(has_some || (is_empty && said.pieces != Pieces::Unknown));
        self.empty += usize::from(is_empty);
        self.silent_closers += usize::from(!report.is_witness());
    }

    /// Takes in a peer that may be a seed. Those that wait are judged anew each time there are twice as many to be
    /// compared with.
    fn take_candidate(&mut self, candidate: Candidate, told: &mut Vec<PeerReport>) {
        self.candidates += 1;
        self.lacking.resize(self.pieces.get().unwrap_or_default() as usize, 0);
        for &hole in &candidate.holes {
            if let Some(count) = self.lacking.get_mut(hole as usize) {
                *count += 1;
            }
        }
        if self.candidates >= ENOUGH && self.is_likely_seed(&candidate.holes) {
            told.push(self.likely_seed(candidate));
        } else {
            let bytes = self.waiting_bytes + candidate.bytes();
            if bytes > self.max_waiting_bytes {
                return told.push(candidate.report);
            }
            self.waiting_bytes = bytes;
            self.waiting.push(candidate);
        }
        if self.candidates >= ENOUGH && self.candidates.is_power_of_two() {
            self.judge_waiting(told);
        }
    }

    /// Adds the reports that still wait, judged by what is known in the end.
    pub(crate) fn finish(&mut self, told: &mut Vec<PeerReport>) {
        self.decide_all(told);
        self.judge_waiting(told);
        told.extend(self.waiting.drain(..).map(|candidate| candidate.report));
    }

    /// Takes in what a tracker says of the swarm.
    pub(crate) fn take_tracker(&mut self, report: &TrackerReport) {
        self.claimed_seeds = self.claimed_seeds.max(report.seeders);
        let (Some(named), Some(seeders), Some(leechers)) = (report.peers, report.seeders, report.leechers) else {
            return;
        };
        // One of the leechers it counts is ourselves.
        let others = (u64::from(seeders) + u64::from(leechers)).saturating_sub(1);
        let whole = named.total() as u64 >= others;
        self.list_complete = Some(self.list_complete.unwrap_or(true) && whole);
    }

    /// What the peers have between them, of those that `summary` counts.
    pub(crate) fn view(&self, summary: &Summary) -> SwarmView {
        let of = |role| summary.roles.get(&role).copied().unwrap_or_default();
        let mut coverage = Coverage::default();
        coverage.transports = summary.swarm.coverage.transports;
        (coverage.named, coverage.reached) = (summary.peers, summary.ok);
        (coverage.with_piece_info, coverage.empty, coverage.may_hide) = (self.told, self.empty, self.may_hide);
        coverage.silent_closers = self.silent_closers;
        coverage.list_complete = self.list_complete;
        coverage.web_seeds_unchecked = self.web_seeds;
        let mut swarm = SwarmView::default();
        swarm.copies = self.availability.copies();
        swarm.missing = self.missing().map(|missing| ranges(&missing));
        swarm.claimed_seeds = self.claimed_seeds;
        swarm.verified_seeds = of(Role::Seed);
        swarm.verified_seeds_max = of(Role::Seed) + self.maybe_seeds;
        swarm.seed_endpoints = self.seeds;
        swarm.likely_seeds = of(Role::LikelySeed) + of(Role::SuperSeed);
        swarm.coverage = coverage;
        swarm
    }

    /// The pieces that no peer has; a peer that may hide everything may have them.
    fn missing(&self) -> Option<Vec<u32>> {
        self.availability.missing().filter(|missing| missing.is_empty() || self.may_hide == 0)
    }

    fn judge_waiting(&mut self, told: &mut Vec<PeerReport>) {
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|candidate: &Candidate| self.is_likely_seed(&candidate.holes));
        self.waiting = waiting;
        self.waiting_bytes = self.waiting.iter().map(Candidate::bytes).sum();
        told.extend(ready.into_iter().map(|candidate| self.likely_seed(candidate)));
    }

    /// Whether a peer with these holes is a likely seed: other peers have each of them, and most of them are its own, not those of
    /// half of the other candidates. Leechers of the same source lack the same pieces.
    fn is_likely_seed(&self, holes: &[u32]) -> bool {
        let others = self.candidates.saturating_sub(1);
        let lacked_by_others =
            |hole: &&u32| self.lacking.get(**hole as usize).map_or(0, |count| count.saturating_sub(1));
        let shared = holes.iter().filter(|hole| others > 0 && 2 * lacked_by_others(hole) >= others).count();
        2 * shared < holes.len() && self.availability.has_all_of(holes)
    }

    fn likely_seed(&mut self, candidate: Candidate) -> PeerReport {
        let Candidate { mut report, holes } = candidate;
        self.availability.add_likely(&holes);
        (report.role, report.role_from) = (Role::LikelySeed, RoleFrom::ScatteredHoles);
        report
    }
}

impl Story {
    fn bytes(&self) -> usize {
        let said = bytes_of_extension(self.said.extension.as_deref()) + self.said.pieces.bytes();
        size_of::<Self>() + bytes_of(&self.report) + said
    }
}

impl Candidate {
    fn bytes(&self) -> usize {
        size_of::<Self>() - size_of::<PeerReport>() + size_of_val(&*self.holes) + bytes_of(&self.report)
    }
}

/// Bytes of memory that a report takes, with all that a peer can make large.
fn bytes_of(report: &PeerReport) -> usize {
    let PeerReport { sources, attempts, oddities, error, .. } = report;
    let texts = attempts.iter().map(|attempt| &attempt.error).chain([error]).flatten().map(String::len);
    let lists = size_of_val(&**sources) + size_of_val(&**attempts) + size_of_val(&**oddities);
    size_of::<PeerReport>() + lists + texts.sum::<usize>() + bytes_of_extension(report.extension.as_deref())
}

fn bytes_of_extension(extension: Option<&ExtensionHandshake>) -> usize {
    /// A name in a map and what stands beside it: its block, and its place in a node that may be half empty.
    const ENTRY: usize = 64;
    extension.map_or(0, |extension| {
        let names: usize = extension.extensions.keys().map(|name| name.len() + ENTRY).sum();
        size_of_val(extension) + names + extension.client.as_ref().map_or(0, String::len)
    })
}

/// Numbers in order, neighbours together.
fn ranges(numbers: &[u32]) -> Vec<RangeInclusive<u32>> {
    let neighbours = numbers.chunk_by(|a, b| a + 1 == *b);
    neighbours.filter_map(|run| Some(*run.first()?..=*run.last()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_swarm::torrent::SingleFile;
    use metainfo::Torrent;
    use report::Stage;
    use tracker::PeerAddress;

    /// A candidate that lacks the first piece, which no peer has, and whose extension handshake is as large as
    /// one may be.
    fn large(port: u16) -> Candidate {
        let name = |n| format!("{n:0width$}", width = ExtensionHandshake::MAX_EXTENSION_NAME);
        let extension = ExtensionHandshake {
            extensions: (0..ExtensionHandshake::MAX_EXTENSIONS).map(|n| (name(n), 1)).collect(),
            client: Some("x".repeat(ExtensionHandshake::MAX_CLIENT)),
            ..ExtensionHandshake::default()
        };
        let address = PeerAddress::Socket(([127, 0, 0, 1], port).into());
        let mut report = PeerReport::new(address, Outcome::Ok, Stage::Done);
        report.extension = Some(Box::new(extension));
        Candidate { report, holes: vec![0, 2, 4] }
    }

    const MAX: usize = 4 << 20;

    #[test]
    fn reports_that_wait_take_so_many_bytes_and_no_more() {
        let file = SingleFile { piece_length: 1 << 14, ..SingleFile::new("lab.bin", 100 << 14) };
        let torrent_ref = TorrentRef::from(&Torrent::parse(&file.to_bytes()).unwrap());
        let mut census = Census::new(&torrent_ref, torrent_ref.pieces.into(), Secrets::default(), MAX);
        let each = large(0).bytes();
        let fit = MAX / each;
        assert!(each > 4 << 10 && fit < 1024, "{each}");
        let told: Vec<usize> = (0..1100)
            .map(|port| {
                let mut told = Vec::new();
                census.take_candidate(large(port), &mut told);
                told.len()
            })
            .collect();
        assert_eq!(told.iter().position(|&told| told > 0), Some(fit));
        assert!(told.iter().skip(fit).all(|&told| told == 1));
        assert_eq!((census.waiting.len(), census.lacking.len()), (fit, 100));
        let mut told = Vec::new();
        census.finish(&mut told);
        assert_eq!(told.len(), fit);
    }

    #[test]
    fn neighbours_are_one_range() {
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), [0..=2, 5..=5, 7..=8]);
    }
}
