//! libFuzzer's way into the target `udp`.
#![no_main]
fuzz::libfuzzer!(udp);
