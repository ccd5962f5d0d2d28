//! Several torrents at the same time, within the permits, quotas and pace of one run.

use crate::advice::{advice, cannot_write};
use crate::exit::{Exit, eprint_error};
use crate::origin::Origin;
use crate::output::{Output, Shared};
use crate::room::Room;
use crate::run::run;
use crate::signals::{Signals, Wish};
use crate::text::plural;
use client::Config;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// How often the progress is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// Runs every torrent, `jobs` at once at most, and reports on each, and on all of several in a total; gives the worst exit code, `worst` included.
pub(crate) async fn run_all(
    origins: Vec<Origin>,
    jobs: usize,
    config: &Config,
    mut output: Output,
    worst: Exit,
) -> ExitCode {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return output.cannot_begin(&format!("cannot listen for signals: {error}")),
    };
    let shared = match client::Shared::new(config) {
        Ok(shared) => shared,
        Err(error) => return output.cannot_begin(&advice(&error.into())),
    };
    let output = Shared::new(output);
    let ended = run_each((origins, jobs), config, &shared, &output, &mut signals, worst).await;
    let mut output = output.lock();
    let Some((worst, answered)) = ended else {
        // The second interrupt: what waits to be written stays unwritten.
        if let owed @ 1.. = shared.goodbyes_owed() {
            eprint_error(&format!("left at once, with {} not taken back", plural(owed, "announce")));
        }
        return Exit::Interrupted.into();
    };
    match output.total(answered) {
        Ok(Some(level)) => level.code().into(),
        Ok(None) => worst.into(),
        Err(error) => {
            eprint_error(&cannot_write(&error));
            worst.max(Exit::LocalError).into()
        }
    }
}

/// The worst exit code, and how many runs were a success; `None` when a second interrupt ended it.
async fn run_each(
    (origins, jobs): (Vec<Origin>, usize),
    config: &Config,
    shared: &client::Shared,
    output: &Shared,
    signals: &mut Signals,
    mut worst: Exit,
) -> Option<(Exit, usize)> {
    let (interrupt, interrupted) = watch::channel(false);
    let (mut waiting, mut running) = (origins.into_iter(), JoinSet::new());
    let room = Room::new();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = 0;
    loop {
        while running.len() < shared.runs().min(jobs)
            && !*interrupted.borrow()
            && !output.lock().is_closed()
            && let Some(origin) = waiting.next()
        {
            let (config, shared, room, output, interrupted) =
                (config.clone(), shared.clone(), room.clone(), output.clone(), interrupted.clone());
            running.spawn(async move { run(&origin, config, &shared, &room, &output, interrupted).await });
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok(exit)) => {
                    worst = worst.max(exit);
                    answered += usize::from(exit == Exit::Answered);
                }
                // A panic is a defect of this program, and goes on here.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => break,
            },
            // The first one ends the runs, which say goodbye; the second one means now.
            wish = signals.next() => match wish {
                Wish::HowFar => output.lock().how_far(),
                Wish::EndOnce if *interrupt.borrow() => {}
                Wish::End | Wish::EndOnce => {
                    output.lock().progress.interrupted();
                    if interrupt.send_replace(true) {
                        return None;
                    }
                }
            },
            // Also where nothing is drawn: another run may begin.
            _ = tick.tick() => {
                let mut output = output.lock();
                output.progress.in_flight(shared.in_flight());
                let dht_nodes = output.running.dht_nodes(&output.total);
                output.progress.dht(dht_nodes);
                output.progress.draw();
            }
        }
    }
    // Also when everything had been told, and only the goodbyes were waited for.
    if *interrupted.borrow() {
        worst = Exit::Interrupted;
    }
    Some((worst, answered))
}
