//! One torrent from file to exit code.

use crate::exit::{Exit, complain};
use crate::output::{Shared, Subject};
use client::{Bounds, Config, CutShort, Error, Event, Summary, Swarm, read_torrent};
use guard::{ErrorChain, escape};
use metainfo::Torrent;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use tokio::sync::watch;

/// Does the main job for one torrent, telling it as it happens.
pub(crate) async fn run(
    path: &Path,
    config: Config,
    bounds: &Bounds,
    output: &Shared,
    mut interrupted: watch::Receiver<bool>,
) -> Exit {
    let name = shown(path);
    let wanted = Wanted { named_peers: !config.peers.is_empty(), counts_only: config.scrape };
    let prepared = tokio::select! {
        prepared = prepare(path, config, bounds) => prepared,
        _ = interrupted.wait_for(|said| *said) => return Exit::Interrupted,
    };
    let (torrent, mut swarm) = match prepared {
        Ok(prepared) => prepared,
        Err(Error::Private) => {
            complain(&format!("{name}: {}: --allow-private", Error::Private));
            return Exit::LocalError;
        }
        // The file's name and the reason are enough; that it could not be read goes without saying.
        Err(Error::Read(error)) => {
            complain(&format!("{name}: {error}"));
            return Exit::LocalError;
        }
        Err(error) => {
            complain(&format!("{name}: {}", ErrorChain(&error)));
            return Exit::LocalError;
        }
    };
    let subject = Subject { path, torrent: &torrent };
    let told = tell(subject, &mut swarm, output, interrupted).await;
    // Takes the announces back; the result has been printed.
    swarm.shutdown().await;
    match told {
        // Nobody reads any more: how it went is of no interest.
        Ok(_) if output.lock().is_closed() => Exit::Answered,
        Ok(told) => told.exit(&name, wanted),
        Err(error) => {
            complain(&format!("cannot write: {error}"));
            Exit::LocalError
        }
    }
}

/// The path as given. A URL in its place may hold a passkey.
fn shown(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = if path.contains("://") { guard::redact_url(&path).into() } else { path };
    escape(&path).to_string()
}

async fn prepare(path: &Path, config: Config, bounds: &Bounds) -> Result<(Torrent, Swarm), Error> {
    let torrent = Torrent::parse(&read_torrent(path, config.deadline).await?)?;
    let swarm = Swarm::within(&torrent, config, bounds)?;
    Ok((torrent, swarm))
}

/// Trackers named in the one line that says that none answered.
const MOST_FAILURES: usize = 10;

/// What the user wanted beyond the torrent's own peers.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    named_peers: bool,
    /// `--scrape`: a tracker's answer is the answer.
    counts_only: bool,
}

/// What is left to say when everything has been told.
#[derive(Debug, Default)]
struct Told {
    summary: Summary,
    /// Trackers that failed, with the reason.
    failures: Vec<String>,
}

async fn tell(
    subject: Subject<'_>,
    swarm: &mut Swarm,
    output: &Shared,
    mut interrupted: watch::Receiver<bool>,
) -> std::io::Result<Told> {
    let (mut told, mut cut_short) = (Told::default(), false);
    output.lock().start(subject)?;
    loop {
        // Nobody reads any more: leave quietly.
        if output.lock().is_closed() {
            return Ok(told);
        }
        let event = match at_once(swarm.next()).await {
            Some(event) => event,
            None => {
                output.lock().flush()?;
                tokio::select! {
                    event = swarm.next() => event,
                    // Once is enough.
                    _ = interrupted.wait_for(|said| *said), if !cut_short => {
                        cut_short = true;
                        swarm.interrupt();
                        continue;
                    }
                }
            }
        };
        match event {
            None => return Ok(told),
            Some(Event::Tracker(report)) => {
                if !report.status.is_ok() && told.failures.len() <= MOST_FAILURES {
                    told.failures.push(format!("{}: {}", report.url, report.message().unwrap_or_default()));
                }
                output.lock().tracker(subject, &report)?;
            }
            Some(Event::Peer(report)) => output.lock().peer(subject, &report)?,
            Some(Event::Summary(summary)) => {
                output.lock().summary(subject, &summary)?;
                told.summary = summary;
            }
            Some(_) => {}
        }
    }
}

/// What `work` comes to, if that needs no waiting.
async fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let poll = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
    if let Poll::Ready(done) = poll { Some(done) } else { None }
}

impl Told {
    /// The exit code, and for a run without any source of peers the reason on stderr.
    fn exit(&self, name: &str, wanted: Wanted) -> Exit {
        let summary = &self.summary;
        if summary.cut_short == Some(CutShort::Interrupt) {
            return Exit::Interrupted;
        }
        if summary.ok > 0 || (wanted.counts_only && !wanted.named_peers && summary.trackers_ok > 0) {
            return Exit::Answered;
        }
        if wanted.named_peers || summary.trackers_ok > 0 {
            return Exit::NobodyAnswered;
        }
        if self.failures.is_empty() {
            complain(&format!("{name}: no tracker to ask; name one with --tracker, or a peer with --peer"));
        } else {
            let shown = self.failures.get(..MOST_FAILURES).unwrap_or(&self.failures);
            let more = if self.failures.len() > shown.len() { "; and others" } else { "" };
            complain(&format!("{name}: no tracker answered: {}{more}", shown.join("; ")));
        }
        Exit::NoSource
    }
}
