//! See `samsyn::fuzz::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::header(data));
