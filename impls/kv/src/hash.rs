//! The hash of `puthash`.

/// FNV-1a, 32 bits (Fowler, Noll, Vo): start from the offset basis; for each byte xor, then multiply by the prime.
#[must_use]
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0x811C_9DC5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_test_vectors() {
        for (text, hash) in [("", 0x811C_9DC5), ("a", 0xE40C_292C), ("foobar", 0xBF9C_F968)] {
            assert_eq!(fnv1a_32(text.as_bytes()), hash, "{text:?}");
        }
    }
}
