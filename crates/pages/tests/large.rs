//! Ten thousand torrents. How long that takes is measured in the README; here is what does not depend on the machine.

#[path = "it/sample.rs"]
mod sample;

use pages::{MOST_DETAILS, page};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn ten_thousand_torrents_make_a_page_of_bounded_size() {
    let mut overview = sample::overview(10_000);
    // Details beyond the worst are left out, however many are there.
    let detail = overview.torrents[0].detail.clone();
    overview.torrents.iter_mut().skip(MOST_DETAILS).take(50).for_each(|torrent| torrent.detail.clone_from(&detail));
    let region = Region::new(ALLOCATOR);
    let page = page(&overview);
    // Everything that was allocated in between, also what was given back: more than was ever held at once.
    let allocated = region.change().bytes_allocated;
    assert!(allocated < 128 << 20, "{allocated}");
    assert!(page.len() < 12 << 20, "{}", page.len());
    assert_eq!(page.matches("<section class=\"torrent\"").count(), MOST_DETAILS);
    assert_eq!(page.matches("<tr role=\"row\"><td").count(), 10_000);
}
