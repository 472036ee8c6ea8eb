//! The search against the definition, on histories small enough to try every order.

mod common;

use common::{FLAVOURS, KvWorkload, Workload, history, rng};
use history::Verdict;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::models::multi_register::MultiRegister;
use linearizability::{CallOf, Limits, Model, Report, check, oracle};

/// How the two compare over many histories.
#[derive(Debug, Default)]
struct Tally {
    valid: usize,
    violations: usize,
    disagreements: usize,
}

/// Checks `count` histories with `judge` and the oracle.
fn compare<W: Workload>(
    workload: &W,
    seed: u64,
    count: usize,
    judge: impl Fn(&[CallOf<W>]) -> Report,
) -> Tally {
    let (mut rng, mut tally) = (rng(seed), Tally::default());
    for _ in 0..count {
        let calls = history(workload, &mut rng, 8);
        let expected = oracle::is_linearizable(workload, &calls);
        let report = judge(&calls);
        if report.verdict == Verdict::Inconclusive || (report.verdict == Verdict::Valid) != expected
        {
            if tally.disagreements == 0 {
                println!("expected {expected}, got {report:?} for\n{}", shown(workload, &calls));
            }
            tally.disagreements += 1;
        }
        if report.verdict == Verdict::Violation {
            tally.violations += 1;
            let witness = report.witness.expect("a violation has a witness");
            let invoked = |id: &u64| calls.iter().find(|call| call.id == *id).map(|call| call.call);
            let times: Vec<u64> = witness.operations.iter().filter_map(invoked).collect();
            assert!(
                !times.is_empty() && times.is_sorted() && times.len() == witness.operations.len()
            );
        } else {
            tally.valid += 1;
        }
    }
    tally
}

fn shown<W: Workload>(workload: &W, calls: &[CallOf<W>]) -> String {
    let line = |c: &CallOf<W>| {
        let what = workload.describe(&c.input, c.output.as_ref());
        format!("{}: {what} {}–{:?}, failed {}\n", c.id, c.call, c.ret, c.failed)
    };
    calls.iter().map(line).collect()
}

/// A test that sees only one kind of history shows nothing.
fn assert_agrees(tally: &Tally) {
    let total = tally.valid + tally.violations;
    assert_eq!(tally.disagreements, 0, "{tally:?}");
    assert!(tally.valid * 10 > total && tally.violations * 10 > total, "one-sided: {tally:?}");
}

#[test]
fn key_value_histories_agree_with_the_oracle() {
    for (seed, flavour) in (0..).zip(FLAVOURS) {
        let judge = |calls: &[CallOf<Kv>]| check(&Kv, calls, &Limits::default());
        let tally = compare(&KvWorkload(flavour), seed, 40_000, judge);
        println!("{flavour:?}: {tally:?}");
        assert_agrees(&tally);
    }
}

/// The same without any of the hints that a model may give.
#[test]
fn a_model_without_hints_agrees_with_the_oracle() {
    for (seed, flavour) in (100..).zip(FLAVOURS) {
        let workload = KvWorkload(flavour);
        let judge = |calls: &[CallOf<KvWorkload>]| check(&workload, calls, &Limits::default());
        assert_agrees(&compare(&workload, seed, 10_000, judge));
    }
}

#[test]
fn multi_register_histories_agree_with_the_oracle() {
    let judge = |calls: &[CallOf<MultiRegister>]| check(&MultiRegister, calls, &Limits::default());
    let tally = compare(&MultiRegister, 7, 60_000, judge);
    println!("{tally:?}");
    assert_agrees(&tally);
}

/// A key whose model is wrong in one place.
#[derive(Clone, Copy)]
enum Wrong {
    /// A refused compare-and-set is legal in every state.
    AnyRefusal,
    /// An append to an absent key is lost.
    LosesFirstAppend,
    /// Promises that no put ever makes a read legal.
    FalseHint,
}

impl Model for Wrong {
    type Input = KvInput;
    type Output = KvOutput;
    type State = <Kv as Model>::State;

    fn initial(&self) -> Self::State {
        Kv.initial()
    }
    fn step(&self, s: &Self::State, i: &KvInput, o: Option<&KvOutput>) -> Option<Self::State> {
        match (self, i, o) {
            (Wrong::AnyRefusal, _, Some(KvOutput::Cas { swapped: false, .. })) => Some(s.clone()),
            (Wrong::LosesFirstAppend, KvInput::Append(_), _) if *s == Kv.initial() => {
                Some(s.clone())
            }
            _ => Kv.step(s, i, o),
        }
    }
    fn is_read_only(&self, input: &KvInput) -> bool {
        Kv.is_read_only(input)
    }
    fn describe(&self, input: &KvInput, output: Option<&KvOutput>) -> String {
        Kv.describe(input, output)
    }
    fn gives(&self, input: &KvInput, output: Option<&KvOutput>) -> Option<u64> {
        match (self, input) {
            (Wrong::FalseHint, KvInput::Put(_)) => Some(0),
            _ => Kv.gives(input, output),
        }
    }
    fn needs(&self, input: &KvInput, output: Option<&KvOutput>) -> Option<u64> {
        Kv.needs(input, output)
    }
}

/// The oracle is worth something: it finds each of three planted mistakes.
#[test]
fn the_oracle_finds_a_wrong_model() {
    for wrong in [Wrong::AnyRefusal, Wrong::LosesFirstAppend, Wrong::FalseHint] {
        let found = FLAVOURS.into_iter().any(|flavour| {
            let mut rng = rng(11);
            (0..5_000).any(|_| {
                let calls = history(&KvWorkload(flavour), &mut rng, 7);
                let expected = oracle::is_linearizable(&Kv, &calls);
                let verdict = check(&wrong, &calls, &Limits::default()).verdict;
                // A contradiction that the check notices itself counts as well.
                verdict == Verdict::Inconclusive || (verdict == Verdict::Valid) != expected
            })
        });
        assert!(found);
    }
}
