//! Entry point of libFuzzer for the target `tracker_url`.
#![no_main]
fuzz::libfuzzer!(tracker_url);
