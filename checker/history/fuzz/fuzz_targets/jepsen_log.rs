//! Any input gives events or an error: `cargo +nightly fuzz run jepsen_log` in `checker/history`.
#![no_main]

use history::{Events, Format, Pairing};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut pairing = Pairing::default();
    for located in Events::new(input, Format::JepsenLog).flatten() {
        let _ = pairing.add(located.event);
    }
});
