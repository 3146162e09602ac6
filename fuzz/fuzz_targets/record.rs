//! See `samsyn::fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::record(data));
