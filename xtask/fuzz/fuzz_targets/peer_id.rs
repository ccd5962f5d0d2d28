//! Entry point of libFuzzer for the target `peer_id`.
#![no_main]
fuzz::libfuzzer!(peer_id);
