//! The hash of `puthash`.

/// What `puthash` stores: the decimal FNV-1a-32 hash of the value before and the one that was sent.
#[must_use]
pub fn puthash(previous: &str, value: &str) -> String {
    fnv1a_32(previous.bytes().chain(value.bytes())).to_string()
}

/// FNV-1a, 32 bits (Fowler, Noll, Vo): start from the offset basis; for each byte xor, then multiply by the prime.
fn fnv1a_32(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811C_9DC5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
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
}
