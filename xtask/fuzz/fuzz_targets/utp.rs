//! Entry point of libFuzzer for the target `utp`.
#![no_main]
fuzz::libfuzzer!(utp);
