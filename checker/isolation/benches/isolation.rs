//! How long a verdict takes, the history being there: `cargo bench -p isolation`.
//!
//! Reads of lists were compared with each other when the history was built, which reading a file would do, too.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use isolation::generate::{Injection, Synthetic};
use isolation::{Datatype, History, Options, check};

/// Time that this thread was on a processor; 0 where the system does not tell.
fn cpu_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// The most memory since the last call, in kibibytes; 0 where the system does not tell.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    peak
}

/// Asks once, and tells what it took: time on the processor, since a busy machine says little about the clock, and
/// memory with the history's.
fn told(name: &str, history: &History) {
    peak_kib();
    let cpu = cpu_ns();
    let report = check(history, &Options::default());
    let cpu_ms = cpu_ns().saturating_sub(cpu) / 1_000_000;
    let clearest = report.anomalies.iter().map(|finding| finding.transactions.len()).min();
    println!(
        "{name}: {:?}, {cpu_ms} ms on the processor, {} MB at the peak, shortest witness {clearest:?}",
        report.verdict,
        peak_kib() / 1024
    );
}

fn histories(criterion: &mut Criterion) {
    for (datatype, kind) in [(Datatype::ListAppend, "lists"), (Datatype::Register, "registers")] {
        for (transactions, size) in [(100_000, "100k"), (1_000_000, "1M")] {
            for (inject, what) in [(None, "valid"), (Some(Injection::StaleRead), "stale")] {
                let synthetic =
                    Synthetic { datatype, transactions, inject, ..Synthetic::default() };
                let transactions: Vec<_> = synthetic.transactions().collect();
                let history =
                    History::from_transactions(datatype, &transactions).expect("fitting reads");
                drop(transactions);
                let name = format!("{kind}/{size}/20 clients/{what}");
                told(&name, &history);
                criterion.bench_function(&name, |bencher| {
                    bencher.iter(|| check(black_box(&history), &Options::default()).verdict);
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = histories
}
criterion_main!(benches);
