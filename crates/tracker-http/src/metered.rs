//! A tracker may send no more than it is allowed, and others have their turn meanwhile.

use crate::tapped::Tap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// How many bytes may still come. Shared by the meter and by whatever knows what is being read.
///
/// Nothing else bounds what HTTP lets a server send beside the head and the body: interim replies (`100 Continue`) without
/// end, zeros before the size of a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Allows as many `bytes` from now on, whatever was left.
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

/// Bytes read in one go. hyper works through whatever has come before anybody looks at the deadline or at other
/// connections again; thousands of interim replies or tiny chunks take it long.
const BYTES_IN_ONE_GO: usize = 32 << 10;

/// Fails reads with [`Overrun`] once the allowance is used up; by then up to one read more has come.
#[derive(Debug)]
pub(crate) struct Meter {
    allowance: Allowance,
    /// Bytes read since others had their turn.
    in_this_go: usize,
}

impl Meter {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { allowance, in_this_go: 0 }
    }
}

impl Tap for Meter {
    fn before(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.allowance.left() == 0 {
            return Poll::Ready(Err(io::Error::other(Overrun)));
        }
        if self.in_this_go >= BYTES_IN_ONE_GO {
            self.in_this_go = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn heard(&mut self, bytes: &[u8]) {
        self.allowance.use_up(bytes.len());
        self.in_this_go = self.in_this_go.saturating_add(bytes.len());
    }
}
