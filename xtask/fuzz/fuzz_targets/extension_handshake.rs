//! libFuzzer's way into the target `extension_handshake`.
#![no_main]
fuzz::libfuzzer!(extension_handshake);
