//! `cargo +nightly fuzz run jepsen_log` in `checker/history`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| history_fuzz::read(input, history::Format::JepsenLog));
