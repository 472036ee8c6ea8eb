//! Counts and quantiles: over all operations, and over time in a bounded number of buckets.

use std::collections::BTreeMap;

use record::{Counts, Quantiles};

use crate::axis::nice;
use crate::operations::{Ending, Operations};

/// About so many buckets, however long the run.
const BUCKETS: u64 = 120;

/// One function's figures.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// How its operations ended.
    pub counts: Counts,
    /// Latency of the successful ones.
    pub latency_ms: Option<Quantiles>,
}

/// The main phase by function.
pub fn functions(operations: &Operations) -> BTreeMap<String, Function> {
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    let mut latencies: Vec<Vec<u64>> = vec![Vec::new(); operations.functions.all().len()];
    for row in operations.rows.iter().filter(|row| operations.is_main(row)) {
        let counts =
            &mut functions.entry(operations.functions.get(row.f).to_owned()).or_default().counts;
        match row.ending {
            Ending::Ok => {
                counts.ok += 1;
                latencies[row.f].extend(latency_ns(row.start_ns, row.end_ns));
            }
            Ending::Fail => counts.fail += 1,
            Ending::Info | Ending::Open => counts.info += 1,
        }
    }
    for (name, latencies) in operations.functions.all().iter().zip(latencies) {
        if let Some(function) = functions.get_mut(name) {
            function.latency_ms = Quantiles::of(latencies);
        }
    }
    functions
}

/// Latency of the main phase's successful operations.
pub fn latency(operations: &Operations) -> Option<Quantiles> {
    let main = operations.rows.iter().filter(|row| operations.is_main(row));
    let ok = main.filter(|row| row.ending == Ending::Ok);
    Quantiles::of(ok.filter_map(|row| latency_ns(row.start_ns, row.end_ns)).collect())
}

fn latency_ns(start_ns: u64, end_ns: Option<u64>) -> Option<u64> {
    end_ns.map(|end_ns| end_ns.saturating_sub(start_ns))
}

/// One stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// Latency of the successful operations invoked in it.
    pub latency_ms: Option<Quantiles>,
    /// Operations completed in it: ok, fail, info.
    pub completed: [u64; 3],
}

/// A run over time.
#[derive(Clone, Debug)]
pub struct Series {
    /// How long a bucket is.
    pub width_ns: u64,
    /// From the start of the run.
    pub buckets: Vec<Bucket>,
}

impl Series {
    /// Sorts all operations into buckets.
    pub fn new(operations: &Operations) -> Self {
        let width_ns = bucket_width_ns(operations.end_ns);
        let place = |ns: u64| usize::try_from(ns / width_ns).unwrap_or(usize::MAX);
        let mut buckets = vec![Bucket::default(); place(operations.end_ns) + 1];
        let mut latencies: Vec<Vec<u64>> = vec![Vec::new(); buckets.len()];
        for row in &operations.rows {
            let Some(end_ns) = row.end_ns else { continue };
            let (start, end) = (place(row.start_ns), place(end_ns));
            if start >= buckets.len() || end >= buckets.len() {
                continue;
            }
            match row.ending {
                Ending::Ok => {
                    buckets[end].completed[0] += 1;
                    latencies[start].push(end_ns.saturating_sub(row.start_ns));
                }
                Ending::Fail => buckets[end].completed[1] += 1,
                Ending::Info | Ending::Open => buckets[end].completed[2] += 1,
            }
        }
        for (bucket, latencies) in buckets.iter_mut().zip(latencies) {
            bucket.latency_ms = Quantiles::of(latencies);
        }
        Self { width_ns, buckets }
    }
}

fn bucket_width_ns(end_ns: u64) -> u64 {
    // Round widths from a millisecond up; the float is exact enough to choose one.
    #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)]
    let width_ms = nice((end_ns / BUCKETS) as f64 / 1e6).max(1.0) as u64;
    width_ms * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_buckets_is_bounded() {
        for end_ns in [0, 1, 5_000_000, 30_000_000_000, 86_400_000_000_000, u64::MAX] {
            let buckets = end_ns / bucket_width_ns(end_ns) + 1;
            assert!(buckets <= BUCKETS + 1, "{end_ns}: {buckets}");
        }
    }
}
