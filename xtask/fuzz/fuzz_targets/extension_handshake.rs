//! Entry point of libFuzzer for the target `extension_handshake`.
#![no_main]
fuzz::libfuzzer!(extension_handshake);
