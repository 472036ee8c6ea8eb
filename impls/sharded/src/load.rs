//! How much is asked of each shard.

use std::collections::BTreeMap;

/// A request counts for so long: its weight is divided by e in this time.
const TIME_CONSTANT_MS: f64 = 2_000.0;

/// Requests a second of each shard, of which older ones count less and less (an exponentially weighted moving rate).
#[derive(Debug, Default)]
pub struct Load {
    since_ms: Option<u64>,
    at_ms: u64,
    /// What the requests of each shard still weigh.
    weights: BTreeMap<usize, f64>,
}

impl Load {
    /// Lets the time pass until now.
    pub fn advance(&mut self, now_ms: u64) {
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        let at_ms = self.at_ms.max(since_ms);
        let decay = decay(now_ms.saturating_sub(at_ms));
        self.weights.values_mut().for_each(|weight| *weight *= decay);
        self.at_ms = at_ms.max(now_ms);
    }

    /// A request of this shard, now.
    pub fn count(&mut self, shard: usize, now_ms: u64) {
        self.advance(now_ms);
        *self.weights.entry(shard).or_default() += 1.0;
    }

    /// How long it has been counting, when time passed last.
    #[must_use]
    pub fn counted_ms(&self) -> u64 {
        self.since_ms.map_or(0, |since_ms| self.at_ms - since_ms)
    }

    /// Requests a second of a shard, when time passed last; 0 before any time has.
    #[must_use]
    pub fn per_s(&self, shard: usize) -> f64 {
        let counted_ms = self.counted_ms();
        if counted_ms == 0 {
            return 0.0;
        }
        let weight = self.weights.get(&shard).copied().unwrap_or_default();
        // What steady requests would weigh by now, each a millisecond apart.
        let full_weight = TIME_CONSTANT_MS * (1.0 - decay(counted_ms));
        weight / full_weight * 1_000.0
    }
}

/// What is left of a weight after so long.
fn decay(elapsed_ms: u64) -> f64 {
    // So long that nothing is left fits into 32 bits.
    let elapsed_ms = u32::try_from(elapsed_ms).unwrap_or(u32::MAX);
    (-f64::from(elapsed_ms) / TIME_CONSTANT_MS).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many requests of shard 0, one each `every_ms`, since `from_ms`.
    fn asked(load: &mut Load, from_ms: u64, every_ms: u64, times: u64) -> u64 {
        load.advance(from_ms);
        let last_ms = from_ms + every_ms * times;
        (1..=times).for_each(|number| load.count(0, from_ms + number * every_ms));
        last_ms
    }

    fn is_near(rate: f64, expected: f64) -> bool {
        (rate - expected).abs() <= expected * 0.06
    }

    #[test]
    fn a_steady_rate_shows_soon_and_stays_whatever_the_clock_began_with() {
        for from_ms in [0, 987_654] {
            for times in [50, 500, 5_000] {
                let mut load = Load::default();
                asked(&mut load, from_ms, 20, times);
                assert!(is_near(load.per_s(0), 50.0), "{times}: {}", load.per_s(0));
                assert_eq!(load.counted_ms(), 20 * times);
            }
        }
    }

    #[test]
    fn what_is_not_asked_any_more_is_forgotten() {
        let mut load = Load::default();
        let last_ms = asked(&mut load, 0, 10, 1_000);
        load.advance(last_ms + 2_000);
        assert!(is_near(load.per_s(0), 100.0 / std::f64::consts::E), "{}", load.per_s(0));
        load.advance(last_ms + 30_000);
        assert!(load.per_s(0) < 0.01);
    }

    #[test]
    fn nothing_is_known_of_other_shards_or_before_time_has_passed() {
        let mut load = Load::default();
        load.count(0, 5);
        assert_eq!((load.per_s(0), load.counted_ms()), (0.0, 0));
        load.advance(1_005);
        assert!(load.per_s(0) > 0.0 && load.per_s(1) == 0.0);
    }
}
