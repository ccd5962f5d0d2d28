//! What carries exchanges: hyper's two halves of a connection, and whether another exchange may follow.

use crate::exchange::{Received, Sender, classify, reply};
use crate::metered::{Allowance, Meter};
use crate::tapped::Tapped;
use crate::{Error, Limits};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::unconstrained;

/// The smallest buffer that hyper takes.
const LEAST_BUFFER: usize = 8192;

/// Header lines that hyper may make room for, which it does at once.
const MOST_LINES: usize = 100_000;

/// The half that reads and writes, when it is polled.
type Work<S> = http1::Connection<TokioIo<Tapped<S, Meter>>, Empty<Bytes>>;

pub(crate) struct Link<S: AsyncRead + AsyncWrite + Unpin> {
    sender: Sender,
    /// Taken out by an exchange, and put back only after one that came to its end. Without it the stream is closed.
    work: Option<Work<S>>,
    allowance: Allowance,
    limits: Limits,
    /// Requests answered so far.
    pub(crate) exchanges: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Link<S> {
    pub(crate) async fn new(stream: S, limits: Limits) -> Result<Self, Error> {
        let allowance = Allowance::new(limits.until_head());
        let stream = TokioIo::new(Tapped::new(stream, Meter::new(allowance.clone())));
        let mut builder = http1::Builder::new();
        builder.max_headers(limits.head_lines.min(MOST_LINES)).max_buf_size(limits.head_bytes.max(LEAST_BUFFER));
        let (sender, work) = builder.handshake(stream).await.map_err(|error| classify(error, limits))?;
        Ok(Self { sender, work: Some(work), allowance, limits, exchanges: 0 })
    }

    /// Lets the connection work once, without waiting. It ends when the tracker has closed or has sent anything, and it wants
    /// another request only when it is done with the last one.
    pub(crate) fn is_open(&mut self) -> bool {
        let Some(mut work) = self.work.take() else { return false };
        self.allowance.set(self.limits.until_head());
        // However much this task has done already, a stream must not seem to have nothing to read.
        let polled = pin!(unconstrained(&mut work)).poll(&mut Context::from_waker(Waker::noop()));
        self.work = (polled.is_pending() && self.sender.is_ready()).then_some(work);
        self.work.is_some()
    }

    /// Sends `request` and reads the reply.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Empty<Bytes>>,
        limit: Duration,
    ) -> Result<Received, Error> {
        let again = self.exchanges > 0;
        if again && !self.is_open() {
            return Err(Error::Stale(None));
        }
        let Some(mut work) = self.work.take() else { return Err(Error::Stale(None)) };
        let mut ended = false;
        let received = {
            let mut reply = pin!(reply(&mut self.sender, request, &self.allowance, limit, self.limits));
            // The connection does the work that the reply waits for. It ends first when the tracker closes, and then
            // whatever it has read is still on its way to us.
            tokio::select! {
                biased;
                reply = &mut reply => reply,
                _ = &mut work => {
                    ended = true;
                    reply.await
                }
            }
        };
        match received {
            // RFC 9112, 9.3.1: "a client MAY retry [...] an idempotent request" when the connection was closed meanwhile.
            Err(Error::Closed(error) | Error::Connection(error)) if again && self.is_unanswered() => {
                Err(Error::Stale(Some(error)))
            }
            // What is no reply may be left of the one before, which was longer than it said.
            Err(Error::NotHttp(error)) if again => Err(Error::Stale(Some(error))),
            // RFC 9110, 15.5.9: the tracker stopped waiting before the request came, which may be repeated.
            Ok(received) if again && received.status == StatusCode::REQUEST_TIMEOUT => Err(Error::Stale(None)),
            Ok(received) => {
                self.exchanges += 1;
                self.work = (!ended && received.cut.is_none()).then_some(work);
                Ok(received)
            }
            error => error,
        }
    }

    /// Whether not one byte has come since the request was sent.
    fn is_unanswered(&self) -> bool {
        self.allowance.left() == self.limits.until_head()
    }
}
