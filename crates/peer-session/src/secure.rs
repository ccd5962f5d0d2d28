//! Message Stream Encryption: the negotiation, and the encrypted stream.

use crate::dump;
use crate::handshake::{HandshakeDone, HandshakeFailure, answer};
use crate::hello::Hello;
use crate::read::read_some;
use bytes::{Buf, BytesMut};
use mse::{Cipher, Established, Initiator, InitiatorConfig, Stage};
use peer_wire::Handshake;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Why there is no encrypted stream.
#[derive(Debug, thiserror::Error)]
pub enum SecureFailure {
    /// The peer closed the connection.
    #[error("closed while we waited for the {stage}, after {received} bytes")]
    Closed {
        /// What came next.
        stage: Stage,
        /// Bytes received before.
        received: usize,
    },
    /// The connection broke, usually by a reset.
    #[error("connection broke while we waited for the {stage}, after {received} bytes")]
    Broken {
        /// What came next.
        stage: Stage,
        /// Bytes received before.
        received: usize,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The peer broke the negotiation's protocol.
    #[error(transparent)]
    Mse(#[from] mse::Error),
}

/// Random bytes of our private key.
const SECRET: usize = 20;

/// A stream whose bytes go through the ciphers of a negotiation.
#[derive(Debug)]
pub(crate) struct Secured<S> {
    pub(crate) stream: S,
    pub(crate) ciphers: Box<Ciphers>,
}

/// What stands between such a stream and what is said on it.
#[derive(Debug)]
pub(crate) struct Ciphers {
    encrypt: Cipher,
    decrypt: Cipher,
    /// Received behind the negotiation, decrypted already.
    received: BytesMut,
    /// Encrypted and not yet written. What has gone through the cipher cannot be taken back.
    unwritten: BytesMut,
}

/// What a negotiation needs to know.
pub(crate) struct Negotiation<'a, S> {
    pub(crate) hello: &'a Hello<'a>,
    /// Fills a buffer with random bytes.
    pub(crate) entropy: fn(&mut [u8]) -> io::Result<()>,
    /// Called after each read.
    pub(crate) acknowledge: fn(&S),
    /// Whether to go on with keys that many clients cannot deal with.
    pub(crate) any_key: bool,
}

/// The encrypted stream and the answer to our handshake, which was sent along; nothing when the keys make a secret that many
/// clients cannot deal with.
type Opened<'s, S> = Option<(Secured<&'s mut S>, Result<HandshakeDone, HandshakeFailure>)>;

/// Negotiates RC4 and reads the peer's handshake behind it. Counts into `bytes` what comes.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice, and thousands of these wait")]
pub(crate) fn negotiate<'s, S: AsyncRead + AsyncWrite + Unpin>(
    stream: &'s mut S,
    negotiation: Negotiation<'_, S>,
    bytes: &mut usize,
) -> impl Future<Output = Result<Opened<'s, S>, SecureFailure>> {
    async move {
        let Some(mut secured) = secure(stream, &negotiation, bytes).await? else { return Ok(None) };
        let shaken = answer(&mut secured, negotiation.hello, bytes).await;
        Ok(Some((secured, shaken)))
    }
}

/// Negotiates; our handshake is sent along. Counts what the negotiation takes into `bytes`; what came behind it is still to be
/// read.
async fn secure<'s, S: AsyncRead + AsyncWrite + Unpin>(
    stream: &'s mut S,
    negotiation: &Negotiation<'_, S>,
    bytes: &mut usize,
) -> Result<Option<Secured<&'s mut S>>, SecureFailure> {
    let mut initiator = initiator(&negotiation.hello.handshake(), negotiation.entropy)?;
    let mut received = BytesMut::new();
    loop {
        // A peer that has closed already may still have said something: what it said decides.
        let written = {
            let output = initiator.output();
            dump::sent(&output);
            stream.write_all(&output).await
        };
        let (stage, so_far) = (initiator.stage(), *bytes);
        let read = read_some(stream, &mut received).await;
        (negotiation.acknowledge)(stream);
        match (read, written) {
            (Ok(0), Ok(())) => return Err(SecureFailure::Closed { stage, received: so_far }),
            (Err(source), _) | (Ok(0), Err(source)) => {
                return Err(SecureFailure::Broken { stage, received: so_far, source });
            }
            (Ok(read), _) => *bytes += read,
        }
        if let Some(Established { encrypt, decrypt, .. }) = initiator.input(&mut received)? {
            *bytes -= received.len();
            let ciphers = Box::new(Ciphers { encrypt, decrypt, received, unwritten: BytesMut::new() });
            return Ok(Some(Secured { stream, ciphers }));
        }
        if initiator.has_short_secret() && !negotiation.any_key {
            return Ok(None);
        }
    }
}

fn initiator(ours: &Handshake, entropy: fn(&mut [u8]) -> io::Result<()>) -> Result<Initiator, SecureFailure> {
    let broken = |source| SecureFailure::Broken { stage: Stage::PublicKey, received: 0, source };
    let (mut pad, mut length, mut secret) = ([0; mse::MAX_PAD], [0; 2], [0; SECRET]);
    for bytes in [&mut pad[..], &mut length, &mut secret] {
        entropy(bytes).map_err(broken)?;
    }
    // WebTorrent does not answer when there is no pad.
    let pad = pad.get(..1 + usize::from(u16::from_be_bytes(length)) % mse::MAX_PAD).unwrap_or(&pad);
    let payload = ours.encode();
    let config = InitiatorConfig::new(ours.info_hash, secret).with_pads(pad, 0);
    Ok(Initiator::new(&config.with_initial_payload(&payload))?)
}

impl<S: AsyncRead + Unpin> AsyncRead for Secured<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ciphers } = self.get_mut();
        if !ciphers.received.is_empty() {
            let taken = ciphers.received.split_to(ciphers.received.len().min(buffer.remaining()));
            buffer.put_slice(&taken);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(stream).poll_read(cx, buffer))?;
        if let Some(read) = buffer.filled_mut().get_mut(before..) {
            ciphers.decrypt.apply(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Secured<S> {
    fn poll_unwritten(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ciphers } = self;
        while !ciphers.unwritten.is_empty() {
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, &ciphers.unwritten))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            ciphers.unwritten.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_unwritten(cx))?;
        let Ciphers { encrypt, unwritten, .. } = &mut *this.ciphers;
        let from = unwritten.len();
        unwritten.extend_from_slice(bytes);
        if let Some(new) = unwritten.get_mut(from..) {
            encrypt.apply(new);
        }
        // What is left is written by the next call, or by a flush.
        if let Poll::Ready(Err(error)) = this.poll_unwritten(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_unwritten(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_unwritten(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
