//! Entry point of libFuzzer for the target `escape`.
#![no_main]
fuzz::libfuzzer!(escape);
