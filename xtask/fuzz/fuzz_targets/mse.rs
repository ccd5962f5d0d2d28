//! Entry point of libFuzzer for the target `mse`.
#![no_main]
fuzz::libfuzzer!(mse);
