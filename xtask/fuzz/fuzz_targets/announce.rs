//! libFuzzer's way into the target `announce`.
#![no_main]
fuzz::libfuzzer!(announce);
