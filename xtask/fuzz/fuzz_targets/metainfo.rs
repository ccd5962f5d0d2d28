//! Entry point of libFuzzer for the target `metainfo`.
#![no_main]
fuzz::libfuzzer!(metainfo);
