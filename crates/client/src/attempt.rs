//! One attempt at one peer: connect, perhaps encrypt, shake hands, listen, close.

use crate::budget::Budget;
use crate::connect::{ConnectError, connect};
use crate::handshake::answer;
use crate::linger::{LingerEnd, linger};
use crate::retries::PAUSE;
use crate::said::Said;
use crate::secure::{SecureFailure, secure};
use crate::stop::Stopped;
use crate::{Bind, HandshakeFailure, Looks, Outcome, PeerError, Shaken, Stage, Transport, handshake};
use ids::InfoHash;
use metainfo::Hashes;
use peer_wire::{Handshake, Reserved};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

/// How many times the deadline of a handshake an encrypted one has: it goes back and forth twice, and a client that looks at
/// its connections once a second, as aria2 does, was seen to take 3.5 s for it where it takes 1 s in the clear.
const ENCRYPTED: u32 = 2;

/// What every attempt of a run has in common.
#[derive(Debug)]
pub(crate) struct Terms {
    /// What we say, but for the info-hash.
    pub(crate) ours: Handshake,
    pub(crate) torrent: Facts,
    pub(crate) bind: Bind,
    pub(crate) connect_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
    /// How long to listen after the handshake; zero for not at all.
    pub(crate) linger: Duration,
    /// For what is received after handshakes.
    pub(crate) budget: Budget,
}

/// What attempts need to know of the torrent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) hashes: Hashes,
    pub(crate) pieces: u32,
}

/// Whom to try, and how.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) address: SocketAddr,
    /// The torrent to greet it with.
    pub(crate) info_hash: InfoHash,
    pub(crate) transport: Transport,
    /// The first attempt at this peer, when this is the second.
    pub(crate) first: Option<Box<Attempt>>,
}

/// How an attempt went.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) tried: Try,
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
    /// Bytes received from the peer.
    pub(crate) received: usize,
    pub(crate) said: Said,
    pub(crate) lingered: Option<LingerEnd>,
}

/// Why an attempt failed.
struct Failure {
    outcome: Outcome,
    error: PeerError,
    exhausted: bool,
}

/// What we say to one peer, and what it may answer.
struct Greeting {
    ours: Handshake,
    /// The info-hash of the torrent's other half, when the peer may answer with it.
    also: Option<InfoHash>,
}

/// Tries a peer once. Its clocks start here, not when it was queued.
pub(crate) async fn attempt(tried: Try, terms: &Terms, mut stopped: Stopped) -> Attempt {
    let mut progress = Progress::default();
    let address = tried.address;
    let result = stopped.or(converse(&tried, terms, &mut progress)).await;
    let (outcome, error, exhausted) = match result {
        // A valid handshake stays one, also when the listening after it was cut short.
        None if progress.stage == Stage::Done => (Outcome::Ok, None, false),
        None => (Outcome::Interrupted, None, false),
        Some(Ok(())) => (Outcome::Ok, None, false),
        Some(Err(Failure { outcome, error, exhausted })) => (outcome, Some(error), exhausted),
    };
    match &error {
        None if outcome == Outcome::Ok => debug!(peer = %address, "handshake is valid"),
        None => debug!(peer = %address, "{outcome}"),
        Some(error) => debug!(peer = %address, error = %guard::ErrorChain(error), "{outcome}"),
    }
    Attempt { tried, outcome, progress, error, exhausted }
}

/// Tries a peer, and once more when chance alone was against us.
async fn converse(tried: &Try, terms: &Terms, progress: &mut Progress) -> Result<(), Failure> {
    if !converse_once(tried, terms, progress, false).await? {
        debug!(peer = %tried.address, "the shared secret is short, and another key is drawn");
        *progress = Progress::default();
        sleep_until(Instant::now() + PAUSE).await;
        converse_once(tried, terms, progress, true).await?;
    }
    Ok(())
}

/// One connection. `false` when encryption came to keys that many clients cannot deal with, unless this is the `last` try.
async fn converse_once(tried: &Try, terms: &Terms, progress: &mut Progress, last: bool) -> Result<bool, Failure> {
    progress.stage = Stage::Connect;
    let begun = Instant::now();
    let address = tried.address;
    let mut stream = match timeout(terms.connect_timeout, connect(address, terms.bind)).await {
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
    debug!(peer = %address, transport = tried.transport.code(), "start handshake");
    let greeting = terms.greeting(tried.info_hash);
    let result = match tried.transport {
        Transport::Tcp => in_the_clear(&mut stream, &greeting, terms, connected, progress).await.map(|()| true),
        Transport::Mse => encrypted(&mut stream, &greeting, terms, connected, progress, last).await,
    };
    close(stream).await;
    result
}

async fn in_the_clear(
    stream: &mut TcpStream,
    greeting: &Greeting,
    terms: &Terms,
    connected: Instant,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let shaken = handshake(stream, &greeting.ours, greeting.also, terms.handshake_timeout).await;
    conclude(stream, shaken, greeting, terms, connected, progress).await
}

async fn encrypted(
    stream: &mut TcpStream,
    greeting: &Greeting,
    terms: &Terms,
    connected: Instant,
    progress: &mut Progress,
    last: bool,
) -> Result<bool, Failure> {
    let limit = terms.handshake_timeout * ENCRYPTED;
    let opened = timeout(limit, async {
        let secured = secure(stream, &greeting.ours, &mut progress.received, last).await?;
        let Some(mut secured) = secured else { return Ok(None) };
        let shaken = answer(&mut secured, &greeting.ours, greeting.also).await;
        Ok::<_, SecureFailure>(Some((secured, shaken)))
    });
    match opened.await {
        Ok(Ok(None)) => Ok(false),
        Ok(Ok(Some((mut secured, shaken)))) => {
            conclude(&mut secured, shaken, greeting, terms, connected, progress).await.map(|()| true)
        }
        Ok(Err(failure)) => Err(Failure::of_encryption(PeerError::Secure(failure))),
        Err(_) => Err(Failure::of_encryption(PeerError::SecureTimeout(limit))),
    }
}

/// Notes what the peer answered, and listens to what it says then.
async fn conclude<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    shaken: Result<Shaken, HandshakeFailure>,
    greeting: &Greeting,
    terms: &Terms,
    connected: Instant,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let theirs = match &shaken {
        Ok(shaken) => Some(&shaken.theirs),
        Err(failure) => failure.theirs(),
    };
    if let Some(theirs) = theirs {
        progress.stage = Stage::Done;
        progress.handshake = Some(connected.elapsed());
        progress.theirs = Some(*theirs);
        debug!(
            reserved = %theirs.reserved, info_hash = %theirs.info_hash, peer_id = %theirs.peer_id,
            "handshake response received"
        );
    }
    let Shaken { theirs, surplus } = match shaken {
        Ok(shaken) => shaken,
        Err(failure) => {
            progress.received += failure.received();
            return Err(Failure { outcome: failure.outcome(), error: failure.into(), exhausted: false });
        }
    };
    progress.received += Handshake::LENGTH + surplus.len();
    if !terms.linger.is_zero() {
        let Progress { said, lingered, received, .. } = progress;
        *lingered = Some(LingerEnd::TimeUp);
        let ended = linger(stream, &greeting.ours, &theirs, surplus, terms, said, received).await;
        *lingered = Some(ended);
    }
    Ok(())
}

impl Attempt {
    /// Whether a peer that requires encryption would have ended it so.
    pub(crate) fn may_mean_encryption(&self) -> bool {
        match (self.outcome, &self.error) {
            (Outcome::ClosedBeforeHandshake | Outcome::ShortHandshake, _) => true,
            (_, Some(PeerError::Handshake(HandshakeFailure::NotBitTorrent(bytes)))) => {
                bytes.looks() == Looks::HighEntropy
            }
            _ => false,
        }
    }

    /// Whether it says more of the peer than the attempt after it: of two failures the one that came further does, and
    /// of two that came as far the one in the clear.
    pub(crate) fn says_more_than(&self, later: &Self) -> bool {
        let rank = |attempt: &Self| (attempt.progress.stage, attempt.tried.transport == Transport::Tcp);
        later.outcome != Outcome::Ok && rank(self) > rank(later)
    }

    /// Whether it failed after the connection and before the peer said who it is.
    pub(crate) fn ended_in_the_handshake(&self) -> bool {
        self.progress.stage == Stage::Handshake && !matches!(self.outcome, Outcome::Ok | Outcome::Interrupted)
    }
}

impl Terms {
    /// With this bit of BEP 52 set, a peer that knows both halves of a hybrid may answer with the other info-hash. For
    /// any other torrent it must be clear: libtorrent closes on it.
    fn greeting(&self, info_hash: InfoHash) -> Greeting {
        let ours = Handshake { info_hash, ..self.ours };
        match self.torrent.hashes {
            Hashes::Hybrid { v1, v2 } if v1 == info_hash => Greeting {
                ours: Handshake { reserved: ours.reserved | Reserved::V2_UPGRADE, ..ours },
                also: Some(v2.truncated()),
            },
            _ => Greeting { ours, also: None },
        }
    }
}

impl Failure {
    fn of_encryption(error: PeerError) -> Self {
        Self { outcome: Outcome::EncryptionFailed, error, exhausted: false }
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
