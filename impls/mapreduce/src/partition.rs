//! Which reduce task a key belongs to (section 4.1).

/// The reduce task of a key, by its FNV-1a hash.
///
/// # Panics
/// There are no reduce tasks: whoever starts a job looks at that.
#[must_use]
pub fn reducer(key: &[u8], reducers: u32) -> u32 {
    let reducer = fnv1a(key) % u64::from(reducers);
    u32::try_from(reducer).unwrap_or_default()
}

/// The 64-bit FNV-1a hash (Fowler, Noll and Vo).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // The published test vectors.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn keys_are_spread() {
        let mut counts = [0; 10];
        for number in 0..1000 {
            counts[reducer(format!("key {number}").as_bytes(), 10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
    }
}
