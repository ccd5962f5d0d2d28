//! Entry point of libFuzzer for the target `conversation`.
#![no_main]
fuzz::libfuzzer!(conversation);
