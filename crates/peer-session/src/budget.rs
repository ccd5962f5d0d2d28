//! What the buffers of all connections together may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes left to all who share it.
#[derive(Clone, Debug)]
pub struct ByteBudget(Arc<AtomicUsize>);

/// What one of them has taken; given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: ByteBudget,
    taken: usize,
}

impl ByteBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// An account that has taken nothing yet.
    #[must_use]
    pub fn charge(&self) -> Charge {
        Charge { budget: self.clone(), taken: 0 }
    }
}

impl Charge {
    /// Takes or gives back what is between what it holds and `bytes`; `false` when there is not that much left, and then it
    /// holds what it held.
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
    fn nobody_takes_more_than_is_left_and_all_is_given_back() {
        let budget = ByteBudget::new(10);
        let (mut one, mut other) = (budget.charge(), budget.charge());
        assert!(one.hold(6) && !other.hold(5) && other.hold(4) && !one.hold(7));
        assert!(one.hold(2) && other.hold(8) && !other.hold(9));
        drop(one);
        assert!(other.hold(10) && !other.hold(11));
    }
}
