//! Entry point of libFuzzer for the target `announce`.
#![no_main]
fuzz::libfuzzer!(announce);
