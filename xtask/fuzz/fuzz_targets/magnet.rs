//! libFuzzer's way into the target `magnet`.
#![no_main]
fuzz::libfuzzer!(magnet);
