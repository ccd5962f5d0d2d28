//! One torrent from the command line to its exit code.

use crate::advice::advice;
use crate::exit::Exit;
use crate::human::tally::Tally;
use crate::input::{Input, InputError};
use crate::origin::Origin;
use crate::output::{Ended, Shared};
use crate::room::Room;
use crate::saved::Saved;
use client::{Config, CutShort, Error, Event, Known, Sources, Summary, Swarm, Verdict};
use guard::ErrorChain;
use metainfo::TorrentFile;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;
use tokio::sync::watch;

/// Does the main job for one torrent, and reports it as it happens. Its time begins when there is room in memory for it.
pub(crate) async fn run(
    origin: &Origin,
    config: Config,
    shared: &client::Shared,
    room: &Room,
    output: &Shared,
    mut interrupted: watch::Receiver<bool>,
) -> Exit {
    let name = origin.shown();
    let place = tokio::select! {
        place = room.place(origin.length()) => place,
        _ = interrupted.wait_for(|said| *said) => None,
    };
    let Some(mut place) = place else {
        output.lock().interrupted(&name);
        return Exit::Interrupted;
    };
    let mode = Mode {
        named_peers: !config.peers.is_empty(),
        counts_only: config.scrape || !config.dial,
        metadata_only: output.lock().is_of_metadata(),
        web_seeds_only: config.sources == Sources::NONE.with_web_seeds(true),
    };
    let wants_proof = config.web_seed_proof;
    let begun = Instant::now();
    let until = begun.checked_add(config.deadline);
    let prepared = tokio::select! {
        prepared = Box::pin(prepare(origin, config, shared)) => prepared,
        _ = interrupted.wait_for(|said| *said) => {
            output.lock().interrupted(&name);
            return Exit::Interrupted;
        }
    };
    place.has_read();
    let (mut input, mut swarm) = match prepared {
        Ok(Prepared::Ready(input, swarm)) => (input, *swarm),
        Ok(Prepared::Private(input, error)) => {
            return match output.lock().refused(&input, &name, &advice(&error)) {
                Ok(()) => Exit::LocalError,
                Err(error) => {
                    output.lock().cannot_write(&error);
                    Exit::LocalError
                }
            };
        }
        Err(error) => {
            output.lock().fault(&name, Exit::LocalError, &advice(&error));
            return Exit::LocalError;
        }
    };
    if wants_proof && input.torrent_ref.proof.is_none() {
        output.lock().report_error(&name, "give the .torrent file for a proof: the hashes of its pieces are not known");
    }
    output.lock().progress.begin(until);
    output.lock().running.begin(&name, begun, swarm.interim());
    // On the heap, each in its time: many runs may wait.
    let result = Box::pin(tell(&mut input, &mut swarm, mode, output, interrupted)).await;
    output.lock().running.end(&name, begun);
    // Takes the announces back; the result has been printed.
    let owed = Box::pin(swarm.shutdown()).await;
    let reported = output.lock().goodbyes(&input, &owed);
    let result = result.and_then(|result| reported.map(|()| result));
    match result {
        // stdout is closed: the exit code of a closed pipe is 0.
        Ok(_) if output.lock().is_closed() => Exit::Answered,
        Ok(result) => result.exit(&name, output),
        Err(error) => {
            output.lock().cannot_write(&error);
            Exit::LocalError
        }
    }
}

/// What a run begins with.
enum Prepared {
    Ready(Input, Box<Swarm>),
    /// A private torrent that is not to be asked about, and why.
    Private(Input, InputError),
}

async fn prepare(origin: &Origin, config: Config, shared: &client::Shared) -> Result<Prepared, InputError> {
    let input = origin.read(&config).await?;
    if let Err(error) = input.check_for_dht(&config) {
        return Ok(Prepared::Private(input, error));
    }
    match Swarm::sharing(input.torrent_ref.clone(), config, shared) {
        Ok(swarm) => Ok(Prepared::Ready(input, Box::new(swarm))),
        Err(error @ Error::Private) => Ok(Prepared::Private(input, error.into())),
        Err(error) => Err(error.into()),
    }
}

/// What the user asked for beyond the torrent's own peers.
#[derive(Clone, Copy, Debug)]
struct Mode {
    named_peers: bool,
    /// A tracker's answer is the answer.
    counts_only: bool,
    web_seeds_only: bool,
    /// The torrent is the answer, and nothing else.
    metadata_only: bool,
}

/// What is left when the summary has been printed.
#[derive(Debug)]
struct RunResult {
    exit: Exit,
    /// Conditions that are not met.
    unmet: Vec<String>,
    /// Why it has this exit code, where its report does not say so.
    because: Option<String>,
}

/// Why a run about a link ended once its metadata was there.
const PRIVATE: &str = "private torrent, as its metadata says (BEP 27): its tracker may ban the user of a client that it does not know; \
                       --allow-private goes on all the same, with its trackers alone";

/// Runs the swarm to its end, or to the end of stdout, and reports each event.
async fn tell(
    input: &mut Input,
    swarm: &mut Swarm,
    mode: Mode,
    output: &Shared,
    mut interrupted: watch::Receiver<bool>,
) -> std::io::Result<RunResult> {
    let mut result = RunResult { exit: Exit::Answered, unmet: Vec::new(), because: None };
    let (mut tally, mut cut_short, mut saved) = (output.lock().tally(), false, Saved::No);
    output.lock().start(input)?;
    loop {
        // stdout is closed: leave quietly.
        if output.lock().is_closed() {
            return Ok(result);
        }
        match next_event(swarm, output, &mut interrupted, cut_short).await? {
            Next::Interrupt => {
                cut_short = true;
                swarm.interrupt();
            }
            Next::Event(Event::Tracker(report)) => {
                let mut output = output.lock();
                let page = output.page();
                tally.tracker(input, &report, page);
                output.tracker(input, &report)?;
            }
            Next::Event(Event::WebSeed(report)) => {
                let mut output = output.lock();
                let page = output.page();
                tally.web_seed(&report, page);
                output.web_seed(input, &report)?;
            }
            Next::Event(Event::Dht(report)) => {
                tally.dht(&report);
                output.lock().dht(input, &report)?;
            }
            Next::Event(Event::Metadata(report)) => {
                if let Some(known) = swarm.known() {
                    input.learn(&known.torrent);
                }
                tally.metadata(&report);
                output.lock().metadata(input, &report)?;
                if let Some(known) = swarm.known().filter(|_| mode.metadata_only) {
                    saved = save(input, known, output);
                    // Nothing else is wanted of this run.
                    cut_short = true;
                    swarm.interrupt();
                }
            }
            Next::Event(Event::Peer(report)) => {
                tally.peer(&report);
                output.lock().peer(input, &report)?;
            }
            Next::Event(Event::Summary(summary)) => {
                let is_known = input.torrent().is_some();
                result.exit = match (mode.metadata_only, is_known, &saved) {
                    (true, true, Saved::Failed(_)) => Exit::LocalError,
                    (true, true, _) => Exit::Answered,
                    (true, false, _) => exit(&summary, mode).max(Exit::NoPeerAnswered),
                    (false, ..) => exit(&summary, mode),
                };
                result.because = match &saved {
                    Saved::Failed(reason) => Some(reason.clone()),
                    _ => because(result.exit, &summary, mode, &tally, is_known),
                };
                let ended = Ended { exit: result.exit, because: result.because.as_deref(), saved: &saved, since: None };
                result.unmet = output.lock().summary(input, &summary, &tally, ended)?;
            }
            Next::Event(_) => {}
            Next::End => return Ok(result),
        }
    }
}

/// What comes next in a run.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and events are what there are most of")]
enum Next {
    Event(Event),
    Interrupt,
    End,
}

/// The next event, or the interrupt unless that was `heard` already. Before a wait, everything that was reported is
/// written. The wait itself is the engine's: asked again at once, it would take that for a turn that others have had.
async fn next_event(
    swarm: &mut Swarm,
    output: &Shared,
    interrupted: &mut watch::Receiver<bool>,
    heard: bool,
) -> std::io::Result<Next> {
    let (mut next, mut interrupt) = (pin!(swarm.next()), pin!(interrupted.wait_for(|said| *said)));
    poll_fn(|context| {
        if let Poll::Ready(event) = next.as_mut().poll(context) {
            return Poll::Ready(Ok(event.map_or(Next::End, Next::Event)));
        }
        if let Err(error) = output.lock().flush() {
            return Poll::Ready(Err(error));
        }
        if !heard && interrupt.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(Next::Interrupt));
        }
        Poll::Pending
    })
    .await
}

/// Saves the torrent that peers gave, with what its link names.
fn save(input: &Input, known: &Known, output: &Shared) -> Saved {
    let trackers: Vec<Vec<String>> = input.torrent_ref.trackers.iter().map(|url| vec![url.clone()]).collect();
    let file = TorrentFile {
        trackers: &trackers,
        web_seeds: &input.torrent_ref.web_seeds,
        piece_layers: (!known.piece_layers.is_empty()).then_some(&*known.piece_layers),
        ..TorrentFile::new(&known.info)
    };
    match file.write() {
        Ok(torrent) => output.lock().save(&torrent),
        Err(error) => Saved::Failed(ErrorChain(&error).to_string()),
    }
}

/// Why a run has this exit code, where its report does not say so.
fn because(exit: Exit, summary: &Summary, mode: Mode, tally: &Tally, is_known: bool) -> Option<String> {
    let about_web_seeds = mode.web_seeds_only || (summary.trackers == 0 && summary.web_seeds.checked > 0);
    match exit {
        Exit::LocalError => Some(PRIVATE.to_owned()),
        Exit::NoSource if about_web_seeds => Some(tally.web_seeds.advice(is_known)),
        Exit::NoSource => Some(tally.failures.advice(tally.lookups.silence())),
        _ => None,
    }
}

/// The exit code of a run by its summary.
fn exit(summary: &Summary, mode: Mode) -> Exit {
    if summary.cut_short == Some(CutShort::Interrupt) {
        Exit::Interrupted
    } else if summary.cut_short == Some(CutShort::Private) {
        // As of a file that says so before anything is sent.
        Exit::LocalError
    } else if summary.ok > 0
        || summary.web_seeds.complete > 0
        || (mode.counts_only && !mode.named_peers && (summary.trackers_ok > 0 || summary.dht.named > 0))
    {
        Exit::Answered
    } else if mode.named_peers
        || summary.trackers_ok > 0
        || summary.dht.answered > 0
        || summary.peers > 0
        || (summary.verdict() == Verdict::WebSeedsFailed && summary.web_seeds.answered > 0)
    {
        Exit::NoPeerAnswered
    } else {
        Exit::NoSource
    }
}

impl RunResult {
    /// The exit code, and on stderr what is not met, or why there was no source of peers.
    fn exit(&self, name: &str, output: &Shared) -> Exit {
        if let Some(because) = self.because.as_ref().filter(|_| !output.lock().is_report()) {
            output.lock().report_error(name, because);
        }
        if !self.unmet.is_empty() {
            output.lock().report_error(name, &format!("{} (--fail-under)", self.unmet.join("; ")));
        }
        if self.unmet.is_empty() { self.exit } else { self.exit.max(Exit::NoPeerAnswered) }
    }
}
