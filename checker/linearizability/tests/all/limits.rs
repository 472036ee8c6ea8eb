//! Time, memory and cancellation end a check with a reason, never with a guess.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use checker_testing::linearizability::synthetic::{self, Shape, Spoil};
use checker_testing::linearizability::{KvCall, call};
use history::Verdict;
use linearizability::models::CasRegister;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{Explained, Limits, Report, check, check_by_key};

/// Sixty concurrent appends whose results nobody knows, and a read that fits none of their orders until all
/// have been tried: 60! of them, and nothing that a memory of configurations could merge.
fn hard() -> Vec<KvCall> {
    let mut calls: Vec<KvCall> = (0..60)
        .map(|i| {
            call(
                i,
                KvInput::Append(format!("{i:02}").into()),
                Some(KvOutput::Done),
                i,
                Some(1000 + i),
            )
        })
        .collect();
    let scrambled: String = (0..60).map(|i| format!("{:02}", (i * 7 + 3) % 59)).collect();
    calls.push(call(
        60,
        KvInput::Get,
        Some(KvOutput::Value(Some(scrambled.into()))),
        2000,
        Some(2001),
    ));
    calls
}

fn limited(time_ms: u64, memory_bytes: u64) -> Limits {
    Limits { time: Duration::from_millis(time_ms), memory_bytes, ..Limits::default() }
}

fn reason(report: &Report) -> &str {
    assert_eq!(report.verdict, Verdict::Inconclusive, "{report:?}");
    report.reason.as_deref().expect("an inconclusive check says why")
}

/// Without the limit this would run for ages.
#[test]
fn time_is_limited() {
    let report = check(&Kv, &hard(), &limited(200, u64::MAX));
    assert!(reason(&report).contains("within 0.2 s"), "{report:?}");
    // The appends fit, the read does not.
    let stopped = Some(Explained { first: 60, of: 61 });
    assert_eq!(report.statistics.stopped, stopped);
    assert!(reason(&report).ends_with("explaining the first 60 of 61 operations."), "{report:?}");
}

#[test]
fn memory_is_limited() {
    let report = check(&Kv, &hard(), &limited(60_000, 5_000_000));
    assert!(reason(&report).contains("5 MB of memory"), "{report:?}");
    assert!(report.statistics.memory_bytes <= 5_500_000, "{report:?}");
}

/// Beside each other no attempt has memory enough; one after the other gets all of it. (Depth first once had half of the
/// memory to the end, and the reason named the whole.)
#[test]
fn what_fits_into_the_memory_alone_is_decided() {
    assert!(
        (1..=8).any(waits_for_memory_and_is_decided),
        "nothing had to wait for all of the memory"
    );
}

/// Over memory limits around what a search takes: is one among them at which it has to wait, and then decides?
fn waits_for_memory_and_is_decided(seed: u64) -> bool {
    let shape = Shape { operations: 1_000, clients: 25, keys: 1, unknown_per_mille: 15 };
    let mut calls = synthetic::cas(shape, seed);
    Spoil::FlippedCas.apply(&mut calls, seed);
    let with = |memory_bytes| {
        let report = check(&CasRegister::default(), &calls, &limited(60_000, memory_bytes));
        let taken = report.statistics.memory_bytes;
        assert!(taken <= memory_bytes, "{taken} of {memory_bytes}");
        report
    };
    let plenty = with(1 << 30);
    let scarce = with(plenty.statistics.memory_bytes / 64);
    let is_decided = |report: &Report| report.verdict != Verdict::Inconclusive;
    assert!(is_decided(&scarce) || reason(&scarce).contains("MB of memory"), "{scarce:?}");
    (1..=10).any(|eighths| {
        let tight = with(plenty.statistics.memory_bytes * eighths / 8);
        if is_decided(&tight) {
            assert_eq!(tight.verdict, plenty.verdict, "{tight:?}");
            return tight.statistics.nodes > plenty.statistics.nodes;
        }
        assert!(reason(&tight).contains("MB of memory"), "{tight:?}");
        false
    })
}

#[test]
fn a_check_can_be_cancelled() {
    let cancel = Some(Arc::new(AtomicBool::new(true)));
    let report = check(&Kv, &hard(), &Limits { cancel, ..Limits::default() });
    assert!(reason(&report).contains("cancelled"));
}

#[test]
fn a_hard_key_does_not_hide_a_violation_on_another() {
    let bad = vec![
        call(0, KvInput::Put("1".into()), Some(KvOutput::Done), 0, Some(1)),
        call(1, KvInput::Get, Some(KvOutput::Value(None)), 2, Some(3)),
    ];
    let groups = |bad: Vec<KvCall>| vec![("Key hard", hard()), ("Key easy", bad)];
    let limits = limited(300, 500_000_000);
    let report = check_by_key(&Kv, groups(bad.clone()), &limits);
    assert_eq!(report.verdict, Verdict::Violation);
    let witness = report.witness.expect("a violation has a witness");
    assert_eq!(witness.key.as_deref(), Some("Key easy"));
    assert_eq!(witness.operations, [0, 1]);
    assert!(
        witness.sentence.starts_with("Key easy: stale read: get = nil by process 1"),
        "{witness:?}"
    );

    let report = check_by_key(&Kv, groups(bad[..1].to_vec()), &limits);
    assert!(reason(&report).starts_with("Key hard: "), "{report:?}");
}

#[test]
fn nonsense_is_inconclusive() {
    let calls = [call(7, KvInput::Get, Some(KvOutput::Value(None)), 5, Some(3))];
    let report = check(&Kv, &calls, &Limits::default());
    assert_eq!(reason(&report), "Operation 7 returns before it is called.");
    let all_at_once: Vec<KvCall> = (0..600)
        .map(|i| {
            call(
                i,
                KvInput::Put((i / 2).to_string().into()),
                Some(KvOutput::Done),
                i,
                Some(10_000 + i),
            )
        })
        .collect();
    assert!(
        reason(&check(&Kv, &all_at_once, &Limits::default())).contains("600 operations are open")
    );
}

#[test]
fn nothing_is_valid() {
    assert_eq!(check(&Kv, &[], &Limits::default()).verdict, Verdict::Valid);
    let report = check_by_key::<_, String>(&Kv, Vec::new(), &Limits::default());
    assert_eq!(report.verdict, Verdict::Valid);
}
