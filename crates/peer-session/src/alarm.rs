//! One timer for one attempt, put off at each of its stages: that costs less than to take it back and set another.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// When `limit` from `begun` on is over.
#[must_use]
pub fn end(begun: Instant, limit: Duration) -> Instant {
    /// Stands for ever; a clock has no room for more than some hundred years.
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    begun.checked_add(limit).unwrap_or_else(|| begun + FAR)
}

/// Does `work` unless the alarm rings first. The work is pinned by the caller: handed over, it would have its place twice.
pub fn before<W: Future + Unpin>(mut alarm: Pin<&mut Sleep>, mut work: W) -> impl Future<Output = Option<W::Output>> {
    poll_fn(move |context| match Pin::new(&mut work).poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
}
