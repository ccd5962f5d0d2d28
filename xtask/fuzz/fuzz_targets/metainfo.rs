//! libFuzzer's way into the target `metainfo`.
#![no_main]
fuzz::libfuzzer!(metainfo);
