//! The torrents of the command line: once, or again and again, to the exit code.

use crate::advice::{advice, cannot_write};
use crate::exit::{Exit, eprint_error};
use crate::origin::Origin;
use crate::output::{Output, Shared};
use crate::recorder::Recorder;
use crate::room::Room;
use crate::round::{AtOnce, Runs};
use crate::rounds::carried::Carried;
use crate::rounds::changed::Changed;
use crate::rounds::schedule::Schedule;
use crate::rounds::{Ended, again};
use crate::run::Context;
use crate::signals::Signals;
use crate::text::plural;
use client::Config;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::sync::watch;

/// When it is done again, and where what is seen is kept.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) schedule: Option<Schedule>,
    pub(crate) db: Option<PathBuf>,
}

/// Runs every torrent, `jobs` at once at most, and reports on each, and on all of several in a total; gives the worst exit code, `worst` included.
pub(crate) async fn run_all(
    origins: Vec<Origin>,
    jobs: usize,
    config: &Config,
    mut output: Output,
    worst: Exit,
    plan: Plan,
) -> ExitCode {
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return output.cannot_begin(&format!("cannot listen for signals: {error}")),
    };
    let shared = match client::Shared::new(config) {
        Ok(shared) => shared,
        Err(error) => return output.cannot_begin(&advice(&error.into())),
    };
    let output = Shared::new(output);
    let (interrupt, interrupted) = watch::channel(false);
    let context = Context {
        config: config.clone(),
        shared: shared.clone(),
        room: Room::new(),
        output: output.clone(),
        recorder: Recorder::new(plan.db, output.clone()),
        again: plan.schedule.is_some(),
        until: plan.schedule.as_ref().and_then(|schedule| schedule.until.clone()),
        interrupted,
    };
    let mut runs = Runs { context, signals, interrupt, heard: false, jobs };
    let ended = match &plan.schedule {
        // Nothing is not done again.
        Some(schedule) if !origins.is_empty() => again(origins, schedule, &mut runs, worst).await,
        _ => once(origins, &mut runs, worst).await,
    };
    let heard = runs.heard;
    let mut output = output.lock();
    let Ok(Ended { exit, answered }) = ended else {
        // The second interrupt: what waits to be written stays unwritten.
        if let owed @ 1.. = shared.goodbyes_owed() {
            eprint_error(&format!("left at once, with {} not taken back", plural(owed, "announce")));
        }
        return Exit::Interrupted.into();
    };
    match output.total(answered) {
        Ok(Some(level)) => level.code().into(),
        // The end of the runs is ours then, and not an interrupt of the user's.
        Ok(None) if output.has_failed() && !heard => Exit::LocalError.into(),
        Ok(None) => exit.into(),
        Err(error) => {
            eprint_error(&cannot_write(&error));
            exit.max(Exit::LocalError).into()
        }
    }
}

/// One round.
async fn once(origins: Vec<Origin>, runs: &mut Runs, mut worst: Exit) -> Result<Ended, AtOnce> {
    let at_ms = runs.begin().await?;
    let mut answered = 0;
    let mut changed = Changed::default();
    let jobs = origins.into_iter().enumerate().map(|(n, origin)| (n, origin, Carried::default()));
    runs.each(at_ms, jobs, None, |_, ran, _| {
        let Some(ran) = ran else { return };
        worst = worst.max(ran.exit);
        answered += usize::from(ran.exit == Exit::Answered);
        ran.seen.iter().for_each(|seen| changed.add(seen));
    })
    .await?;
    if !runs.end().await? {
        worst = worst.max(Exit::LocalError);
    }
    // Also when everything had been told, and only the goodbyes were waited for.
    if runs.is_interrupted() {
        worst = Exit::Interrupted;
    }
    let mut output = runs.context.output.lock();
    let page = output.page();
    // An error of writing comes again with the total.
    let _ = output.changed(changed.lines(page));
    Ok(Ended { exit: worst, answered })
}
