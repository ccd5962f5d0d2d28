//! Entry point of libFuzzer for the target `pex_message`.
#![no_main]
fuzz::libfuzzer!(pex_message);
