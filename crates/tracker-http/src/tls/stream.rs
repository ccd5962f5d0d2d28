//! The session that the caller gets, and what is noted of the connection below it.

use super::certificate::LeftWithoutCertificate;
use crate::tapped::{Tap, Tapped};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client;

/// A TLS session whose server has proved who it is. Reading and writing are what happens inside it.
#[derive(Debug)]
pub struct TlsStream<S> {
    inner: client::TlsStream<Tapped<S, Beginning>>,
    /// Whether the server asked for a certificate and has not sent anything since.
    lacks_certificate: bool,
}

impl<S> TlsStream<S> {
    pub(super) fn new(inner: client::TlsStream<Tapped<S, Beginning>>, lacks_certificate: bool) -> Self {
        Self { inner, lacks_certificate }
    }

    /// An error as it is told: by its cause, where that is known.
    fn explain(&self, error: io::Error) -> io::Error {
        let error = match error.kind() {
            // rustls adds the address of its manual, which is no use to a user of ours.
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

/// How many of the first bytes are kept: enough to know HTTP by.
const KEPT_BYTES: usize = 5;

/// Keeps the first bytes that a connection brought: what is not TLS may be something that we know.
#[derive(Debug, Default)]
pub(super) struct Beginning(Vec<u8>);

impl Beginning {
    /// Whether it is that of an HTTP reply.
    pub(super) fn is_http(&self) -> bool {
        self.0 == b"HTTP/"
    }
}

impl Tap for Beginning {
    fn heard(&mut self, bytes: &[u8]) {
        let missing = KEPT_BYTES.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(missing));
    }
}
