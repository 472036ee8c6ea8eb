//! How long things took, in four figures.

use serde::{Deserialize, Serialize};

/// Latency quantiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Slowest.
    pub max: f64,
}

impl Quantiles {
    /// The quantiles of latencies in nanoseconds, by nearest rank: each is a latency that occurred. `None` of none.
    #[must_use]
    pub fn of(mut latencies_ns: Vec<u64>) -> Option<Self> {
        latencies_ns.sort_unstable();
        let count = latencies_ns.len();
        let at = |percent: usize| {
            let rank = (count * percent).div_ceil(100).max(1);
            latencies_ns[rank - 1] as f64 / 1e6
        };
        (count > 0).then(|| Self { p50: at(50), p95: at(95), p99: at(99), max: at(100) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let latencies = (1..=200).rev().map(|ms| ms * 1_000_000).collect();
        let found = Quantiles::of(latencies).unwrap();
        assert_eq!((found.p50, found.p95, found.p99, found.max), (100.0, 190.0, 198.0, 200.0));
        let one = Quantiles::of(vec![5_000_000]).unwrap();
        assert_eq!((one.p50, one.max), (5.0, 5.0));
        assert!(Quantiles::of(Vec::new()).is_none());
    }
}
