//! A stream behind Message Stream Encryption: the negotiation, and the stream that comes of it.

use crate::EncryptedEnd;
use crate::entropy;
use crate::read::read_some;
use crate::wire;
use bytes::{Buf, BytesMut};
use mse::{Cipher, Established, Initiator, InitiatorConfig, Stage};
use peer_wire::Handshake;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Why there is no encrypted stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// The peer says what has no place in this negotiation.
    #[error(transparent)]
    Mse(#[from] mse::Error),
}

impl SecureFailure {
    pub(crate) fn end(&self) -> EncryptedEnd {
        match self {
            Self::Closed { stage: Stage::PublicKey, received: 0 }
            | Self::Broken { stage: Stage::PublicKey, received: 0, .. } => EncryptedEnd::BeforeItsKey,
            Self::Closed { stage: Stage::PublicKey, .. }
            | Self::Broken { stage: Stage::PublicKey, .. }
            | Self::Mse(_) => EncryptedEnd::Garbled,
            Self::Closed { stage: Stage::Sync, .. } | Self::Broken { stage: Stage::Sync, .. } => {
                EncryptedEnd::AfterItsKey
            }
            // The verification constant has come.
            Self::Closed { .. } | Self::Broken { .. } => EncryptedEnd::Agreed,
        }
    }
}

/// A stream whose bytes go through the ciphers of a negotiation.
#[derive(Debug)]
pub(crate) struct Secured<S> {
    stream: S,
    encrypt: Cipher,
    decrypt: Cipher,
    /// Received behind the negotiation, decrypted already.
    received: BytesMut,
    /// Encrypted and not yet written. What has gone through the cipher cannot be taken back.
    unwritten: BytesMut,
}

/// Negotiates RC4, the one choice that every client accepts, for a connection about the torrent of `ours`, which is sent along.
/// Counts what the negotiation takes into `bytes`; what came behind it is still to be read. `None` when the keys make a secret
/// that many clients cannot deal with, unless this is the `last` try.
pub(crate) async fn secure<'s>(
    stream: &'s mut TcpStream,
    ours: &Handshake,
    bytes: &mut usize,
    last: bool,
) -> Result<Option<Secured<&'s mut TcpStream>>, SecureFailure> {
    let mut initiator = initiator(ours)?;
    let mut received = BytesMut::new();
    loop {
        // A peer that has closed already may still have said something: what it said decides.
        let written = {
            let output = initiator.output();
            wire::sent(&output);
            stream.write_all(&output).await
        };
        let (stage, so_far) = (initiator.stage(), *bytes);
        let read = read_some(stream, &mut received).await;
        acknowledge(stream);
        match (read, written) {
            (Ok(0), Ok(())) => return Err(SecureFailure::Closed { stage, received: so_far }),
            (Err(source), _) | (Ok(0), Err(source)) => {
                return Err(SecureFailure::Broken { stage, received: so_far, source });
            }
            (Ok(read), _) => *bytes += read,
        }
        if let Some(Established { encrypt, decrypt, .. }) = initiator.input(&mut received)? {
            *bytes -= received.len();
            return Ok(Some(Secured { stream, encrypt, decrypt, received, unwritten: BytesMut::new() }));
        }
        if initiator.has_short_secret() && !last {
            return Ok(None);
        }
    }
}

/// Acknowledges at once what has come. libtorrent writes its answer in pieces and lets Nagle's algorithm hold each back until
/// the one before it is acknowledged, which the system delays by 40 ms: the handshake would take 45 ms in place of 3.
fn acknowledge(stream: &TcpStream) {
    // The system does so for the moment only, so it is asked after each read. Where it will not, nothing is lost but time.
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

fn initiator(ours: &Handshake) -> Result<Initiator, SecureFailure> {
    let broken = |source| SecureFailure::Broken { stage: Stage::PublicKey, received: 0, source };
    let pad: [u8; mse::MAX_PAD] = entropy::bytes().map_err(broken)?;
    let length = u16::from_be_bytes(entropy::bytes().map_err(broken)?);
    // WebTorrent does not answer when there is no pad.
    let pad = pad.get(..1 + usize::from(length) % mse::MAX_PAD).unwrap_or(&pad);
    let payload = ours.encode();
    let config = InitiatorConfig::new(ours.info_hash, entropy::bytes().map_err(broken)?).with_pads(pad, 0);
    Ok(Initiator::new(&config.with_initial_payload(&payload))?)
}

impl<S: AsyncRead + Unpin> AsyncRead for Secured<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.received.is_empty() {
            let taken = this.received.split_to(this.received.len().min(buffer.remaining()));
            buffer.put_slice(&taken);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        if let Some(read) = buffer.filled_mut().get_mut(before..) {
            this.decrypt.apply(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Secured<S> {
    fn poll_unwritten(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unwritten))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_unwritten(cx))?;
        let from = this.unwritten.len();
        this.unwritten.extend_from_slice(bytes);
        if let Some(new) = this.unwritten.get_mut(from..) {
            this.encrypt.apply(new);
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
