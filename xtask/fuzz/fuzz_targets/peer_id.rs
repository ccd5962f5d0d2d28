//! libFuzzer's way into the target `peer_id`.
#![no_main]
fuzz::libfuzzer!(peer_id);
