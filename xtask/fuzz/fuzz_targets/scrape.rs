//! Entry point of libFuzzer for the target `scrape`.
#![no_main]
fuzz::libfuzzer!(scrape);
