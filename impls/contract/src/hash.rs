//! The hash of `puthash`, and digests.

use std::io;

use serde::Serialize;

/// What `puthash` stores: the decimal FNV-1a-32 hash of the value before and the one that was sent.
#[must_use]
pub fn puthash(previous: &str, value: &str) -> String {
    fnv1a_32(previous.bytes().chain(value.bytes())).to_string()
}

/// FNV-1a, 32 bits (Fowler, Noll, Vo): start from the offset basis; for each byte xor, then multiply by the prime.
pub(crate) fn fnv1a_32(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811C_9DC5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A value in sixteen digits: the hexadecimal FNV-1a-64 hash of its JSON. Equal values have equal digests; different ones
/// as good as never.
///
/// # Panics
/// It has no such form: a map whose keys are no strings, for one.
#[must_use]
pub fn digest(value: &impl Serialize) -> String {
    let mut hash = Fnv1a64::default();
    serde_json::to_writer(&mut hash, value).expect("what is digested has a JSON form");
    format!("{:016x}", hash.0)
}

/// FNV-1a, 64 bits, of what is written to it.
struct Fnv1a64(u64);

impl Default for Fnv1a64 {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl io::Write for Fnv1a64 {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        self.0 = bytes.iter().fold(self.0, step);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_test_vectors() {
        for (text, hash) in [("", 0x811C_9DC5_u32), ("a", 0xE40C_292C), ("foobar", 0xBF9C_F968)] {
            assert_eq!(puthash("", text), hash.to_string());
            assert_eq!(puthash(text, ""), hash.to_string());
        }
        assert_eq!(puthash("foo", "bar"), 0xBF9C_F968_u32.to_string());
    }

    #[test]
    fn a_digest_agrees_with_the_published_test_vectors_and_is_that_of_the_json() {
        for (text, expected) in [
            ("", 0xCBF2_9CE4_8422_2325_u64),
            ("a", 0xAF63_DC4C_8601_EC8C),
            ("foobar", 0x8594_4171_F739_67E8),
        ] {
            let mut hash = Fnv1a64::default();
            io::Write::write_all(&mut hash, text.as_bytes()).unwrap();
            assert_eq!(hash.0, expected, "{text}");
        }
        let mut of_json = Fnv1a64::default();
        io::Write::write_all(&mut of_json, br#"["a",1]"#).unwrap();
        assert_eq!(digest(&("a", 1)), format!("{:016x}", of_json.0));
        assert_ne!(digest(&"a"), digest(&"b"));
    }
}
