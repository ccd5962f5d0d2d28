//! One connection to a server, and whether another exchange may follow over it.

use crate::error::Error;
use crate::exchange::{Sender, classify, reply};
use crate::limits::Limits;
use crate::metered::{Allowance, Meter};
use crate::request::Request;
use crate::response::Response;
use crate::sink::Sink;
use crate::tapped::Tapped;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::unconstrained;

/// The smallest buffer that hyper takes.
const LEAST_BUFFER: usize = 8192;

/// Most header lines handed to hyper, which allocates for all of them at once.
const MOST_LINES: usize = 100_000;

/// The status by which a server says that its idle timeout came before the request (RFC 9110, 15.5.9).
const REQUEST_TIMEOUT: u16 = 408;

/// The half that reads and writes, when it is polled.
type Driver<S> = http1::Connection<TokioIo<Tapped<S, Meter>>, Empty<Bytes>>;

/// A connection to one server, for one exchange after another as long as the server keeps it open (RFC 9112, 9.3).
///
/// It may be idle for any time: no task runs for it, and [`is_open`](Self::is_open) notices what happened meanwhile. An
/// exchange that fails, is cut short or is dropped before its end closes it.
pub struct Connection<S: AsyncRead + AsyncWrite + Unpin> {
    sender: Sender,
    /// Taken by an exchange, and put back only after one that came to its end. Without it the stream is closed.
    driver: Option<Driver<S>>,
    allowance: Allowance,
    limits: Limits,
    /// Requests answered so far.
    exchanges: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// A connection over `stream`, which leads to the server. Nothing is written yet.
    ///
    /// # Errors
    /// None so far; the HTTP library reserves the possibility.
    pub async fn over(stream: S, limits: Limits) -> Result<Self, Error> {
        let allowance = Allowance::new(limits.until_head());
        let stream = TokioIo::new(Tapped::new(stream, Meter::new(allowance.clone())));
        let mut builder = http1::Builder::new();
        builder.max_headers(limits.head_lines.min(MOST_LINES)).max_buf_size(limits.head_bytes.max(LEAST_BUFFER));
        let (sender, driver) = builder.handshake(stream).await.map_err(|error| classify(error, limits))?;
        Ok(Self { sender, driver: Some(driver), allowance, limits, exchanges: 0 })
    }

    /// Whether another exchange may be tried. `false` once the server has closed, has said that it would
    /// (`Connection: close`, or HTTP/1.0 without `keep-alive`), or has sent bytes that no request asked for, and after an
    /// exchange that did not come to its end. Does not wait; the server may still close before the next request arrives
    /// ([`Error::Stale`]).
    pub fn is_open(&mut self) -> bool {
        let Some(mut driver) = self.driver.take() else { return false };
        self.allowance.set(self.limits.until_head());
        // Polled once: it ends when the server has closed or sent anything, and is ready for a request only when it is done
        // with the last one. Unconstrained, because a stream must not seem empty for want of tokio's budget.
        let polled = pin!(unconstrained(&mut driver)).poll(&mut Context::from_waker(Waker::noop()));
        self.driver = (polled.is_pending() && self.sender.is_ready()).then_some(driver);
        self.driver.is_some()
    }

    /// Sends `request` and reads the reply, whatever its status, within `limit` from the first byte written to the last one
    /// read. A body that is cut short is no error: [`Response::cut`].
    ///
    /// # Errors
    /// Why there is no reply. [`Error::Stale`] where the request may be repeated over a new connection.
    pub async fn exchange(&mut self, request: Request, limit: Duration) -> Result<Response, Error> {
        let mut body = Vec::new();
        let mut response = self.exchange_into(request, limit, &mut body).await?;
        response.body = body;
        Ok(response)
    }

    /// The same, with the body handed to `sink` as it comes: none of it is kept, and [`Response::body`] is empty.
    ///
    /// # Errors
    /// Those of [`exchange`](Self::exchange).
    pub async fn exchange_into(
        &mut self,
        request: Request,
        limit: Duration,
        sink: &mut (dyn Sink + Send),
    ) -> Result<Response, Error> {
        let limits = request.body_bytes.map_or(self.limits, |bytes| self.limits.with_body_bytes(bytes));
        let request = request.build()?;
        let reused = self.exchanges > 0;
        if reused && !self.is_open() {
            return Err(Error::Stale(None));
        }
        let Some(mut driver) = self.driver.take() else { return Err(Error::Stale(None)) };
        let mut ended = false;
        let response = {
            let mut reply = pin!(reply(&mut self.sender, request, &self.allowance, limit, limits, sink));
            // Polling the driver moves the bytes that the reply waits for. It ends first when the server closes; what it
            // has read by then still reaches the reply.
            tokio::select! {
                biased;
                reply = &mut reply => reply,
                _ = &mut driver => {
                    ended = true;
                    reply.await
                }
            }
        };
        match response {
            // RFC 9112, 9.3.1: "a client MAY retry [...] an idempotent request" when the connection was closed meanwhile.
            Err(Error::Closed(error) | Error::Connection(error)) if reused && self.is_unanswered() => {
                Err(Error::Stale(Some(error)))
            }
            // Bytes that are no reply may be the rest of the one before, which was longer than it declared.
            Err(Error::NotHttp(error)) if reused => Err(Error::Stale(Some(error))),
            Ok(response) if reused && response.status == REQUEST_TIMEOUT => Err(Error::Stale(None)),
            Ok(response) => {
                self.exchanges += 1;
                self.driver = (!ended && response.cut.is_none()).then_some(driver);
                Ok(response)
            }
            error => error,
        }
    }

    /// Whether not one byte has come since the request was sent.
    fn is_unanswered(&self) -> bool {
        self.allowance.left() == self.limits.until_head()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Requests answered over it, with whatever status.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.exchanges
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("exchanges", &self.exchanges).finish_non_exhaustive()
    }
}
