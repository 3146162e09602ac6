//! See `samsyn::fuzz::event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| samsyn::fuzz::event(data));
