//! See `samsyn::fuzz::effects`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::effects(data));
