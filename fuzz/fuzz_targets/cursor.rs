//! See `samsyn::fuzz::cursor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::cursor(data));
