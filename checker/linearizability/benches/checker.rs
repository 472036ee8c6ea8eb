//! How long a verdict takes, the history being there: `cargo bench -p linearizability`.

use std::hint::black_box;
use std::time::Duration;

use checker_testing::linearizability::synthetic::{self, Shape, Spoil};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use linearizability::models::{CasRegister, Kv};
use linearizability::{CallOf, Limits, Report, check, check_by_key};

/// One thread, so that figures compare.
fn limits() -> Limits {
    Limits { threads: Some(1), time: Duration::from_secs(60), memory_bytes: 4 << 30, cancel: None }
}

/// Asks once, and tells what it took: time on the processor, too, since a busy machine says little about the clock,
/// and the memory beyond the history's.
fn told(name: &str, ask: impl FnOnce() -> Report) {
    // Lets the peak start anew.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (cpu, resident) = (cpu_ns(), kibibytes("VmHWM:"));
    let report = ask();
    let (cpu, resident) =
        (cpu_ns().saturating_sub(cpu), kibibytes("VmHWM:").saturating_sub(resident));
    let Report { verdict, statistics, .. } = report;
    println!(
        "{name}: {verdict:?}, {} ms on the processor, {} MB more at the peak, {statistics:?}",
        cpu / 1_000_000,
        resident / 1024
    );
}

/// Time that this thread was on a processor; 0 where the system does not tell.
fn cpu_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// A figure of `/proc/self/status`; 0 where the system does not tell.
fn kibibytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn one(criterion: &mut Criterion, name: &str, calls: &[CallOf<CasRegister>]) {
    let model = CasRegister::default();
    told(name, || check(&model, calls, &limits()));
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| check(&model, black_box(calls), &limits()).verdict);
    });
}

fn registers(criterion: &mut Criterion) {
    for clients in [5, 50] {
        let shape = Shape { operations: 1_000_000, clients, keys: 1, unknown_per_mille: 20 };
        let mut calls = synthetic::register(shape, 1);
        one(criterion, &format!("register/1M/{clients} clients/valid"), &calls);
        synthetic::make_stale(&CasRegister::default(), &mut calls);
        one(criterion, &format!("register/1M/{clients} clients/stale"), &calls);
    }
}

fn key_values(criterion: &mut Criterion) {
    let shape = Shape { operations: 1_000_000, clients: 10, keys: 100, unknown_per_mille: 20 };
    let groups: Vec<(usize, Vec<CallOf<Kv>>)> =
        synthetic::key_value(shape, 1).into_iter().enumerate().collect();
    let copy = groups.clone();
    told("kv/1M/100 keys/valid", || check_by_key(&Kv, copy, &limits()));
    criterion.bench_function("kv/1M/100 keys/valid", |bencher| {
        bencher.iter_batched(
            || groups.clone(),
            |groups| check_by_key(&Kv, groups, &limits()).verdict,
            BatchSize::PerIteration,
        );
    });
}

fn few_values(criterion: &mut Criterion) {
    let shape = Shape { operations: 100_000, clients: 10, keys: 1, unknown_per_mille: 0 };
    let calls = synthetic::cas(shape, 1);
    one(criterion, "cas over 5 values/100k/10 clients/valid", &calls);
    for operations in [1_000, 10_000] {
        let shape = Shape { operations, clients: 50, keys: 1, unknown_per_mille: 15 };
        let mut calls = synthetic::cas(shape, 1);
        one(criterion, &format!("cas over 5 values/{operations}/50 clients/valid"), &calls);
        Spoil::ImpossibleCas.apply(&mut calls, 1);
        one(criterion, &format!("cas over 5 values/{operations}/50 clients/bad"), &calls);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = registers, key_values, few_values
}
criterion_main!(benches);
