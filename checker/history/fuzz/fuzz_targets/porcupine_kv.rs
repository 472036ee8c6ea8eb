//! `cargo +nightly fuzz run porcupine_kv` in `checker/history`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| history_fuzz::read(input, history::Format::PorcupineKv));
