//! libFuzzer's way into the target `scrape`.
#![no_main]
fuzz::libfuzzer!(scrape);
