//! One torrent from the command line to its exit code.

use crate::advice::advice;
use crate::conditions::Conditions;
use crate::exit::Exit;
use crate::human::tally::Tally;
use crate::input::{Input, InputError};
use crate::label::Label;
use crate::origin::Origin;
use crate::output::{Ended, Shared};
use crate::recorder::Recorder;
use crate::room::Room;
use crate::rounds::carried::Carried;
use crate::rounds::changed;
use crate::saved::Saved;
use crate::seen::{Observer, Seen};
use client::{Config, CutShort, Error, Event, Known, Sources, Summary, Swarm, Verdict};
use guard::ErrorChain;
use metainfo::TorrentFile;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;
use tokio::sync::watch;

/// What all runs have.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) shared: client::Shared,
    pub(crate) room: Room,
    pub(crate) output: Shared,
    pub(crate) recorder: Recorder,
    /// Whether the same is done again: then a run is told with its round, and says no goodbye.
    pub(crate) again: bool,
    /// What has to hold for there to be no other round.
    pub(crate) until: Option<Conditions>,
    pub(crate) interrupted: watch::Receiver<bool>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    /// Why there was none.
    pub(crate) fault: Option<String>,
    /// What it saw, where that is wanted.
    pub(crate) seen: Option<Seen>,
    /// Conditions that are not met.
    pub(crate) unmet: Vec<String>,
}

impl Ran {
    fn without(exit: Exit, fault: Option<String>) -> Self {
        Self { exit, fault, seen: None, unmet: Vec::new() }
    }
}

/// Does the main job for one torrent, in the round that began at `at_ms`, and reports it as it happens. Its time begins when there is
/// room in memory for it.
pub(crate) async fn run(origin: &Origin, carried: &mut Carried, context: Context, at_ms: i64) -> Ran {
    let Context { config, output, interrupted, .. } = &context;
    let (name, mut interrupt) = (origin.shown(), interrupted.clone());
    let place = tokio::select! {
        place = context.room.place(origin.length()) => place,
        _ = interrupt.wait_for(|said| *said) => None,
    };
    let Some(mut place) = place else {
        output.lock().interrupted(&name);
        return Ran::without(Exit::Interrupted, None);
    };
    let mode = Mode::of(config, output);
    let begun = Instant::now();
    let until = begun.checked_add(config.deadline);
    let prepared = tokio::select! {
        prepared = Box::pin(prepare(origin, carried, &context)) => prepared,
        _ = interrupt.wait_for(|said| *said) => {
            output.lock().interrupted(&name);
            return Ran::without(Exit::Interrupted, None);
        }
    };
    place.has_read();
    let (mut input, mut swarm) = match prepared {
        Ok(Prepared::Ready(input, swarm)) => (input, swarm),
        Ok(Prepared::Private(input, reason)) => {
            let told = output.lock().refused(&input, &name, &reason);
            if let Err(error) = told {
                output.lock().cannot_write(&error);
            }
            carried.keep(origin, input);
            return Ran::without(Exit::LocalError, Some(reason));
        }
        Err(error) => {
            let reason = advice(&error);
            match context.again {
                // Told with its round.
                true => output.lock().not_run(Label::of_path(&name), None, Exit::LocalError, &reason),
                false => output.lock().fault(&name, Exit::LocalError, &reason),
            }
            return Ran::without(Exit::LocalError, Some(reason));
        }
    };
    if config.web_seed_proof && input.torrent_ref.proof.is_none() {
        output.lock().report_error(&name, "give the .torrent file for a proof: the hashes of its pieces are not known");
    }
    output.lock().progress.begin(until);
    output.lock().running.begin(&name, begun, swarm.interim());
    // On the heap, each in its time: many runs may wait.
    let result = Box::pin(tell(&mut input, &mut swarm, mode, &context, at_ms)).await;
    output.lock().running.end(&name, begun);
    let is_private = result.as_ref().is_ok_and(|result| result.is_private);
    let reported = Box::pin(leave(origin, carried, (input, is_private), swarm, &context)).await;
    match result.and_then(|result| reported.map(|()| result)) {
        Ok(_) if output.lock().has_failed() => Ran::without(Exit::LocalError, None),
        // stdout is closed: the exit code of a closed pipe is 0.
        Ok(_) if output.lock().is_closed() => Ran::without(Exit::Answered, None),
        Ok(result) => result.ran(&name, &context),
        Err(error) => {
            output.lock().cannot_write(&error);
            Ran::without(Exit::LocalError, None)
        }
    }
}

/// What a run begins with.
enum Prepared {
    Ready(Input, Box<Swarm>),
    /// A private torrent that is not to be asked about, and why.
    Private(Input, String),
}

async fn prepare(origin: &Origin, carried: &mut Carried, context: &Context) -> Result<Prepared, InputError> {
    let Context { config, shared, output, .. } = context;
    let input = carried.input(origin, config).await?;
    if let Err(error) = input.check_for_dht(config) {
        return Ok(Prepared::Private(input, advice(&error)));
    }
    if carried.is_refused(&input.torrent_ref.hashes) {
        return Ok(Prepared::Private(input, PRIVATE.to_owned()));
    }
    let (membership, owed) = carried.membership(input.torrent_ref.hashes, config, shared).await;
    // An error of writing comes again with the next line.
    let _ = output.lock().goodbyes(&input, &owed);
    match Swarm::resuming(input.torrent_ref.clone(), config.clone(), shared, membership) {
        Ok(swarm) => Ok(Prepared::Ready(input, Box::new(swarm))),
        Err(error @ Error::Private) => Ok(Prepared::Private(input, advice(&error.into()))),
        Err(error) => Err(error.into()),
    }
}

/// Takes the announces back, once the result has been printed; if there is another round, keeps what that takes over. A torrent that
/// turned out private is not asked about again, so that its tracker is told at once.
async fn leave(
    origin: &Origin,
    carried: &mut Carried,
    (input, is_private): (Input, bool),
    swarm: Box<Swarm>,
    context: &Context,
) -> std::io::Result<()> {
    if context.again && !is_private {
        carried.pause(input.torrent_ref.hashes, swarm.pause().await);
        carried.keep(origin, input);
        return Ok(());
    }
    let owed = swarm.shutdown().await;
    let told = context.output.lock().goodbyes(&input, &owed);
    if is_private {
        carried.refuse(input.torrent_ref.hashes);
        carried.keep(origin, input);
    }
    told
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

impl Mode {
    fn of(config: &Config, output: &Shared) -> Self {
        Self {
            named_peers: !config.peers.is_empty(),
            counts_only: config.scrape || !config.dial,
            metadata_only: output.lock().is_of_metadata(),
            web_seeds_only: config.sources == Sources::NONE.with_web_seeds(true),
        }
    }
}

/// What is left when the summary has been printed.
#[derive(Debug)]
struct RunResult {
    exit: Exit,
    /// Conditions that are not met.
    unmet: Vec<String>,
    /// Why it has this exit code, where its report does not say so.
    because: Option<String>,
    /// What it saw, where that is wanted.
    seen: Option<Seen>,
    /// Whether it ended because its metadata says that the torrent is private.
    is_private: bool,
}

/// Why a run about a link ended once its metadata was there.
const PRIVATE: &str = "private torrent, as its metadata says (BEP 27): its tracker may ban the user of a client that it does not know; \
                       --allow-private goes on all the same, with its trackers alone";

/// Runs the swarm to its end, or to the end of stdout, and reports each event.
async fn tell(
    input: &mut Input,
    swarm: &mut Swarm,
    mode: Mode,
    context: &Context,
    at_ms: i64,
) -> std::io::Result<RunResult> {
    let (output, recorder, mut interrupted) = (&context.output, &context.recorder, context.interrupted.clone());
    let mut result =
        RunResult { exit: Exit::Answered, unmet: Vec::new(), because: None, seen: None, is_private: false };
    let (mut tally, mut cut_short, mut saved) = (output.lock().tally(), false, Saved::No);
    let mut observer = (context.again || recorder.has_database()).then(Observer::default);
    output.lock().start(input)?;
    loop {
        let next = next_event(swarm, output, &mut interrupted, cut_short).await?;
        if let (Next::Event(event), Some(observer)) = (&next, &mut observer) {
            observer.count(input, event, recorder);
        }
        match next {
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
            Next::Event(Event::Pex(report)) => {
                tally.pex(&report);
                output.lock().pex(input, &report)?;
            }
            Next::Event(Event::Summary(summary)) => {
                let is_known = input.torrent().is_some();
                result.is_private = summary.cut_short == Some(CutShort::Private);
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
                if let Some(observer) = observer.take() {
                    result.seen = observer.end(input, &summary, (recorder, at_ms), context.until.as_ref()).await;
                }
                let since = result.seen.as_ref().and_then(Seen::since);
                let changes = result.seen.as_ref().and_then(changed::changes);
                let mut output = output.lock();
                if let Some(seen) = result.seen.as_ref().filter(|_| !context.again) {
                    let (page, is_quiet) = (output.page(), output.is_quiet());
                    output.since(changed::since(seen, is_quiet, page))?;
                }
                let (because, changes) = (result.because.as_deref(), changes.as_deref());
                let ended = Ended { exit: result.exit, because, saved: &saved, since, changes };
                result.unmet = output.summary(input, &summary, &tally, ended)?;
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
/// written; before a turn of the run's own tasks, what has waited for long. The wait itself is the engine's: asked again at once, it
/// would take that for a turn that others have had.
async fn next_event(
    swarm: &mut Swarm,
    output: &Shared,
    interrupted: &mut watch::Receiver<bool>,
    heard: bool,
) -> std::io::Result<Next> {
    let interim = swarm.interim();
    let (mut next, mut interrupt) = (pin!(swarm.next()), pin!(interrupted.wait_for(|said| *said)));
    poll_fn(|context| {
        // Nothing takes results any more: leave quietly.
        if output.lock().is_closed() {
            return Poll::Ready(Ok(Next::End));
        }
        if let Poll::Ready(event) = next.as_mut().poll(context) {
            return Poll::Ready(Ok(event.map_or(Next::End, Next::Event)));
        }
        let flushed = if interim.goes_on() { output.lock().flush_old() } else { output.lock().flush() };
        if let Err(error) = flushed {
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
    /// How the run ended; on stderr what is not met, or why there was no source of peers.
    fn ran(self, name: &str, context: &Context) -> Ran {
        let Self { exit, unmet, because, seen, .. } = self;
        if !context.again {
            let mut output = context.output.lock();
            if let Some(because) = because.filter(|_| !output.is_report()) {
                output.report_error(name, &because);
            }
            if !unmet.is_empty() {
                output.report_error(name, &format!("{} (--fail-under)", unmet.join("; ")));
            }
        }
        let exit = if unmet.is_empty() { exit } else { exit.max(Exit::NoPeerAnswered) };
        Ran { exit, fault: None, seen, unmet }
    }
}
