//! libFuzzer's way into the target `conversation`.
#![no_main]
fuzz::libfuzzer!(conversation);
