//! See `samsyn::fuzz::component`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::component(data));
