//! Bounds on allocated memory.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

/// Counts allocations; the unsafe code of an allocator is in the crate `stats_alloc`.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs `work`, and asserts that its allocations add up to at most `bound` bytes; it holds no more than that at any time.
/// Counts for the whole process, so no other thread may allocate meanwhile.
pub(crate) fn bounded<T>(bound: usize, work: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let asked = region.change().bytes_allocated;
    assert!(asked <= bound, "{asked} bytes were allocated, at most {bound} are allowed");
    result
}

/// The bytes that are freed with a value: what it holds.
pub(crate) fn freed<T>(value: T) -> usize {
    let region = Region::new(ALLOCATOR);
    drop(value);
    region.change().bytes_deallocated
}
