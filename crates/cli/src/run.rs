//! One torrent from the command line to its exit code.

use crate::advice::advice;
use crate::exit::Exit;
use crate::input::{Input, InputError, Subject};
use crate::output::Shared;
use crate::room::Room;
use client::{Config, CutShort, Event, Summary, Swarm};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;
use tokio::sync::watch;

/// Does the main job for one torrent, telling it as it happens. Its time begins when there is room for it.
pub(crate) async fn run(
    input: &Input,
    config: Config,
    bounds: &client::Shared,
    room: &Room,
    output: &Shared,
    mut interrupted: watch::Receiver<bool>,
) -> Exit {
    let name = input.shown();
    let place = tokio::select! {
        place = room.place(input.length()) => place,
        _ = interrupted.wait_for(|said| *said) => None,
    };
    let Some(mut place) = place else {
        output.lock().interrupted(&name);
        return Exit::Interrupted;
    };
    let wanted = Wanted { named_peers: !config.peers.is_empty(), counts_only: config.scrape || !config.dial };
    let begun = Instant::now();
    let until = begun.checked_add(config.deadline);
    let prepared = tokio::select! {
        prepared = Box::pin(prepare(input, config, bounds)) => prepared,
        _ = interrupted.wait_for(|said| *said) => {
            output.lock().interrupted(&name);
            return Exit::Interrupted;
        }
    };
    place.has_read();
    let (subject, mut swarm) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            output.lock().fault(&name, Exit::LocalError, &advice(&error));
            return Exit::LocalError;
        }
    };
    output.lock().progress.begin(until);
    output.lock().running.begin(&name, begun, swarm.interim());
    // On the heap, each in its time: many runs may wait.
    let told = Box::pin(tell(&subject, &mut swarm, wanted, output, interrupted)).await;
    output.lock().running.end(&name, begun);
    // Takes the announces back; the result has been printed.
    let owed = Box::pin(swarm.shutdown()).await;
    let reported = output.lock().goodbyes(&subject, &owed);
    let told = told.and_then(|told| reported.map(|()| told));
    match told {
        // Nobody reads any more: how it went is of no interest.
        Ok(_) if output.lock().is_closed() => Exit::Answered,
        Ok(told) => told.exit(&name, output),
        Err(error) => {
            output.lock().cannot_write(&error);
            Exit::LocalError
        }
    }
}

async fn prepare(input: &Input, config: Config, bounds: &client::Shared) -> Result<(Subject, Swarm), InputError> {
    let subject = input.read(&config).await?;
    let swarm = Swarm::sharing(subject.topic.clone(), config, bounds)?;
    Ok((subject, swarm))
}

/// What the user wanted beyond the torrent's own peers.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    named_peers: bool,
    /// A tracker's answer is the answer.
    counts_only: bool,
}

/// What is left to say when everything has been told.
#[derive(Debug)]
struct Told {
    exit: Exit,
    /// Conditions that are not met.
    unmet: Vec<String>,
    /// Why there was no source of peers.
    because: Option<String>,
}

async fn tell(
    subject: &Subject,
    swarm: &mut Swarm,
    wanted: Wanted,
    output: &Shared,
    mut interrupted: watch::Receiver<bool>,
) -> std::io::Result<Told> {
    let mut told = Told { exit: Exit::Answered, unmet: Vec::new(), because: None };
    let (mut tally, mut cut_short) = (output.lock().tally(), false);
    output.lock().start(subject)?;
    loop {
        // Nobody reads any more: leave quietly.
        if output.lock().is_closed() {
            return Ok(told);
        }
        let event = next_event(swarm, output, &mut interrupted, cut_short).await?;
        let Some(event) = event else {
            cut_short = true;
            swarm.interrupt();
            continue;
        };
        match event {
            None => return Ok(told),
            Some(Event::Tracker(report)) => {
                let mut output = output.lock();
                let page = output.page();
                tally.tracker(subject, &report, page);
                output.tracker(subject, &report)?;
            }
            Some(Event::Peer(report)) => {
                tally.peer(&report);
                output.lock().peer(subject, &report)?;
            }
            Some(Event::Summary(summary)) => {
                told.exit = exit(&summary, wanted);
                let because = (told.exit == Exit::NoSource).then(|| tally.failures.advice());
                told.unmet = output.lock().summary(subject, &summary, &tally, (told.exit, because.as_deref()))?;
                told.because = because;
            }
            Some(_) => {}
        }
    }
}

/// The next event; `None` for an interrupt, unless that has been heard already. Before a wait, everything that has been told is
/// written. The wait itself is the engine's: asked again at once, it would take that for a turn that others have had.
async fn next_event(
    swarm: &mut Swarm,
    output: &Shared,
    interrupted: &mut watch::Receiver<bool>,
    heard: bool,
) -> std::io::Result<Option<Option<Event>>> {
    let (mut next, mut interrupt) = (pin!(swarm.next()), pin!(interrupted.wait_for(|said| *said)));
    poll_fn(|context| {
        if let Poll::Ready(event) = next.as_mut().poll(context) {
            return Poll::Ready(Ok(Some(event)));
        }
        if let Err(error) = output.lock().flush() {
            return Poll::Ready(Err(error));
        }
        if !heard && interrupt.as_mut().poll(context).is_ready() { Poll::Ready(Ok(None)) } else { Poll::Pending }
    })
    .await
}

/// What a run comes to by itself.
fn exit(summary: &Summary, wanted: Wanted) -> Exit {
    if summary.cut_short == Some(CutShort::Interrupt) {
        Exit::Interrupted
    } else if summary.ok > 0 || (wanted.counts_only && !wanted.named_peers && summary.trackers_ok > 0) {
        Exit::Answered
    } else if wanted.named_peers || summary.trackers_ok > 0 || summary.peers > 0 {
        Exit::NobodyAnswered
    } else {
        Exit::NoSource
    }
}

impl Told {
    /// The exit code, and on stderr what is not met, or why there was no source of peers.
    fn exit(&self, name: &str, output: &Shared) -> Exit {
        if let Some(because) = self.because.as_ref().filter(|_| !output.lock().is_report()) {
            output.lock().told_fault(name, because);
        }
        if !self.unmet.is_empty() {
            output.lock().told_fault(name, &format!("{} (--fail-under)", self.unmet.join("; ")));
        }
        if self.unmet.is_empty() { self.exit } else { self.exit.max(Exit::NobodyAnswered) }
    }
}
