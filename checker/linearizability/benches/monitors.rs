//! How long the monitors take for a million operations: `cargo bench -p linearizability --bench monitors`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use linearizability::models::line::{LineInput, LineOutput, Queue, Stack};
use linearizability::models::set::{Set, SetInput, SetOutput};
use linearizability::{Call, CallOf, Limits, Model, check};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const OPERATIONS: usize = 1_000_000;

/// Clients, as many as there are: each asks, sees its operation happen at some moment, and hears of it at some later
/// one.
fn recorded<I: Clone, O: Clone>(
    clients: usize,
    mut ask: impl FnMut(&mut ChaCha8Rng, usize) -> I,
    mut happen: impl FnMut(&I) -> O,
) -> Vec<Call<I, O>> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut open: Vec<Option<usize>> = vec![None; clients];
    let mut calls: Vec<Call<I, O>> = Vec::with_capacity(OPERATIONS);
    let mut now = 0;
    while calls.len() < OPERATIONS || open.iter().any(Option::is_some) {
        now += 1;
        let client = rng.random_range(0..clients);
        match open[client] {
            None if calls.len() < OPERATIONS => {
                let id = calls.len();
                calls.push(Call {
                    id: id as u64,
                    process: client as u64,
                    input: ask(&mut rng, id),
                    output: None,
                    call: now,
                    ret: None,
                    call_ns: now,
                    return_ns: None,
                    failed: false,
                });
                open[client] = Some(id);
            }
            None => {}
            Some(id) if calls[id].output.is_none() => {
                let output = happen(&calls[id].input);
                calls[id].output = Some(output);
            }
            Some(id) => {
                (calls[id].ret, calls[id].return_ns) = (Some(now), Some(now));
                open[client] = None;
            }
        }
    }
    calls
}

fn queue(clients: usize, enqueues: f64) -> Vec<CallOf<Queue<u64>>> {
    let mut state = std::collections::VecDeque::new();
    let ask = |rng: &mut ChaCha8Rng, id| match rng.random_bool(enqueues) {
        true => LineInput::Put(id as u64),
        false => LineInput::Take,
    };
    recorded(clients, ask, |input| match input {
        LineInput::Put(value) => {
            state.push_back(*value);
            LineOutput::Done
        }
        LineInput::Take => state.pop_front().map_or(LineOutput::Empty, LineOutput::Value),
    })
}

fn stack(clients: usize, pushes: f64) -> Vec<CallOf<Stack<u64>>> {
    let mut state = Vec::new();
    let ask = |rng: &mut ChaCha8Rng, id| match rng.random_bool(pushes) {
        true => LineInput::Put(id as u64),
        false => LineInput::Take,
    };
    recorded(clients, ask, |input| match input {
        LineInput::Put(value) => {
            state.push(*value);
            LineOutput::Done
        }
        LineInput::Take => state.pop().map_or(LineOutput::Empty, LineOutput::Value),
    })
}

fn set(clients: usize) -> Vec<CallOf<Set<u64>>> {
    let mut state = std::collections::HashSet::new();
    let mut next = 0;
    let ask = |rng: &mut ChaCha8Rng, _| {
        let recent = |rng: &mut ChaCha8Rng, next: u64| next - rng.random_range(0..=next.min(100));
        match rng.random_range(0..4) {
            0 => {
                next += 1;
                SetInput::Add(next)
            }
            1 => SetInput::Remove(recent(rng, next)),
            _ => SetInput::Contains(recent(rng, next)),
        }
    };
    recorded(clients, ask, |input| match input {
        SetInput::Add(value) => SetOutput::Changed(state.insert(*value)),
        SetInput::Remove(value) => SetOutput::Changed(state.remove(value)),
        SetInput::Contains(value) => SetOutput::Present(state.contains(value)),
        SetInput::ReadAll => SetOutput::Done,
    })
}

/// Exchanges the results of two operations, deep inside and far apart.
fn corrupt<I, O: Clone + PartialEq>(calls: &mut [Call<I, O>], same: impl Fn(&Call<I, O>) -> bool) {
    let third = calls.len() / 3;
    let candidates: Vec<usize> = (third..calls.len()).filter(|&i| same(&calls[i])).collect();
    let first = candidates[0];
    let differs = |&&i: &&usize| calls[i].output != calls[first].output;
    let second = *candidates.iter().skip(100).find(differs).expect("results differ");
    let output = calls[first].output.clone();
    calls[first].output = calls[second].output.clone();
    calls[second].output = output;
}

fn one<M: Model>(criterion: &mut Criterion, name: &str, model: &M, calls: &[CallOf<M>]) {
    let report = check(model, calls, &Limits::default());
    println!("{name}: {:?}, {:?}", report.verdict, report.witness.map(|witness| witness.sentence));
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| check(model, black_box(calls), &Limits::default()).verdict);
    });
}

fn queues(criterion: &mut Criterion) {
    for (clients, enqueues) in [(10, 0.5), (50, 0.5), (10, 0.7)] {
        let mut calls = queue(clients, enqueues);
        let name = format!("queue/1M/{clients} clients/{:.0} % enqueues", 100.0 * enqueues);
        one(criterion, &format!("{name}/valid"), &Queue::new(), &calls);
        corrupt(&mut calls, |call| matches!(call.output, Some(LineOutput::Value(_))));
        one(criterion, &format!("{name}/bad"), &Queue::new(), &calls);
    }
}

fn stacks(criterion: &mut Criterion) {
    for (clients, pushes) in [(10, 0.5), (50, 0.5), (10, 0.7)] {
        let mut calls = stack(clients, pushes);
        let name = format!("stack/1M/{clients} clients/{:.0} % pushes", 100.0 * pushes);
        one(criterion, &format!("{name}/valid"), &Stack::new(), &calls);
        corrupt(&mut calls, |call| matches!(call.output, Some(LineOutput::Value(_))));
        one(criterion, &format!("{name}/bad"), &Stack::new(), &calls);
    }
}

fn sets(criterion: &mut Criterion) {
    for clients in [10, 50] {
        let mut calls = set(clients);
        one(criterion, &format!("set/1M/{clients} clients/valid"), &Set::new(), &calls);
        let wrong = |call: &CallOf<Set<u64>>| matches!(call.input, SetInput::Contains(_));
        corrupt(&mut calls, wrong);
        one(criterion, &format!("set/1M/{clients} clients/bad"), &Set::new(), &calls);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = queues, stacks, sets
}
criterion_main!(benches);
