//! One conversation, from the first byte to the last thing heard.

use crate::advertised::Advertised;
use crate::alarm::{before, end};
use crate::extensions::Extensions;
use crate::handshake::{HandshakeDone, HandshakeFailure, judge, meet};
use crate::hello::Hello;
use crate::listen::{ListenEnd, Listener, Words};
use crate::oddity::Oddity;
use crate::rest::Rest;
use crate::rules::{Met, Rules};
use crate::secure::{Negotiation, SecureFailure, negotiate};
use bytes::BytesMut;
use peer_wire::Handshake;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tracing::debug;

/// One conversation: what is said, by which rules, and the extensions that are spoken.
pub struct Session<'a> {
    /// What is said first.
    pub hello: Hello<'a>,
    /// What all conversations have in common.
    pub rules: &'a Rules,
    /// Makes the extensions that are offered (BEP 10). Called once, when handshakes were exchanged: conversations that wait for one
    /// are many, and hold none.
    pub extensions: Option<&'a mut (dyn FnMut(Met<'_>) -> Extensions + Send)>,
}

/// What is known of a conversation while it goes on, and remains known when it is cut short.
#[derive(Debug, Default)]
pub struct Progress {
    /// Time from the connection to the peer's complete handshake.
    pub handshake: Option<Duration>,
    /// The peer's handshake, also one for another torrent.
    pub theirs: Option<Handshake>,
    /// Bytes received from the peer.
    pub received: usize,
    /// What it said of itself.
    pub advertised: Advertised,
    /// Why it was listened to no longer; `None` when it was not listened to.
    pub listened: Option<ListenEnd>,
}

/// How a conversation ended that did not fail.
#[derive(Debug)]
pub enum Ended {
    /// A valid handshake, and what the peer says of itself after it; with the rest of the conversation, if extensions wait for more.
    Heard(Option<Rest>),
    /// The keys make a secret that begins with zeros, which many clients cannot deal with. On a new connection there is
    /// another key.
    ShortSecret,
}

/// Why a conversation gave no valid handshake.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No valid handshake, in the clear or behind encryption.
    #[error(transparent)]
    Handshake(#[from] HandshakeFailure),
    /// No encryption.
    #[error("encryption failed")]
    Encryption(#[source] SecureFailure),
    /// No encrypted handshake in time.
    #[error("no encrypted handshake within {} s", .0.as_secs_f32())]
    EncryptionTimeout(Duration),
}

impl Session<'_> {
    /// Holds the conversation in the clear, on a stream that has just been connected. `alarm` is set to the deadline, for one
    /// timer costs less than several: pass that of the connection, or any. Whatever is learned is noted in
    /// `progress` at once, so that this may be dropped at any time. The stream is left open.
    ///
    /// # Errors
    /// Why there is no valid handshake.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and thousands of these wait"
    )]
    pub fn run<S: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        stream: &mut S,
        mut alarm: Pin<&mut Sleep>,
        progress: &mut Progress,
    ) -> impl Future<Output = Result<Ended, Failure>> {
        async move {
            let connected = Instant::now();
            alarm.as_mut().reset(end(connected, self.rules.handshake_timeout));
            let mut surplus = BytesMut::new();
            // A future of its own is not made of this: it would hold its arguments once more.
            let received = &mut progress.received;
            let theirs = before(alarm.as_mut(), pin!(meet(stream, &self.hello, &mut surplus, received))).await;
            let shaken = judge(theirs, &self.hello, surplus, self.rules.handshake_timeout);
            let surplus = progress.shaken(shaken, connected, self.rules)?;
            // On the heap, so that conversations that wait for a handshake do not hold it too.
            let listener = Box::pin(self.listen(stream, alarm, surplus, progress)).await;
            Ok(Ended::Heard(listener.map(|listener| Rest::new(listener, None, progress.received))))
        }
    }

    /// As [`run`](Self::run), behind Message Stream Encryption with RC4, the one choice that every client accepts.
    ///
    /// `acknowledge` is called after each read of the negotiation. libtorrent writes its answer in pieces and lets Nagle's
    /// algorithm hold each back until the one before it is acknowledged, which a system delays by 40 ms: over TCP it should ask
    /// for an acknowledgement at once (`TCP_QUICKACK`), and the handshake takes 3 ms in place of 45.
    ///
    /// With `any_key`, goes on with keys whose shared secret begins with zeros, which many clients cannot deal with, in place of
    /// [`Ended::ShortSecret`].
    ///
    /// # Errors
    /// Why there is no valid handshake.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and thousands of these wait"
    )]
    pub fn run_encrypted<S: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        stream: &mut S,
        acknowledge: fn(&S),
        any_key: bool,
        mut alarm: Pin<&mut Sleep>,
        progress: &mut Progress,
    ) -> impl Future<Output = Result<Ended, Failure>> {
        async move {
            let connected = Instant::now();
            alarm.as_mut().reset(end(connected, self.rules.encrypted_timeout()));
            let negotiation = Negotiation { hello: &self.hello, entropy: self.rules.entropy, acknowledge, any_key };
            let opened = before(alarm.as_mut(), pin!(negotiate(stream, negotiation, &mut progress.received))).await;
            let (mut secured, shaken) = match opened {
                Some(Ok(Some(opened))) => opened,
                Some(Ok(None)) => return Ok(Ended::ShortSecret),
                Some(Err(failure)) => return Err(Failure::Encryption(failure)),
                None => return Err(Failure::EncryptionTimeout(self.rules.encrypted_timeout())),
            };
            let surplus = progress.shaken(shaken, connected, self.rules)?;
            let listener = Box::pin(self.listen(&mut secured, alarm, surplus, progress)).await;
            Ok(Ended::Heard(listener.map(|listener| Rest::new(listener, Some(secured.ciphers), progress.received))))
        }
    }

    /// Listens to what the peer says of itself after its handshake; `surplus` came along with it. Gives the listener where extensions
    /// wait for more.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and thousands of these wait"
    )]
    fn listen<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        alarm: Pin<&mut Sleep>,
        surplus: BytesMut,
        progress: &mut Progress,
    ) -> impl Future<Output = Option<Listener>> {
        async move {
            let listening = &self.rules.listening;
            let theirs = progress.theirs.as_ref().filter(|_| !listening.time.is_zero())?;
            let took = progress.handshake.unwrap_or_default();
            // Stays so when this is cut short.
            progress.listened = Some(ListenEnd::TimeUp);
            let mut words = Words::new(theirs, took, &mut progress.advertised);
            let mut listener = Listener::new(surplus, self.hello.greeting.ours.reserved, theirs.reserved, listening);
            let make = self.extensions.take();
            let begun = listener.begin(&mut words, listening, |met| make.map(|make| make(met)).unwrap_or_default());
            let end = match begun {
                Some(end) => end,
                None => listener.listen(stream, alarm, self.rules, Some(&mut words), &mut progress.received).await,
            };
            let goes_on = listener.goes_on_after(&end);
            progress.listened = Some(end);
            goes_on.then_some(listener)
        }
    }
}

impl Progress {
    /// Notes what the peer answered; gives what came behind its handshake.
    fn shaken(
        &mut self,
        shaken: Result<HandshakeDone, HandshakeFailure>,
        connected: Instant,
        rules: &Rules,
    ) -> Result<BytesMut, HandshakeFailure> {
        let shaken = match shaken {
            // Not that of this connection, but of another one, or the one that is announced.
            Ok(HandshakeDone { theirs, .. }) if (rules.is_ours)(theirs.peer_id) => {
                Err(HandshakeFailure::OwnPeerId(theirs))
            }
            shaken => shaken,
        };
        let theirs = match &shaken {
            Ok(shaken) => Some(&shaken.theirs),
            Err(failure) => failure.theirs(),
        };
        if let Some(theirs) = theirs {
            self.handshake = Some(connected.elapsed());
            self.theirs = Some(*theirs);
            let mut peer_id = theirs.peer_id;
            rules.secrets.mask(&mut peer_id.0);
            debug!(
                reserved = %theirs.reserved, info_hash = %theirs.info_hash, %peer_id, "handshake response received"
            );
        }
        let HandshakeDone { surplus, early, .. } = shaken?;
        if early > 0 {
            self.advertised.oddities.add(Oddity::MessagesBeforeHandshake);
        }
        Ok(surplus)
    }
}
