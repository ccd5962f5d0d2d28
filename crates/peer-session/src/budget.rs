//! Memory that the buffers of all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes left to all connections that share it; clones share it.
#[derive(Clone, Debug)]
pub struct ByteBudget(Arc<AtomicUsize>);

/// What one connection has taken; given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: ByteBudget,
    taken: usize,
}

impl ByteBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Bytes that no connection has taken.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A charge of nothing yet.
    #[must_use]
    pub fn charge(&self) -> Charge {
        Charge { budget: self.clone(), taken: 0 }
    }
}

impl Charge {
    /// Changes what it holds to `bytes`; `false` when that much is not left, and then nothing changes.
    pub fn hold(&mut self, bytes: usize) -> bool {
        let left = |left: usize| (left + self.taken).checked_sub(bytes);
        let held = self.budget.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok();
        if held {
            self.taken = bytes;
        }
        held
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_takes_no_more_than_is_left_and_gives_all_back() {
        let budget = ByteBudget::new(10);
        let (mut one, mut other) = (budget.charge(), budget.charge());
        assert!(one.hold(6) && !other.hold(5) && other.hold(4) && !one.hold(7));
        assert!(one.hold(2) && other.hold(8) && !other.hold(9));
        drop(one);
        assert!(other.hold(10) && !other.hold(11));
    }
}
