//! Several torrents at the same time, in the bounds of one run.

use crate::args::Args;
use crate::exit::{Exit, complain};
use crate::output::{Output, Shared};
use crate::run::run;
use crate::signals::{Interrupts, Signals};
use client::{Bounds, Config};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Torrents at the same time. Each holds a port, a list of peers and what was said of its pieces; a port that the user chose
/// can be held by one of them.
fn at_once(config: &Config) -> usize {
    if config.port.is_some() { 1 } else { 16 }
}

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
    let (bounds, output) = (Bounds::new(&config), Shared::new(Output::new(args)));
    let interrupts = watch::Sender::new(0);
    let (mut waiting, mut running) = (args.torrents.iter().cloned(), JoinSet::new());
    let (mut worst, mut answered) = (Exit::Answered, 0);
    loop {
        let interrupted = *interrupts.borrow() > 0;
        while running.len() < at_once(&config)
            && !interrupted
            && !output.lock().is_closed()
            && let Some(path) = waiting.next()
        {
            let (config, bounds, output) = (config.clone(), bounds.clone(), output.clone());
            let interrupts = Interrupts::new(&interrupts);
            running.spawn(async move { run(&path, config, &bounds, &output, interrupts).await });
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
            () = signals.next() => interrupts.send_modify(|count| *count += 1),
        }
    }
    if waiting.next().is_some() && *interrupts.borrow() > 0 {
        worst = Exit::Interrupted;
    }
    // The second one means now.
    if *interrupts.borrow() > 1 {
        return worst;
    }
    match output.lock().total(answered) {
        Ok(()) => worst,
        Err(error) => {
            complain(&format!("cannot write: {error}"));
            worst.max(Exit::LocalError)
        }
    }
}
