//! How long a verdict takes, the history being there: `cargo bench -p linearizability`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use linearizability::models::{CasRegister, Kv};
use linearizability::{CallOf, Limits, check, check_by_key};
use synthetic::Shape;

#[path = "../tests/common/synthetic.rs"]
mod synthetic;

/// One thread, so that figures compare.
fn limits() -> Limits {
    Limits { threads: Some(1), time: Duration::from_secs(60), memory_bytes: 4 << 30, cancel: None }
}

fn one(criterion: &mut Criterion, name: &str, calls: &[CallOf<CasRegister>]) {
    let model = CasRegister::default();
    let report = check(&model, calls, &limits());
    println!("{name}: {:?}, {:?}", report.verdict, report.statistics);
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
    let report = check_by_key(&Kv, groups.clone(), &limits());
    println!("kv: {:?}, {:?}", report.verdict, report.statistics);
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
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = registers, key_values, few_values
}
criterion_main!(benches);
