//! libFuzzer's way into the target `tracker_url`.
#![no_main]
fuzz::libfuzzer!(tracker_url);
