//! libFuzzer's way into the target `messages`.
#![no_main]
fuzz::libfuzzer!(messages);
