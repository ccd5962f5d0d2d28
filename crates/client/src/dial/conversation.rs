//! One attempt at one peer: connect, hold the conversation, close.
//!
//! Thousands of these wait at the same time, so what a waiting one holds is kept small: no buffer, no second copy of
//! anything, and the state of an encrypted one on the heap.

use crate::dial::attempt::{Attempt, DialRequest, Failure, Progress};
use crate::dial::expected::Cut;
use crate::dial::opening;
use crate::dial::peer_context::PeerContext;
use crate::dial::peer_error::PeerError;
use crate::dial::rest::{Closed, Ended, Rest};
use crate::dial::stream::{Heard, Stream};
use crate::net::connect::ConnectError;
use nix::errno::Errno;
use peer_session::{HandshakeFailure, Met, Session};
use report::{Outcome, Stage};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tracing::debug;
use utp::CloseReason;

/// Time between connections to one peer: some clients refuse an address that comes back sooner.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// Tries a peer once, then goes on with what it leaves open: its attempt is reported before. Its clocks start here, not when it was queued.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
pub(crate) fn attempt(mut attempt: Box<Attempt>, context: Arc<PeerContext>) -> impl Future<Output = Ended> + Send {
    async move {
        // In a block, so that these values are gone before the last `await`, and the future has no space for both at the same time.
        let rest = {
            let Attempt { request, progress, .. } = &mut *attempt;
            // On the heap, because the runtime copies a task's future half a dozen times while it spawns and frees it.
            let result = request.expected.or_cut(Box::pin(converse(request, &context, progress))).await;
            end(attempt, result, context)
        };
        match rest {
            Ok(rest) => Ended::Closed(rest.await),
            Err(attempt) => Ended::Attempt(attempt),
        }
    }
}

/// Ends an attempt. If its connection goes on, tells of it and gives what is left; else gives the attempt.
fn end(
    mut attempt: Box<Attempt>,
    result: Result<Result<Option<Open>, Failure>, Cut>,
    context: Arc<PeerContext>,
) -> Result<Pin<Box<impl Future<Output = Box<Closed>> + Send>>, Box<Attempt>> {
    let (result, open) = match result {
        Ok(Ok(open)) => (Ok(Ok(())), open),
        Ok(Err(failure)) => (Ok(Err(failure)), None),
        Err(cut) => (Err(cut), None),
    };
    let rest = open.and_then(|(stream, session)| Rest::of(&mut attempt, stream, session));
    attempt.end(result, &context.rules.secrets);
    let Some(rest) = rest else { return Err(attempt) };
    // An error when the run is gone.
    let _ = context.told.send(attempt);
    Ok(rest.go_on(context))
}

/// A connection that stays open, and the rest of the conversation on it.
type Open = (Stream, peer_session::Rest);

/// Tries a peer, and once more when chance alone was against us.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
fn converse(
    request: &DialRequest,
    context: &PeerContext,
    progress: &mut Progress,
) -> impl Future<Output = Result<Option<Open>, Failure>> + Send {
    async move {
        let mut last = false;
        loop {
            let (stream, ended) = converse_once(request, context, progress, last).await?;
            match ended {
                peer_session::Ended::Heard(Some(rest)) => return Ok(Some((stream, rest))),
                peer_session::Ended::Heard(None) => {
                    stream.close();
                    return Ok(None);
                }
                peer_session::Ended::ShortSecret => stream.close(),
            }
            debug!(peer = %request.address, "the shared secret is short, and another key is drawn");
            sleep_until(Instant::now() + PAUSE).await;
            *progress = Progress::default();
            last = true;
        }
    }
}

/// One connection; the `last` one when encryption came to a short secret before.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
fn converse_once(
    request: &DialRequest,
    context: &PeerContext,
    progress: &mut Progress,
    last: bool,
) -> impl Future<Output = Result<(Stream, peer_session::Ended), Failure>> + Send {
    async move {
        // One timer for all stages: it goes on from the one to the other, and is not taken back and set again.
        let mut alarm = pin!(sleep_until(opening::first_alarm(request, context)));
        (progress.stage, progress.transport) = (Stage::Connect, request.transport);
        let begun = Instant::now();
        let stream = opening::open(request, context, alarm.as_mut(), progress).await?;
        let mut stream = Heard { stream, expected: &request.expected };
        opened(begun, request, context, &mut stream, progress);
        // The conversation has the stream itself.
        let (ours, named) = (stream.stream.end(), &mut progress.pex);
        let mut extensions = move |met: Met<'_>| {
            // What it says of itself has a time of its own.
            request.expected.until(None);
            context.offers.extensions(request, || ours.local_addr(), met, named)
        };
        let session = Session {
            hello: context.hello(request.info_hash),
            rules: &context.rules,
            extensions: Some(&mut extensions),
        };
        let said = &mut progress.session;
        let result = match request.encryption.is_encrypted() {
            false => session.run(&mut stream, alarm, said).await,
            // On the heap, so that a conversation in the clear does not hold the negotiation's state.
            true => Box::pin(session.run_encrypted(&mut stream, Heard::acknowledge, last, alarm, said)).await,
        };
        let stream = stream.stream;
        if result.is_err() && stream.is_ourselves() {
            *progress = Progress { stage: Stage::Connect, ..Progress::default() };
            return Err(ConnectError::Remote(io::Error::from_raw_os_error(Errno::ECONNREFUSED as i32)).into());
        }
        let failure = match result {
            Ok(ended) => return Ok((stream, ended)),
            Err(failure) => Failure::from(failure),
        };
        let is_full = stream.close_reason() == Some(CloseReason::FULL);
        stream.close();
        let is_closed = is_full && failure.outcome == Outcome::ClosedBeforeHandshake;
        Err(if is_closed { Failure { error: PeerError::Full, ..failure } } else { failure })
    }
}

/// Notes a connection, before anything is said on it.
fn opened(
    begun: Instant,
    request: &DialRequest,
    context: &PeerContext,
    stream: &mut Heard<'_>,
    progress: &mut Progress,
) {
    if context.offers.wants_metadata() {
        stream.stream.hurry();
    }
    // That of a second transport began later.
    let took = *progress.connect.get_or_insert_with(|| begun.elapsed());
    // The user's are few, and waited for however busy they are.
    let answers_in = context.limits.handshake(took).filter(|_| !request.by_user);
    stream.expected.connected(took, answers_in);
    if stream.expected.is_late() && context.offers.wants_metadata() {
        // It may be the one that has it.
        stream.expected.until(None);
    }
    progress.stage = Stage::Handshake;
    let (transport, encryption) = (progress.transport.code(), request.encryption.code());
    debug!(peer = %request.address, transport, encryption, "start handshake");
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let exhausted = matches!(error, ConnectError::Exhausted(_));
        Self { outcome: error.outcome(), error: PeerError::Connect(error.into_io()), exhausted }
    }
}

impl From<peer_session::Failure> for Failure {
    fn from(failure: peer_session::Failure) -> Self {
        use peer_session::Failure::{Encryption, EncryptionTimeout, Handshake};
        let (outcome, error) = match failure {
            Handshake(failure) => (outcome_of(&failure), PeerError::Handshake(failure)),
            Encryption(failure) => (Outcome::EncryptionFailed, PeerError::Secure(failure)),
            EncryptionTimeout(limit) => (Outcome::EncryptionFailed, PeerError::SecureTimeout(limit)),
        };
        Self { outcome, error, exhausted: false }
    }
}

/// The outcome that a failed exchange of handshakes means for the peer.
pub(crate) fn outcome_of(failure: &HandshakeFailure) -> Outcome {
    use HandshakeFailure::{Broken, Closed, NotBitTorrent, OwnPeerId, TimedOut, WrongInfoHash};
    match failure {
        TimedOut { .. } => Outcome::HandshakeTimeout,
        Closed { received: 0 } | Broken { received: 0, .. } => Outcome::ClosedBeforeHandshake,
        Closed { .. } | Broken { .. } => Outcome::ShortHandshake,
        NotBitTorrent(_) => Outcome::NotBittorrent,
        WrongInfoHash(_) => Outcome::WrongInfoHash,
        OwnPeerId(_) => Outcome::OwnPeerId,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::{InfoHash, PeerId};
    use peer_session::NotBitTorrent;
    use peer_wire::{Handshake, Reserved};

    #[test]
    fn each_failed_handshake_has_its_outcome() {
        let theirs =
            Handshake { reserved: Reserved::default(), info_hash: InfoHash([9; 20]), peer_id: PeerId([9; 20]) };
        let broken = |received| HandshakeFailure::Broken { received, source: io::ErrorKind::ConnectionReset.into() };
        for (failure, outcome) in [
            (HandshakeFailure::TimedOut { received: 67, timeout: PAUSE }, Outcome::HandshakeTimeout),
            (HandshakeFailure::Closed { received: 0 }, Outcome::ClosedBeforeHandshake),
            (HandshakeFailure::Closed { received: 1 }, Outcome::ShortHandshake),
            (broken(0), Outcome::ClosedBeforeHandshake),
            (broken(67), Outcome::ShortHandshake),
            (HandshakeFailure::NotBitTorrent(NotBitTorrent::of(b"HTTP/1.1")), Outcome::NotBittorrent),
            (HandshakeFailure::WrongInfoHash(theirs), Outcome::WrongInfoHash),
            (HandshakeFailure::OwnPeerId(theirs), Outcome::OwnPeerId),
        ] {
            assert_eq!(outcome_of(&failure), outcome, "{failure}");
        }
    }
}
