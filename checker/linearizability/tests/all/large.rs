//! Long histories and many clients: the search must stay near linear where the store is right.

use checker_testing::linearizability::{self as common, KvCall, rng};
use history::Verdict;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{Anomaly, Limits, Model, Report, check};
use rand::RngExt;

/// A right store under `clients` clients, of whose writes every hundredth is never answered.
fn recorded(
    clients: usize,
    size: usize,
    seed: u64,
    input: impl Fn(usize, u32) -> KvInput,
) -> Vec<KvCall> {
    let mut rng = rng(seed);
    let mut state = Kv.initial();
    // Per client: the call that is open, and whether it has happened.
    let mut open: Vec<Option<(usize, bool)>> = vec![None; clients];
    let mut calls: Vec<KvCall> = Vec::with_capacity(size);
    let mut now = 0;
    while calls.len() < size || open.iter().any(Option::is_some) {
        now += 1;
        let client = rng.random_range(0..clients);
        match open[client] {
            None if calls.len() < size => {
                let input = input(calls.len(), rng.random_range(0..10));
                calls.push(common::call(calls.len() as u64, input, None, now, None));
                open[client] = Some((calls.len() - 1, false));
            }
            None => {}
            Some((i, false)) => {
                let output = common::truth(&state, &calls[i].input);
                state =
                    Kv.step(&state, &calls[i].input, Some(&output)).expect("the truth is legal");
                calls[i].output = Some(output);
                open[client] = Some((i, true));
            }
            Some((i, true)) => {
                open[client] = None;
                if rng.random_range(0..100) == 0
                    && !Kv.effects(&calls[i].input, None).is_read_only()
                {
                    calls[i].output = None;
                } else {
                    calls[i].ret = Some(now);
                    calls[i].return_ns = Some(now * 1_000_000);
                }
            }
        }
    }
    calls
}

fn judged(name: &str, calls: &[KvCall]) -> Report {
    let report = check(&Kv, calls, &Limits::default());
    println!("{name}: {:?} {:?} {:?}", report.verdict, report.reason, report.statistics);
    report
}

fn register(i: usize, dice: u32) -> KvInput {
    if dice < 5 { KvInput::Get } else { KvInput::Put(format!("value {i}").into()) }
}

fn append(i: usize, dice: u32) -> KvInput {
    if dice < 5 { KvInput::Get } else { KvInput::Append(format!("{i};").into()) }
}

fn cas(_: usize, dice: u32) -> KvInput {
    match dice {
        0..3 => KvInput::Get,
        3..6 => KvInput::Put((dice % 3).to_string().into()),
        _ => KvInput::Cas {
            expect: Some((dice % 3).to_string().into()),
            value: (dice % 2).to_string().into(),
        },
    }
}

#[test]
fn right_stores_are_valid() {
    for (name, clients, size, input) in [
        ("register", 10, 20_000, register as fn(usize, u32) -> KvInput),
        ("register, many clients", 50, 5_000, register),
        ("append", 10, 1_000, append),
        ("cas", 10, 20_000, cas),
    ] {
        let calls = recorded(clients, size, 5, input);
        assert_eq!(judged(name, &calls).verdict, Verdict::Valid);
    }
}

#[test]
fn one_stale_read_among_thousands_is_found_and_explained() {
    let mut calls = recorded(10, 5_000, 6, register);
    let stale = (0..calls.len()).rev().nth(100).expect("there are more");
    let stale =
        (stale..calls.len()).find(|&i| calls[i].input == KvInput::Get).expect("half are reads");
    let old = calls[..stale - 1000]
        .iter()
        .rev()
        .find(|call| call.input == KvInput::Get && call.output != Some(KvOutput::Value(None)));
    calls[stale].output = old.expect("half are reads").output.clone();
    let report = judged("stale", &calls);
    assert_eq!(report.verdict, Verdict::Violation);
    let witness = report.witness.expect("a violation has a witness");
    println!("{}", witness.sentence);
    assert_eq!(witness.kind, Anomaly::StaleRead);
    assert!(witness.operations.contains(&calls[stale].id));
    assert!(witness.operations.len() <= 5, "{witness:?}");
}

#[test]
fn one_lost_append_among_thousands_is_found_and_explained() {
    let mut calls = recorded(10, 2_000, 8, append);
    let lost = (1_000..calls.len())
        .find(|&i| calls[i].input != KvInput::Get && calls[i].ret.is_some())
        .expect("half are appends");
    let token = format!("{lost};");
    for call in &mut calls[lost + 1..] {
        if let Some(KvOutput::Value(Some(value))) = &mut call.output {
            *value = value.replacen(&format!(";{token}"), ";", 1).into();
        }
    }
    let report = judged("lost append", &calls);
    assert_eq!(report.verdict, Verdict::Violation);
    let witness = report.witness.expect("a violation has a witness");
    println!("{}", witness.sentence);
    // The first to tell may be a value that was never there, before the loss itself is certain.
    assert!([Anomaly::LostAppend, Anomaly::PhantomValue].contains(&witness.kind), "{witness:?}");
    assert!(witness.operations.len() <= 6, "{witness:?}");
}
