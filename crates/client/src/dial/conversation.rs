//! One conversation with one peer: connect, perhaps encrypt, shake hands, listen, close.
//!
//! Thousands of these wait at the same time, so what a waiting one holds is kept small: no buffer, no second copy of
//! anything, and the state of an encrypted one on the heap.

use crate::dial::attempt::{Hello, Progress, Terms, Try};
use crate::dial::retries::PAUSE;
use crate::net::connect::{ConnectError, connect, met_itself};
use crate::report::client_name::masked;
use crate::report::outcome::{Outcome, Stage, Transport};
use crate::report::peer::PeerError;
use crate::session::alarm::{before, end};
use crate::session::handshake::{HandshakeFailure, Shaken, answer, exchange};
use crate::session::listen::{LingerEnd, Listener};
use crate::session::oddity::Oddity;
use crate::session::secure::{SecureFailure, secure};
use bytes::BytesMut;
use nix::errno::Errno;
use std::io;
use std::pin::{Pin, pin};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::debug;

/// How many times the deadline of a handshake an encrypted one has: it goes back and forth twice, and a client that looks at
/// its connections once a second, as aria2 does, was seen to take 3.5 s for it where it takes 1 s in the clear.
const ENCRYPTED: u32 = 2;

/// Why an attempt failed.
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) error: PeerError,
    pub(crate) exhausted: bool,
}

/// Tries a peer, and once more when chance alone was against us.
pub(crate) async fn converse(tried: &Try, terms: &Terms, progress: &mut Progress) -> Result<(), Failure> {
    let mut last = false;
    while !converse_once(tried, terms, progress, last).await? {
        debug!(peer = %tried.address, "the shared secret is short, and another key is drawn");
        *progress = Progress::default();
        sleep_until(Instant::now() + PAUSE).await;
        last = true;
    }
    Ok(())
}

/// One connection. `false` when encryption came to keys that many clients cannot deal with, unless this is the `last` try.
async fn converse_once(tried: &Try, terms: &Terms, progress: &mut Progress, last: bool) -> Result<bool, Failure> {
    progress.stage = Stage::Connect;
    let begun = Instant::now();
    // One timer for both stages: it goes on from the one to the other, and is not taken back and set again.
    let mut alarm = pin!(sleep_until(end(begun, terms.connect_timeout)));
    let mut stream = match before(alarm.as_mut(), pin!(connect(tried.address, terms.bind))).await {
        Some(Ok(stream)) => stream,
        Some(Err(error)) => return Err(error.into()),
        None => {
            let error = PeerError::ConnectTimeout(terms.connect_timeout);
            return Err(Failure { outcome: Outcome::ConnectTimeout, error, exhausted: false });
        }
    };
    let connected = Instant::now();
    progress.connect = Some(connected - begun);
    progress.stage = Stage::Handshake;
    debug!(peer = %tried.address, transport = tried.transport.code(), "start handshake");
    let hello = terms.hello(tried.info_hash);
    let result = match tried.transport {
        Transport::Tcp => {
            let timeout = terms.handshake_timeout;
            alarm.as_mut().reset(end(connected, timeout));
            let shaken = exchange(&mut stream, &hello, timeout, alarm, &mut progress.received).await;
            match progress.shaken(shaken, connected, terms) {
                Ok(surplus) => {
                    listen(&mut stream, surplus, terms, progress).await;
                    Ok(true)
                }
                Err(failure) => Err(failure),
            }
        }
        Transport::Mse => Box::pin(encrypted(&mut stream, &hello, terms, (connected, alarm), progress, last)).await,
    };
    if result.is_err() && met_itself(&stream) {
        *progress = Progress { stage: Stage::Connect, ..Progress::default() };
        return Err(ConnectError::Remote(io::Error::from_raw_os_error(Errno::ECONNREFUSED as i32)).into());
    }
    close(stream);
    result
}

async fn encrypted(
    stream: &mut TcpStream,
    hello: &Hello<'_>,
    terms: &Terms,
    (connected, mut alarm): (Instant, Pin<&mut Sleep>),
    progress: &mut Progress,
    last: bool,
) -> Result<bool, Failure> {
    let limit = terms.handshake_timeout.saturating_mul(ENCRYPTED);
    alarm.as_mut().reset(end(connected, limit));
    let negotiation = async {
        let secured = secure(stream, &hello.handshake(), &mut progress.received, last).await?;
        let Some(mut secured) = secured else { return Ok(None) };
        let shaken = answer(&mut secured, hello, &mut progress.received).await;
        Ok::<_, SecureFailure>(Some((secured, shaken)))
    };
    let opened = before(alarm, pin!(negotiation)).await;
    match opened {
        Some(Ok(None)) => Ok(false),
        Some(Ok(Some((mut secured, shaken)))) => {
            let surplus = progress.shaken(shaken, connected, terms)?;
            listen(&mut secured, surplus, terms, progress).await;
            Ok(true)
        }
        Some(Err(failure)) => Err(Failure::of_encryption(PeerError::Secure(failure))),
        None => Err(Failure::of_encryption(PeerError::SecureTimeout(limit))),
    }
}

/// Listens to what the peer says after its handshake; `surplus` came along with it.
async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    surplus: BytesMut,
    terms: &Terms,
    progress: &mut Progress,
) {
    let Some(theirs) = progress.theirs.filter(|_| !terms.linger.is_zero()) else { return };
    let Progress { said, lingered, received, .. } = progress;
    // Stays so when this is cut short.
    *lingered = Some(LingerEnd::TimeUp);
    let mut listener = Listener::new(surplus, terms, theirs, said, received);
    // On the heap, so that those who have not come so far do not hold it too.
    *lingered = Some(Box::pin(listener.listen(stream)).await);
}

impl Progress {
    /// Notes what the peer answered; gives what came behind its handshake.
    fn shaken(
        &mut self,
        shaken: Result<Shaken, HandshakeFailure>,
        connected: Instant,
        terms: &Terms,
    ) -> Result<BytesMut, Failure> {
        let shaken = match shaken {
            // Not this connection's, but another's, or the one that trackers tell.
            Ok(Shaken { theirs, .. }) if terms.is_ours(theirs.peer_id) => Err(HandshakeFailure::OwnPeerId(theirs)),
            shaken => shaken,
        };
        let theirs = match &shaken {
            Ok(shaken) => Some(&shaken.theirs),
            Err(failure) => failure.theirs(),
        };
        if let Some(theirs) = theirs {
            self.stage = Stage::Done;
            self.handshake = Some(connected.elapsed());
            self.theirs = Some(*theirs);
            debug!(
                reserved = %theirs.reserved, info_hash = %theirs.info_hash,
                peer_id = %masked(theirs.peer_id, &terms.secrets), "handshake response received"
            );
        }
        match shaken {
            Ok(Shaken { surplus, early, .. }) => {
                if early > 0 {
                    self.said.oddities.add(Oddity::MessagesBeforeHandshake);
                }
                Ok(surplus)
            }
            Err(failure) => Err(Failure { outcome: failure.outcome(), error: failure.into(), exhausted: false }),
        }
    }
}

impl Failure {
    fn of_encryption(error: PeerError) -> Self {
        Self { outcome: Outcome::EncryptionFailed, error, exhausted: false }
    }
}

/// Hangs up. A socket that is closed with bytes unread sends a reset instead of an orderly end.
fn close(stream: TcpStream) {
    /// Reads before we hang up anyway; a peer that sends without end is not worth more.
    const READS: usize = 16;
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
