//! See `samsyn::fuzz::segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::segment(data));
