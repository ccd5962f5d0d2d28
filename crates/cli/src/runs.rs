//! Several torrents at the same time, in the bounds of one run.

use crate::args::Args;
use crate::exit::{Exit, complain};
use crate::output::{Output, Shared};
use crate::run::run;
use crate::signals::Signals;
use client::Bounds;
use guard::ErrorChain;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Runs every torrent, each told of on its own, and with more than one a total; the worst exit code counts.
pub(crate) async fn run_all(args: &Args) -> Exit {
    let config = match args.config() {
        Ok(config) => config,
        Err(message) => {
            complain(&message);
            return Exit::LocalError;
        }
    };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            complain(&format!("cannot listen for signals: {error}"));
            return Exit::LocalError;
        }
    };
    let bounds = match Bounds::new(&config) {
        Ok(bounds) => bounds,
        Err(error) => {
            complain(&ErrorChain(&error).to_string());
            return Exit::LocalError;
        }
    };
    let output = Shared::new(Output::new(args));
    let (interrupt, interrupted) = watch::channel(false);
    let (mut waiting, mut running) = (args.torrents.iter().cloned(), JoinSet::new());
    let (mut worst, mut answered) = (Exit::Answered, 0);
    loop {
        while running.len() < bounds.runs()
            && !*interrupted.borrow()
            && !output.lock().is_closed()
            && let Some(path) = waiting.next()
        {
            let (config, bounds, output, interrupted) =
                (config.clone(), bounds.clone(), output.clone(), interrupted.clone());
            running.spawn(async move { run(&path, config, &bounds, &output, interrupted).await });
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok(exit)) => {
                    worst = worst.max(exit);
                    answered += usize::from(exit == Exit::Answered);
                }
                // A panic is a defect of ours, and goes on here.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => break,
            },
            // The first one ends the runs, which say goodbye; the second one means now.
            () = signals.next() => if interrupt.send_replace(true) {
                return Exit::Interrupted;
            }
        }
    }
    if waiting.next().is_some() && *interrupted.borrow() {
        worst = Exit::Interrupted;
    }
    match output.lock().total(answered) {
        Ok(()) => worst,
        Err(error) => {
            complain(&format!("cannot write: {error}"));
            worst.max(Exit::LocalError)
        }
    }
}
