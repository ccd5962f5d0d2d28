//! The session that the caller gets, and what is noted of the connection below it.

use crate::tapped::{Tap, Tapped};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client;

/// A TLS session whose server has proved who it is. Reading and writing are what happens inside it.
#[derive(Debug)]
pub struct TlsStream<S>(pub(super) client::TlsStream<Tapped<S, Beginning>>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
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
