//! Entry point of libFuzzer for the target `metadata_message`.
#![no_main]
fuzz::libfuzzer!(metadata_message);
