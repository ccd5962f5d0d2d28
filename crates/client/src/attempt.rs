//! One attempt at one peer: connect, shake hands, close.

use crate::connect::{ConnectError, connect};
use crate::report::PeerError;
use crate::stop::Stopped;
use crate::{Bind, Outcome, Stage, handshake};
use ids::InfoHash;
use peer_wire::Handshake;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::debug;

/// What every attempt of a run has in common.
#[derive(Debug)]
pub(crate) struct Terms {
    /// What we say, but for the info-hash.
    pub(crate) ours: Handshake,
    pub(crate) bind: Bind,
    pub(crate) connect_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
}

/// How an attempt went.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) address: SocketAddr,
    pub(crate) outcome: Outcome,
    pub(crate) progress: Progress,
    pub(crate) error: Option<PeerError>,
    /// Our own machine had run out of something: worth another try when others have finished.
    pub(crate) exhausted: bool,
}

/// What is known of an attempt while it goes on, and remains known when it is cut short.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    pub(crate) connect: Option<Duration>,
    pub(crate) handshake: Option<Duration>,
    pub(crate) theirs: Option<Handshake>,
}

/// Why an attempt failed.
struct Failure {
    outcome: Outcome,
    error: PeerError,
    exhausted: bool,
}

/// Tries `address` once, as a peer of the torrent `info_hash`. Its clocks start here, not when it was queued.
pub(crate) async fn attempt(address: SocketAddr, info_hash: InfoHash, terms: &Terms, mut stopped: Stopped) -> Attempt {
    let mut progress = Progress::default();
    let ours = Handshake { info_hash, ..terms.ours };
    let result = stopped.or(converse(address, &ours, terms, &mut progress)).await;
    let (outcome, error, exhausted) = match result {
        None => (Outcome::Interrupted, None, false),
        Some(Ok(())) => (Outcome::Ok, None, false),
        Some(Err(Failure { outcome, error, exhausted })) => (outcome, Some(error), exhausted),
    };
    match &error {
        None if outcome == Outcome::Ok => debug!(peer = %address, "handshake is valid"),
        None => debug!(peer = %address, "{outcome}"),
        Some(error) => debug!(peer = %address, error = %guard::ErrorChain(error), "{outcome}"),
    }
    Attempt { address, outcome, progress, error, exhausted }
}

async fn converse(
    address: SocketAddr,
    ours: &Handshake,
    terms: &Terms,
    progress: &mut Progress,
) -> Result<(), Failure> {
    progress.stage = Stage::Connect;
    let begun = Instant::now();
    let connecting = tokio::time::timeout(terms.connect_timeout, connect(address, terms.bind));
    let mut stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => {
            let error = PeerError::ConnectTimeout(terms.connect_timeout);
            return Err(Failure { outcome: Outcome::ConnectTimeout, error, exhausted: false });
        }
    };
    let connected = Instant::now();
    progress.connect = Some(connected - begun);
    progress.stage = Stage::Handshake;
    debug!(peer = %address, "start handshake");
    let shaken = handshake(&mut stream, ours, terms.handshake_timeout).await;
    let theirs = match &shaken {
        Ok(shaken) => Some(&shaken.theirs),
        Err(failure) => failure.theirs(),
    };
    if let Some(theirs) = theirs {
        progress.stage = Stage::Done;
        progress.handshake = Some(connected.elapsed());
        progress.theirs = Some(*theirs);
        debug!(
            peer = %address, reserved = %theirs.reserved, info_hash = %theirs.info_hash, peer_id = %theirs.peer_id,
            "handshake response received"
        );
    }
    close(stream).await;
    match shaken {
        Ok(_) => Ok(()),
        Err(failure) => Err(Failure { outcome: failure.outcome(), error: failure.into(), exhausted: false }),
    }
}

/// Says goodbye before hanging up: a socket dropped with bytes unread sends a reset instead of an orderly end.
async fn close(mut stream: TcpStream) {
    /// Reads before we hang up anyway; a peer that sends without end is not worth more.
    const READS: usize = 16;
    // Failing to close politely is no news: the connection is over either way.
    let _ = stream.shutdown().await;
    let mut unread = [0; 1024];
    for _ in 0..READS {
        if !matches!(stream.try_read(&mut unread), Ok(1..)) {
            break;
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let exhausted = matches!(error, ConnectError::Exhausted(_));
        Self { outcome: error.outcome(), error: PeerError::Connect(error.into_io()), exhausted }
    }
}
