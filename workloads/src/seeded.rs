//! Random choices that depend on nothing but (seed, client).

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// A client's stream of choices and of unique tags.
pub(crate) struct Seeded {
    rng: ChaCha8Rng,
    client: u32,
    tags: u64,
}

impl Seeded {
    /// The stream of this client. ChaCha8 is the same on every machine, unlike the standard generator.
    pub(crate) fn new(seed: u64, client: u32) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..12].copy_from_slice(&client.to_le_bytes());
        Self { rng: ChaCha8Rng::from_seed(key), client, tags: 0 }
    }

    /// A number below `bound`, which must not be 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.rng.random_range(0..bound)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Two different numbers below `bound`, which must be at least 2.
    pub(crate) fn pair_below(&mut self, bound: u64) -> (u64, u64) {
        let first = self.below(bound);
        let second = (first + 1 + self.below(bound - 1)) % bound;
        (first, second)
    }

    /// A tag that no other client and no other call has: `c3.17`.
    pub(crate) fn tag(&mut self) -> String {
        self.tags += 1;
        format!("c{}.{}", self.client, self.tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_by_seed_and_client_and_differ_otherwise() {
        let draw = |seed, client| {
            let mut seeded = Seeded::new(seed, client);
            (0..20).map(|_| seeded.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
    }

    #[test]
    fn pairs_differ_and_tags_never_repeat() {
        let mut seeded = Seeded::new(7, 0);
        for _ in 0..1000 {
            let (a, b) = seeded.pair_below(2);
            assert!(a != b && a < 2 && b < 2);
        }
        assert_ne!(seeded.tag(), seeded.tag());
    }
}
