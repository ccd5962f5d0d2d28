//! Entry point of libFuzzer for the target `udp`.
#![no_main]
fuzz::libfuzzer!(udp);
