//! A round: a run about each of several torrents, at the same time within the permits, quotas and pace of the process.

use crate::origin::Origin;
use crate::rounds::carried::Carried;
use crate::run::{Context, Ran, run};
use crate::signals::{Signals, Wish};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// How often the progress is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// How often the time that is left until the next round is drawn anew.
const SECOND: Duration = Duration::from_secs(1);

/// A torrent of a round: its place in the list, where it comes from, and what its run takes over.
pub(crate) type Job = (usize, Origin, Carried);

/// What runs have, and what ends them.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) context: Context,
    pub(crate) signals: Signals,
    pub(crate) interrupt: watch::Sender<bool>,
    /// Whether the user has interrupted.
    pub(crate) heard: bool,
    /// Most torrents at once.
    pub(crate) jobs: usize,
}

/// The user's second interrupt: the end, at once.
#[derive(Debug)]
pub(crate) struct AtOnce;

impl Runs {
    /// Whether the user has interrupted, or the time is up.
    pub(crate) fn is_interrupted(&self) -> bool {
        *self.interrupt.borrow()
    }

    /// Begins a round, and gives its time: milliseconds since 1970.
    pub(crate) async fn begin(&mut self) -> Result<i64, AtOnce> {
        self.context.output.lock().begin_round();
        let recorder = self.context.recorder.clone();
        // Another program may hold the database for some seconds.
        self.until_done(recorder.begin_round()).await
    }

    /// Ends a round. Whether all of it is kept.
    pub(crate) async fn end(&mut self) -> Result<bool, AtOnce> {
        let recorder = self.context.recorder.clone();
        self.until_done(recorder.end_round()).await
    }

    /// Runs each job of the round that began at `at_ms`, until `deadline` if there is one, and gives each to `ended` as it ends. Of
    /// those that have not begun when it is interrupted nothing is heard but what they take over.
    pub(crate) async fn each(
        &mut self,
        at_ms: i64,
        jobs: impl Iterator<Item = Job>,
        deadline: Option<Instant>,
        mut ended: impl FnMut(usize, Option<Ran>, Carried),
    ) -> Result<(), AtOnce> {
        let (mut waiting, mut running) = (jobs, JoinSet::new());
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while running.len() < self.context.shared.runs().min(self.jobs)
                && !self.is_interrupted()
                && !self.context.output.lock().is_closed()
                && let Some((n, origin, mut carried)) = waiting.next()
            {
                let context = self.context.clone();
                running.spawn(async move {
                    let ran = run(&origin, &mut carried, context, at_ms).await;
                    (n, ran, carried)
                });
            }
            tokio::select! {
                ran = running.join_next() => match ran {
                    Some(Ok((n, ran, carried))) => ended(n, Some(ran), carried),
                    // A panic is a defect of this program, and goes on here.
                    Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                    None => break,
                },
                wish = self.signals.next() => self.heed(wish)?,
                () = until(deadline), if !self.is_interrupted() => {
                    self.interrupt.send_replace(true);
                }
                // Also where nothing is drawn: another run may begin.
                _ = tick.tick() => {
                    self.draw();
                    self.end_if_failed();
                }
            }
        }
        waiting.for_each(|(n, _, carried)| ended(n, None, carried));
        Ok(())
    }

    /// Does what a signal asks for. The first one to end ends the runs, which say goodbye; the second one means now.
    fn heed(&mut self, wish: Wish) -> Result<(), AtOnce> {
        match wish {
            Wish::HowFar => self.context.output.lock().how_far(),
            Wish::EndOnce if self.is_interrupted() => {}
            Wish::End | Wish::EndOnce => {
                self.context.output.lock().progress.interrupted();
                self.interrupt.send_replace(true);
                if std::mem::replace(&mut self.heard, true) {
                    return Err(AtOnce);
                }
            }
        }
        Ok(())
    }

    /// Ends runs whose results cannot be written, also those that wait.
    fn end_if_failed(&self) {
        if self.context.output.lock().has_failed() && !self.is_interrupted() {
            self.interrupt.send_replace(true);
        }
    }

    fn draw(&self) {
        let mut output = self.context.output.lock();
        output.progress.in_flight(self.context.shared.in_flight());
        let dht_nodes = output.running.dht_nodes(&output.total);
        output.progress.dht(dht_nodes);
        output.progress.draw();
    }

    /// Waits for the next round, the deadline or a signal.
    pub(crate) async fn until_due(&mut self, due: Instant, deadline: Option<Instant>) -> Result<(), AtOnce> {
        self.context.output.lock().progress.wait_until(Some(due));
        let mut tick = interval(SECOND);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_interrupted() {
            tokio::select! {
                () = sleep_until(due) => break,
                () = until(deadline) => {
                    self.interrupt.send_replace(true);
                }
                wish = self.signals.next() => self.heed(wish)?,
                _ = tick.tick() => self.context.output.lock().progress.draw(),
            }
        }
        self.context.output.lock().progress.wait_until(None);
        Ok(())
    }

    /// Waits for work that is done at the end, which a second interrupt leaves undone.
    pub(crate) async fn until_done<T>(&mut self, work: impl Future<Output = T>) -> Result<T, AtOnce> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                wish = self.signals.next() => self.heed(wish)?,
            }
        }
    }
}

/// Waits until then; for ever if that is never.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
