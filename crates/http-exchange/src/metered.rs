//! Bounds on the bytes that a server sends, and on those read without yielding.

use crate::tapped::Tap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// How many bytes may still come. Shared by the meter, which counts, and by the exchange, which knows what is being read.
///
/// Nothing else bounds what HTTP lets a server send besides head and body: interim replies (`100 Continue`) without end,
/// zeros before the size of a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Allows `bytes` from now on; what was left is forgotten.
    pub(crate) fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes may still come.
    pub(crate) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn use_up(&self, bytes: usize) {
        // Only the one task that holds the stream counts down.
        self.0.store(self.left().saturating_sub(bytes), Ordering::Relaxed);
    }
}

/// More came than was allowed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("more than may come")]
pub(crate) struct Overrun;

/// Bytes read before the task yields. hyper processes everything that has come before the deadline or another connection is
/// looked at; thousands of interim replies or tiny chunks take a long time.
const BYTES_PER_TURN: usize = 32 << 10;

/// Fails reads with [`Overrun`] once the allowance is used up; the last read may exceed it.
#[derive(Debug)]
pub(crate) struct Meter {
    allowance: Allowance,
    /// Bytes read since the task yielded.
    in_this_turn: usize,
}

impl Meter {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { allowance, in_this_turn: 0 }
    }
}

impl Tap for Meter {
    fn before(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.allowance.left() == 0 {
            return Poll::Ready(Err(io::Error::other(Overrun)));
        }
        if self.in_this_turn >= BYTES_PER_TURN {
            self.in_this_turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn after(&mut self, bytes: &[u8]) {
        self.allowance.use_up(bytes.len());
        self.in_this_turn = self.in_this_turn.saturating_add(bytes.len());
    }
}
