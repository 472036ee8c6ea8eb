//! The memory limit holds for the whole process. A binary of its own: other tests would count too.

use std::time::Duration;

use checker_testing::linearizability::call;
use history::Verdict;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{Limits, check};

/// Resident memory at its greatest so far.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it tells the peak");
    let digits = line.split_whitespace().nth(1).expect("it tells a number");
    1024 * digits.parse::<u64>().expect("it tells a number")
}

/// Forty appends at once, a read that fits none of their 40! orders: a memory of all their states, 2^40 sets of
/// appends at 40 bytes each, takes more than 100 GB long before the end.
#[test]
fn a_search_for_100_gb_stays_within_64_mb() {
    let mut calls: Vec<_> = (0..40)
        .map(|i| {
            let append = KvInput::Append(format!("{i:02}").into());
            call(i, append, Some(KvOutput::Done), i, Some(1000 + i))
        })
        .collect();
    let scrambled: String = (0..40).map(|i| format!("{:02}", (i * 7 + 3) % 39)).collect();
    calls.push(call(
        40,
        KvInput::Get,
        Some(KvOutput::Value(Some(scrambled.into()))),
        2000,
        Some(2001),
    ));
    let limit = 64 << 20;
    let before = peak_bytes();
    let limits = Limits { time: Duration::from_secs(60), memory_bytes: limit, ..Limits::default() };
    let report = check(&Kv, &calls, &limits);
    assert_eq!(report.verdict, Verdict::Inconclusive, "{report:?}");
    assert!(report.reason.as_deref().is_some_and(|why| why.contains("memory")), "{report:?}");
    let grown = peak_bytes() - before;
    assert!(grown <= limit * 5 / 4, "{grown} bytes more than before, {report:?}");
}
