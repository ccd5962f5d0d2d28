//! Entry point of libFuzzer for the target `lookup`.
#![no_main]
fuzz::libfuzzer!(lookup);
