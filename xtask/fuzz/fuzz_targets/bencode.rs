//! Entry point of libFuzzer for the target `bencode`.
#![no_main]
fuzz::libfuzzer!(bencode);
