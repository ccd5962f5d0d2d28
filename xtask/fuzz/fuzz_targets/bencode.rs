//! libFuzzer's way into the target `bencode`.
#![no_main]
fuzz::libfuzzer!(bencode);
