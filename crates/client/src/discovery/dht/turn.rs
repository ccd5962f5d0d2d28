//! The turn of a run: [`Limits::dht_lookups`](crate::Limits::dht_lookups) torrents are looked up at the same time.

use crate::shared::Shared;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;

type Permit = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send + Sync>>;

/// The right to a lookup in both families.
#[derive(Default)]
pub(crate) enum Turn {
    /// Not wanted.
    #[default]
    Unasked,
    Waiting(Permit),
    Held {
        _permit: Option<OwnedSemaphorePermit>,
        was_waited_for: bool,
    },
}

impl Turn {
    /// Ready when it is held.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, shared: &Shared) -> Poll<()> {
        let was_waited_for = self.is_waiting();
        if let Self::Unasked = self {
            *self = Self::Waiting(Box::pin(shared.dht().permit()));
        }
        if let Self::Waiting(permit) = self {
            match permit.as_mut().poll(context) {
                Poll::Ready(permit) => *self = Self::Held { _permit: permit, was_waited_for },
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }

    /// Whether it did not come at once; true once.
    pub(crate) fn was_waited_for(&mut self) -> bool {
        match self {
            Self::Held { was_waited_for, .. } => std::mem::take(was_waited_for),
            _ => false,
        }
    }

    pub(crate) fn give_back(&mut self) {
        *self = Self::Unasked;
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unasked => "Unasked",
            Self::Waiting(_) => "Waiting",
            Self::Held { .. } => "Held",
        })
    }
}
