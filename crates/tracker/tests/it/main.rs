//! Replies of real trackers, recorded.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

mod udp_captures;
