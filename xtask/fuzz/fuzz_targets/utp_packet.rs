//! Entry point of libFuzzer for the target `utp_packet`.
#![no_main]
fuzz::libfuzzer!(utp_packet);
