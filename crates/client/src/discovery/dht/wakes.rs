//! What a lookup waits for: a datagram, an answer that another lookup has read, or a time.

use crate::shared::dht::exchanges::Exchanges;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep, sleep_until};

type Readable = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// The waits of one lookup.
pub(crate) struct Wakes {
    readable: Readable,
    arrived: Pin<Box<OwnedNotified>>,
    timer: Pin<Box<Sleep>>,
}

impl Wakes {
    pub(crate) fn new(exchanges: &Exchanges) -> Self {
        let timer = Box::pin(sleep_until(Instant::now()));
        Self { readable: Box::pin(exchanges.readable()), arrived: Box::pin(exchanges.arrived()), timer }
    }

    /// Ready when there may be something to do; at `time` at the latest.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, exchanges: &Exchanges, time: Option<Instant>) -> Poll<()> {
        let mut is_ready = false;
        if self.readable.as_mut().poll(context).is_ready() {
            self.readable = Box::pin(exchanges.readable());
            is_ready = true;
        }
        if self.arrived.as_mut().poll(context).is_ready() {
            self.arrived = Box::pin(exchanges.arrived());
            is_ready = true;
        }
        if let Some(time) = time {
            if self.timer.deadline() != time {
                self.timer.as_mut().reset(time);
            }
            is_ready |= self.timer.as_mut().poll(context).is_ready();
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for Wakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakes").finish_non_exhaustive()
    }
}
