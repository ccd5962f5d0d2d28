//! libFuzzer's way into the target `escape`.
#![no_main]
fuzz::libfuzzer!(escape);
