//! Entry point of libFuzzer for the target `web_seed`.
#![no_main]
fuzz::libfuzzer!(web_seed);
