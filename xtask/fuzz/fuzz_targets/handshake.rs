//! libFuzzer's way into the target `handshake`.
#![no_main]
fuzz::libfuzzer!(handshake);
