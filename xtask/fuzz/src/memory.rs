//! How much memory a piece of work asks for.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

/// Counts, and leaves the unsafe part of being an allocator to somebody else's crate.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What `work` gives, having asserted that all it ever asked for is at most `bound` bytes; what it held at any one time is
/// less. Counts for the whole process, so nothing else may run.
pub(crate) fn bounded<T>(bound: usize, work: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let asked = region.change().bytes_allocated;
    assert!(asked <= bound, "asked for {asked} bytes of memory, more than {bound}");
    result
}
