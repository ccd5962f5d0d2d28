//! Web seeds as a source: servers that have the files themselves (BEP 17, 19). They name no peers; each is asked for a few small
//! ranges, or for a whole piece as a proof, and nothing of what it sends is kept.
//!
//! A web seed of a torrent or magnet link is untrusted: [`guard::AddressPolicy`] judges each address after the look-up, also
//! after each redirect, and the address that was checked is the one that is dialled.

pub(crate) mod check;
pub(crate) mod choose;
pub(crate) mod context;
pub(crate) mod fault;
pub(crate) mod hop;
pub(crate) mod open;
pub(crate) mod plan;
pub(crate) mod planned_file;
pub(crate) mod ports;
pub(crate) mod proof;

use crate::config::Config;
use crate::discovery::source::{Activity, Found, PeerSource};
use crate::discovery::web_seeds::check::check;
use crate::discovery::web_seeds::choose::{Choice, WebSeed, choose};
use crate::discovery::web_seeds::context::CheckContext;
use crate::discovery::web_seeds::fault::SkipReason;
use crate::discovery::web_seeds::plan::Plan;
use crate::error::Error;
use crate::net::stop::Stopped;
use crate::net::task::settled;
use crate::shared::Shared;
use crate::torrent_ref::{Content, Proof, TorrentRef};
use guard::Secrets;
use metainfo::Torrent;
use report::WebSeedReport;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::JoinSet;
use tracker::Host;

/// All web seeds of a run.
#[derive(Debug)]
pub(crate) struct WebSeeds {
    context: Arc<CheckContext>,
    /// The hosts of the torrent's trackers.
    own_hosts: Arc<HashSet<Host>>,
    /// Not asked yet.
    waiting: VecDeque<WebSeed>,
    /// The piece to prove it by, if that is wanted.
    proof: Option<Proof>,
    /// What each is asked; `None` until the files are known.
    plan: Option<Arc<Plan>>,
    tasks: JoinSet<WebSeedReport>,
    /// Reports that have not been given out.
    found: VecDeque<WebSeedReport>,
    stopped: Stopped,
}

impl PeerSource for WebSeeds {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            if self.stopped.is_set() {
                self.skip_waiting(SkipReason::RunEnded);
            }
            if let Some(report) = self.found.pop_front() {
                return Poll::Ready(Some(Found::WebSeed(Box::new(report))));
            }
            self.begin();
            match ready!(self.tasks.poll_join_next(context)) {
                Some(report) => self.found.push_back(settled(report)),
                None => return Poll::Ready(None),
            }
        }
    }

    /// Checks do not put the run's deadline off, also while they wait for the turn that runs share.
    fn activity(&self) -> Activity {
        let is_due = self.plan.is_some() && !self.waiting.is_empty();
        if self.found.is_empty() && self.tasks.is_empty() && !is_due { Activity::Idle } else { Activity::Busy }
    }

    /// BEP 27 says "peers", and of web seeds nothing. A server of the tracker's own host knows of us anyway.
    fn keep_to_private_rules(&mut self) {
        for mut seed in std::mem::take(&mut self.waiting) {
            if self.own_hosts.contains(seed.url.host()) {
                seed.only_hosts = Some(Arc::clone(&self.own_hosts));
                self.waiting.push_back(seed);
            } else {
                self.found.push_back(seed.skipped(SkipReason::Private));
            }
        }
    }

    fn learn(&mut self, torrent: &Torrent) {
        if self.plan.is_none() {
            self.plan(&Content::from(torrent));
        }
    }

    fn prove_by(&mut self, proof: Proof) {
        self.proof = Some(proof);
    }

    fn stop_waiting(&mut self) {
        if self.plan.is_none() {
            self.skip_waiting(SkipReason::FilesUnknown);
        }
    }
}

impl WebSeeds {
    /// Chooses the web seeds; nothing is sent yet.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &mut Config,
        shared: &Shared,
        stopped: Stopped,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        let by_user = std::mem::take(&mut config.web_seeds);
        let context = CheckContext::new(torrent_ref, config, shared, secrets)?;
        let Choice { seeds, unusable, own_hosts } = choose(torrent_ref, by_user, &context);
        let mut web_seeds = Self {
            context: Arc::new(context),
            own_hosts,
            waiting: seeds,
            proof: torrent_ref.proof.filter(|_| config.web_seed_proof),
            plan: None,
            tasks: JoinSet::new(),
            found: unusable,
            stopped,
        };
        if let Some(content) = &torrent_ref.content {
            web_seeds.plan(content);
        }
        if torrent_ref.private == Some(true) {
            web_seeds.keep_to_private_rules();
        }
        Ok(web_seeds)
    }

    fn plan(&mut self, content: &Content) {
        // Walking the list of a million files takes a while.
        if !self.waiting.is_empty() {
            self.plan = Plan::new(content, self.proof, &self.context).map(Arc::new);
        }
    }

    /// Begins what may begin now.
    fn begin(&mut self) {
        let Some(plan) = &self.plan else { return };
        while self.tasks.len() < self.context.limits.web_seeds_at_once.max(1)
            && let Some(seed) = self.waiting.pop_front()
        {
            self.tasks.spawn(check(seed, Arc::clone(plan), Arc::clone(&self.context), self.stopped.clone()));
        }
    }

    /// Reports all that have not begun.
    fn skip_waiting(&mut self, why: SkipReason) {
        self.found.extend(self.waiting.drain(..).map(|seed| seed.skipped(why)));
    }
}
