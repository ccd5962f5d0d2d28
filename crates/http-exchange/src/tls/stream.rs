//! The TLS session of the caller, and the first bytes of the connection below it.

use super::certificate::LeftWithoutCertificate;
use crate::tapped::{Tap, Tapped};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client;

/// A TLS session with a server whose certificate was verified. Reads and writes are of its plaintext.
#[derive(Debug)]
pub struct TlsStream<S> {
    inner: client::TlsStream<Tapped<S, Beginning>>,
    /// Whether the server asked for a client certificate and has sent nothing since.
    lacks_certificate: bool,
}

impl<S> TlsStream<S> {
    pub(super) fn new(inner: client::TlsStream<Tapped<S, Beginning>>, lacks_certificate: bool) -> Self {
        Self { inner, lacks_certificate }
    }

    /// The error with its cause, where that is known.
    fn explain(&self, error: io::Error) -> io::Error {
        let error = match error.kind() {
            // rustls adds the URL of its manual, which does not help the user.
            ErrorKind::UnexpectedEof => io::Error::new(ErrorKind::UnexpectedEof, "no close_notify of TLS"),
            _ => error,
        };
        match self.lacks_certificate {
            true => io::Error::new(ErrorKind::ConnectionAborted, LeftWithoutCertificate(Some(error))),
            false => error,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, into)).map_err(|error| self.explain(error))?;
        let is_end = into.filled().len() == before && into.remaining() > 0;
        if is_end && self.lacks_certificate {
            return Poll::Ready(Err(io::Error::new(ErrorKind::ConnectionAborted, LeftWithoutCertificate(None))));
        }
        self.lacks_certificate = false;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, from).map_err(|error| self.explain(error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(|error| self.explain(error))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// First bytes that are kept: enough to recognise HTTP.
const KEPT_BYTES: usize = 5;

/// The first bytes that came: they may show which other protocol is spoken.
#[derive(Debug, Default)]
pub(super) struct Beginning(Vec<u8>);

impl Beginning {
    /// Whether an HTTP reply begins so.
    pub(super) fn is_http(&self) -> bool {
        self.0 == b"HTTP/"
    }
}

impl Tap for Beginning {
    fn after(&mut self, bytes: &[u8]) {
        let missing = KEPT_BYTES.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(missing));
    }
}
