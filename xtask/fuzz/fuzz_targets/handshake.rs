//! Entry point of libFuzzer for the target `handshake`.
#![no_main]
fuzz::libfuzzer!(handshake);
