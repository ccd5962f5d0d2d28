//! libFuzzer's way into the target `mse`.
#![no_main]
fuzz::libfuzzer!(mse);
