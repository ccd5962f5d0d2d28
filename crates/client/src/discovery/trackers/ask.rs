//! One question to one address of a tracker, unless it is known to be silent; scrapes together with those of other runs.

use crate::discovery::trackers::context::AnnounceContext;
use crate::discovery::trackers::ending::Ending;
use crate::discovery::trackers::exchange::{Answer, Progress, converse};
use crate::discovery::trackers::job::Action;
use crate::discovery::trackers::query::{Asking, Query};
use crate::discovery::trackers::turn::Turn;
use crate::discovery::trackers::waits::Why;
use crate::shared::hosts::batches::{First, Joined, Later, Outcome, Where};
use crate::shared::hosts::silence::{Endpoint, Evidence, Question};
use report::Standing;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tracker::Scheme;

/// How long the first of several runs' scrapes waits for the others: too short for a user to notice, and long enough to read a
/// hundred small torrents.
const GATHERING: Duration = Duration::from_millis(50);

impl Query {
    /// Asks at one address.
    pub(crate) async fn ask_at(
        &self,
        mut asking: Asking<'_>,
        context: &AnnounceContext,
        progress: &mut Progress,
    ) -> Result<Answer, Ending> {
        progress.address = Some(asking.address);
        if self.job.action == Action::Scrape && self.job.redirect.is_none() {
            // BEP 48: a tracker without a scrape URL is not asked, and not connected to.
            if !self.job.has_scrape() {
                return Err(Ending::ScrapeUnsupported);
            }
            if context.shared.tracker_hosts().is_scraped_by_several()
                && let Some(answer) = self.ask_together(&mut asking, context, progress).await?
            {
                return Ok(answer);
            }
        }
        self.ask_now(None, &mut asking, context, progress).await
    }

    /// Asks in one request with the scrapes of other runs; `None` when the answer does not contain this torrent.
    async fn ask_together(
        &self,
        asking: &mut Asking<'_>,
        context: &AnnounceContext,
        progress: &mut Progress,
    ) -> Result<Option<Answer>, Ending> {
        let url = match self.job.url.scheme() {
            Scheme::Udp => self.job.url.clone(),
            _ => self.job.url.scrape().ok_or(Ending::ScrapeUnsupported)?,
        };
        let to = Where { url, address: asking.address, ours: context.ours };
        let answer = match context.shared.tracker_hosts().batches.join(&to, self.info_hash) {
            Joined::First(first) => {
                sleep_until(Instant::now() + GATHERING).await;
                match self.ask_now(Some(first), asking, context, progress).await {
                    // Not every tracker answers a question about many torrents: from now on it is asked about one by one.
                    Err(status) if progress.asked_about > 1 && status.standing() != Standing::LocalFault => {
                        context.shared.tracker_hosts().batches.give_up(to);
                        *asking.deadline = Instant::now() + context.limits.tracker_time;
                        None
                    }
                    asked => Some(asked?),
                }
            }
            Joined::Later(later) => {
                let mut heard = Box::pin(heard(later, asking, progress));
                context.waits.answer(heard.as_mut(), || {}).await
            }
            Joined::Alone => None,
        };
        let has_ours = |answer: &Answer| match answer {
            Answer::Scraped(scraped) => scraped.counts(self.info_hash).is_some() || progress.together < 2,
            Answer::Announced(_) => true,
        };
        Ok(answer.filter(has_ours))
    }

    /// Waits for the turn, which puts off the deadline: that wait is not the tracker's fault. An endpoint that is found silent
    /// meanwhile is not asked.
    async fn turn<'c>(
        &self,
        asking: &mut Asking<'_>,
        context: &'c AnnounceContext,
    ) -> Result<(Turn, Question<'c>), Ending> {
        let endpoint = Endpoint::of(&self.job.url, asking.address);
        let silences = &context.shared.tracker_hosts().silences;
        loop {
            let mut waiting = Instant::now();
            while let Some(ended) = silences.suspicion(&endpoint, Instant::now()) {
                let _wait = context.waits.enter(Why::Answer);
                ended.await;
            }
            *asking.deadline += waiting.elapsed();
            silences.look(&endpoint, Instant::now())?;
            waiting = Instant::now();
            let queue = context.waits.enter(Why::Turn);
            let turn = Turn::question(context, &self.job, asking.address).await;
            drop(queue);
            *asking.deadline += waiting.elapsed();
            // The turn may come because another question to the same endpoint is late, and has stepped aside.
            if silences.suspicion(&endpoint, Instant::now()).is_some() {
                turn.end(context);
                continue;
            }
            let question = silences.ask(endpoint, Instant::now())?;
            return Ok((turn, question));
        }
    }

    /// Waits for the turn, and asks: for all of a batch, if this is the first of one.
    async fn ask_now(
        &self,
        first: Option<First<'_>>,
        asking: &mut Asking<'_>,
        context: &AnnounceContext,
        progress: &mut Progress,
    ) -> Result<Answer, Ending> {
        let (mut turn, question) = self.turn(asking, context).await?;
        let info_hashes = first.as_ref().map_or_else(|| vec![self.info_hash], First::gathered);
        progress.asked_about = info_hashes.len();
        let until = self.until(*asking.deadline, asking.index);
        // On the heap, so that a question that waits, as thousands may, does not take the space of both.
        let mut slot = turn.permit();
        let conversation = Box::pin(converse(&self.job, &info_hashes, context, until, &mut turn, progress));
        let asked = context.waits.answer(conversation, || slot.step_aside(context.shared.tracker_hosts())).await;
        turn.end(context);
        match &asked {
            // Silence after a question about many torrents says nothing about one.
            Err(status) if info_hashes.len() > 1 && matches!(status.evidence(), Evidence::Silent(_)) => {
                question.learn(Evidence::None);
            }
            asked => question.learn(asked.as_ref().err().map_or(Evidence::Answered, Ending::evidence)),
        }
        if let (Some(first), Ok(Answer::Scraped(scraped))) = (first, &asked) {
            let Progress { together, http_status, times, .. } = *progress;
            first.tell(Outcome { scraped: scraped.clone(), together, http_status, times });
        }
        asked
    }
}

/// The answer to another run's request, if it has one.
async fn heard(later: Later, asking: &mut Asking<'_>, progress: &mut Progress) -> Option<Answer> {
    let waiting = Instant::now();
    let outcome = later.outcome().await;
    *asking.deadline += waiting.elapsed();
    let Outcome { scraped, together, http_status, times } = outcome?;
    (progress.together, progress.http_status, progress.times) = (together, http_status, times);
    Some(Answer::Scraped(scraped))
}
