//! Entry point of libFuzzer for the target `magnet`.
#![no_main]
fuzz::libfuzzer!(magnet);
