//! Many checks at the same time: most of them wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use xtask::shell::Result;

/// Judges all, at most `at_once` of them at the same time, and returns the faults.
pub(super) fn faults<T: Sync>(at_once: usize, all: &[T], judge: impl Fn(&T) -> Result + Sync) -> Vec<String> {
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once.min(all.len()) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = judge(one).err();
                    faults.lock().unwrap_or_else(PoisonError::into_inner).extend(fault);
                }
            });
        }
    });
    faults.into_inner().unwrap_or_else(PoisonError::into_inner)
}
