//! The main job again and again: rounds that never overlap, a line for each, and a summary at the end.

pub(crate) mod carried;
pub(crate) mod changed;
mod clock;
mod ending;
mod kept;
mod range;
pub(crate) mod schedule;
mod told;
mod words;

use crate::exit::{Exit, eprint_error};
use crate::input::{Contents, Input};
use crate::origin::Origin;
use crate::output::Output;
use crate::round::{AtOnce, Job, Runs};
use crate::run::{Context, Ran};
use crate::text::span;
use client::{Config, TorrentRef};
use clock::Clock;
use ending::Ending;
use kept::Kept;
use metainfo::Hashes;
use schedule::Schedule;
use std::io;
use tokio::task::JoinSet;
use tokio::time::Instant;
use told::Told;

/// Most torrents of which it is told what is not met.
const MOST_UNMET: usize = 10;

/// How it ended: the exit code, and how many torrents of the last round were a success.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) answered: usize,
}

/// The rounds so far.
struct Rounds<'a> {
    schedule: &'a Schedule,
    all: Vec<Kept>,
    begun: Instant,
    /// Rounds that are over.
    whole: usize,
    /// When the last of them began.
    last: Option<Clock>,
    /// The exit code of the last one.
    exit: Exit,
    /// Whether what is waited for holds.
    is_met: bool,
    /// Whether what is waited for cannot come to hold, as no torrent can be asked about.
    is_hopeless: bool,
    /// That of the words of the command line that name no torrent.
    worst: Exit,
    /// Whether it was told that rounds take longer than the time from one to the next.
    is_slow_told: bool,
    /// Whether it was told that trackers are not announced to in every round.
    is_pause_told: bool,
    /// Whether it was told that they are not before the deadline.
    is_end_told: bool,
}

/// Does it again and again, and takes leave of all trackers at the end.
pub(crate) async fn again(
    origins: Vec<Origin>,
    schedule: &Schedule,
    runs: &mut Runs,
    worst: Exit,
) -> Result<Ended, AtOnce> {
    let mut rounds = Rounds {
        schedule,
        all: origins.into_iter().map(Kept::new).collect(),
        begun: Instant::now(),
        whole: 0,
        last: None,
        exit: Exit::Interrupted,
        is_met: false,
        is_hopeless: false,
        worst,
        is_slow_told: false,
        is_pause_told: false,
        is_end_told: false,
    };
    let told = rounds.go_on(runs).await?;
    if let Err(error) = told.and_then(|()| rounds.end(runs)) {
        runs.context.output.lock().cannot_write(&error);
        rounds.exit = rounds.exit.max(Exit::LocalError);
    }
    let Rounds { exit, all, .. } = rounds;
    let answered = all.iter().filter(|kept| kept.exit == Exit::Answered).count();
    let leaving = leave(all, runs.context.clone());
    runs.until_done(leaving).await?;
    Ok(Ended { exit, answered })
}

impl Rounds<'_> {
    /// Rounds, until there are no more.
    async fn go_on(&mut self, runs: &mut Runs) -> Result<io::Result<()>, AtOnce> {
        let deadline = self.schedule.deadline.and_then(|deadline| self.begun.checked_add(deadline));
        let mut due = self.begun;
        loop {
            let begun = Instant::now();
            if let Err(error) = self.round(runs, deadline).await? {
                return Ok(Err(error));
            }
            if self.is_over(runs) {
                return Ok(Ok(()));
            }
            due = self.schedule.next(due, begun);
            self.tell_pace((begun, due), deadline);
            runs.until_due(due, deadline).await?;
            if runs.is_interrupted() {
                return Ok(Ok(()));
            }
        }
    }

    /// One round, told at its end if that is not the user's.
    async fn round(&mut self, runs: &mut Runs, deadline: Option<Instant>) -> Result<io::Result<()>, AtOnce> {
        let at_ms = runs.begin().await?;
        let jobs = self.due();
        let every = self.schedule.every;
        let all = &mut self.all;
        let ended = |n: usize, ran: Option<Ran>, carried| {
            let Some(kept) = all.get_mut(n) else { return };
            kept.carried = carried;
            // What was interrupted saw a part.
            if let Some(ran) = ran.filter(|ran| ran.exit != Exit::Interrupted) {
                kept.take(ran, every);
            }
        };
        runs.each(at_ms, jobs.into_iter(), deadline, ended).await?;
        let is_kept = runs.end().await?;
        if runs.is_interrupted() {
            return Ok(Ok(()));
        }
        self.whole += 1;
        let exits = self.all.iter().map(|kept| kept.exit);
        self.exit = exits.max().unwrap_or(Exit::Answered).max(self.worst);
        if !is_kept {
            self.exit = self.exit.max(Exit::LocalError);
        }
        let clock = Clock::of(at_ms, every);
        let told = self.tell(&clock, runs);
        self.last = Some(clock);
        Ok(told)
    }

    /// What is due in the round that begins now. Where an end is waited for, all of it.
    fn due(&mut self) -> Vec<Job> {
        let has_pauses = self.all.len() > 1 && self.schedule.until.is_none();
        let due = self.all.iter_mut().enumerate().filter_map(|(n, kept)| {
            kept.is_due = !has_pauses || kept.pauses.is_due();
            kept.news = None;
            kept.is_due.then(|| (n, kept.origin.clone(), std::mem::take(&mut kept.carried)))
        });
        due.collect()
    }

    /// The lines of a round.
    fn tell(&self, clock: &Clock, runs: &Runs) -> io::Result<()> {
        let mut output = runs.context.output.lock();
        let answered = self.all.iter().filter(|kept| kept.is_due && kept.exit == Exit::Answered).count();
        let (page, is_first) = (output.page(), self.whole == 1);
        let is_new = is_first || self.all.iter().any(|kept| kept.news.is_some());
        let is_other_day = self.last.as_ref().is_some_and(|last| last.date != clock.date);
        let told = Told { time: &clock.time, is_first, all: output.lists_all() };
        let text = match self.all.as_slice() {
            [only] => told.one(only, page),
            all => told.several(all, page),
        };
        let text = if is_other_day { format!("{}\n{text}", clock.date) } else { text };
        // Where there are no lines of a round.
        if !output.has_rounds() {
            let faults =
                self.all.iter().filter_map(|kept| Some((kept, kept.fault.as_ref().filter(|_| kept.news.is_some())?)));
            faults.for_each(|(kept, fault)| output.report_error(&kept.label.whole(), fault));
        }
        let is_told = is_new || !output.is_quiet();
        output.end_round(answered, is_told.then_some(text))
    }

    /// Says once what is not as the user may expect.
    fn tell_pace(&mut self, (begun, due): (Instant, Instant), deadline: Option<Instant>) {
        let (now, every) = (Instant::now(), span(self.schedule.every));
        if now > due && !self.is_slow_told {
            self.is_slow_told = true;
            eprint_error(&format!("a round took {}, longer than {every}: the next begins at once", span(now - begun)));
        }
        let Some(wait) = self.all.iter().filter_map(|kept| kept.carried.next_announce()).min() else { return };
        let is_too_late = deadline.is_some_and(|deadline| now + wait > deadline);
        let told = if is_too_late { &mut self.is_end_told } else { &mut self.is_pause_told };
        if now + wait <= due || std::mem::replace(told, true) {
            return;
        }
        if is_too_late {
            self.is_pause_told = true;
            // A round has to begin then.
            let least = (now + wait).duration_since(self.begun) + self.schedule.every;
            eprint_error(&format!(
                "no tracker may be asked for peers again before the deadline: --deadline {}m would leave time for that; until then they are \
                 asked for counts, and the peers that they named are tried again",
                least.as_secs().div_ceil(60) + 1
            ));
        } else {
            eprint_error(&format!(
                "trackers are announced to when the time that they name has passed, the first in {}; until then they are asked for \
                 counts, and the peers that they named are tried again",
                span(wait)
            ));
        }
    }

    /// Whether there are no more rounds; then the exit code is that of the end.
    fn is_over(&mut self, runs: &Runs) -> bool {
        if runs.context.output.lock().is_closed() {
            self.exit = Exit::Answered;
            return true;
        }
        if self.schedule.until.is_some() && !runs.is_interrupted() {
            if self.whole == 1 && self.all.iter().all(|kept| kept.exit == Exit::LocalError) {
                self.is_hopeless = true;
                return true;
            }
            self.is_met = self.all.iter().all(|kept| kept.unmet.is_empty() && kept.last_is_of_now());
        }
        runs.is_interrupted() || self.is_met || self.schedule.count.is_some_and(|count| self.whole >= count)
    }

    /// The summary, and what was not met.
    fn end(&mut self, runs: &Runs) -> io::Result<()> {
        let mut output = runs.context.output.lock();
        let page = output.page();
        if let Some(last) = self.last.clone() {
            let elapsed = self.begun.elapsed();
            let ending = Ending { rounds: self.whole, elapsed, every: self.schedule.every, last };
            output.round(Some(ending.lines(&self.all, page)))?;
        }
        if self.schedule.until.is_none() {
            self.tell_unmet(&mut output, "--fail-under");
        } else if !output.is_closed() {
            // The time was up, or there were rounds enough; or it is the user's end.
            let ended = match self.is_met {
                true => Exit::Answered,
                false if runs.heard => Exit::Interrupted,
                false => Exit::NoPeerAnswered,
            };
            self.exit = if self.exit == Exit::LocalError { Exit::LocalError } else { ended };
            if self.is_hopeless {
                eprint_error("no torrent can be asked about, so that there is nothing to wait for (--until)");
            }
            self.tell_unmet(&mut output, "--until");
            if self.last.is_none() && !runs.heard {
                eprint_error("the first round did not end before the deadline (--until)");
            }
        }
        Ok(())
    }

    /// What is not met, on stderr: of the last round.
    fn tell_unmet(&self, output: &mut Output, option: &str) {
        for kept in self.all.iter().filter(|kept| !kept.unmet.is_empty()).take(MOST_UNMET) {
            output.report_error(&kept.label.whole(), &format!("{} ({option})", kept.unmet.join("; ")));
        }
    }
}

/// Takes leave of the trackers of all torrents, at the same time.
async fn leave(all: Vec<Kept>, context: Context) {
    let mut leaving = JoinSet::new();
    for kept in all {
        let Some((hashes, membership)) = kept.carried.into_membership() else { continue };
        let (config, shared) = (context.config.clone(), context.shared.clone());
        leaving.spawn(async move { (kept.label.whole(), hashes, membership.leave(&config, &shared).await) });
    }
    while let Some(left) = leaving.join_next().await {
        let Ok((name, hashes, owed)) = left else { continue };
        // An error of writing is found again at the end.
        let _ = context.output.lock().goodbyes(&by_name(&name, hashes, &context.config), &owed);
    }
}

/// A torrent of which only this is known any more.
fn by_name(name: &str, hashes: Hashes, config: &Config) -> Input {
    let torrent_ref = TorrentRef::from(hashes);
    Input { given: name.into(), secrets: config.secrets(&torrent_ref), torrent_ref, contents: Contents::Hash }
}
