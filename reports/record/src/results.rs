//! `results.json`: the verdict and what it rests on.

use std::collections::BTreeMap;

use history::{CheckResult, Completion, Verdict};
use serde::{Deserialize, Serialize};

/// `results.json`: written after the check; `--json` prints the same document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultsFile {
    /// The merged verdict.
    pub verdict: Verdict,
    /// [`crate::VERSION`].
    pub version: u32,
    /// The verdict in one plain sentence.
    pub summary: String,
    /// What each checker found.
    pub checks: Vec<CheckResult>,
    /// Operations of the main phase by function.
    pub operations: BTreeMap<String, Counts>,
    /// Latency of successful operations of the main phase, in milliseconds.
    pub latency_ms: Option<Quantiles>,
    /// Faults: how many were planned and how many were seen to take hold, by family.
    pub faults: BTreeMap<String, FaultCounts>,
    /// What was odd but is no verdict: protocol errors, premises, a starved host.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The results folder.
    pub folder: String,
}

/// How operations of one function ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Succeeded.
    pub ok: u64,
    /// Certainly did not happen.
    pub fail: u64,
    /// Nobody knows.
    pub info: u64,
}

impl Counts {
    /// Counts one more operation.
    pub fn add(&mut self, completion: &Completion) {
        match completion {
            Completion::Ok(..) => self.ok += 1,
            Completion::Fail(..) => self.fail += 1,
            Completion::Info(_) => self.info += 1,
        }
    }
}

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

/// Planned and effective faults of a family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// Written into the plan.
    pub planned: u64,
    /// Seen to take hold.
    pub effective: u64,
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
