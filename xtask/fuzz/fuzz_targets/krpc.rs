//! Entry point of libFuzzer for the target `krpc`.
#![no_main]
fuzz::libfuzzer!(krpc);
