//! Entry point of libFuzzer for the target `messages`.
#![no_main]
fuzz::libfuzzer!(messages);
