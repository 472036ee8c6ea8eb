//! The monitors against the definition of linearizability, on histories small enough to try every order.
//!
//! Published monitors for these objects have been wrong; `MONITOR_HISTORIES=10000000` runs as many as one likes.

use std::time::Duration;

use checker_testing::linearizability::containers::{
    SetFlavour, Under, Unmonitored, Values, are_distinct, shown,
};
use checker_testing::linearizability::{self as common, Workload, history, rng};
use history::Verdict;
use linearizability::models::line::{LineInput, LineOutput, Queue, Stack};
use linearizability::models::set::{Set, SetInput, SetOutput};
use linearizability::{Call, CallOf, Limits, Model, MonitorVerdict, Refutation, check, oracle};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// How the two compare.
#[derive(Debug, Default)]
struct Tally {
    valid: usize,
    violations: usize,
    left_to_the_search: usize,
}

fn histories() -> usize {
    let from_environment =
        std::env::var("MONITOR_HISTORIES").ok().and_then(|text| text.parse().ok());
    from_environment.unwrap_or(60_000)
}

/// Runs the model's monitor and the oracle; the monitor must answer where `answers` says so.
fn compare<M: Model + Clone, W>(
    model: &M,
    workload: W,
    seed: u64,
    answers: impl Fn(&[CallOf<M>]) -> bool,
) -> Tally
where
    Under<M, W>: Workload<Input = M::Input, Output = M::Output, State = M::State>,
{
    let (mut rng, mut tally) = (rng(seed), Tally::default());
    let under = Under(model.clone(), workload);
    for _ in 0..histories() {
        let calls = history(&under, &mut rng, 9);
        let legal = oracle::is_linearizable(model, &calls);
        let verdict = model.monitor(&calls);
        let context = || format!("{verdict:?} for\n{}", shown(model, &calls));
        match &verdict {
            Some(MonitorVerdict::Valid(order)) => {
                tally.valid += 1;
                assert!(legal && replays(model, &calls, order), "{}", context());
            }
            Some(MonitorVerdict::Violation(refutation)) => {
                tally.violations += 1;
                assert!(!legal, "{}", context());
                assert_refutation(model, &calls, refutation);
            }
            None => {
                tally.left_to_the_search += 1;
                assert!(!answers(&calls), "{}", context());
            }
        }
    }
    println!("{tally:?}");
    tally
}

/// Values with random times and nothing else: more ways to be wrong than a mistake or two in a right history has.
fn random_lives<I: Clone, O>(
    rng: &mut ChaCha8Rng,
    values_max: usize,
    insert: impl Fn(usize) -> I,
    remove: &I,
    [done, empty]: [O; 2],
    value: impl Fn(usize) -> O,
) -> Vec<Call<I, O>>
where
    O: Clone,
{
    let values = rng.random_range(1..=values_max);
    let span = [10, 16, 40][rng.random_range(0..3)];
    let longest = [3, 6, span][rng.random_range(0..3)];
    let mut calls = Vec::new();
    let mut add = |rng: &mut ChaCha8Rng, earliest: u64, input, output| {
        let begin = rng.random_range(earliest.min(span)..=span);
        let end = begin + rng.random_range(0..=longest);
        let ret = (rng.random_range(0..20) > 0 || output == 2).then_some(end);
        calls.push((input, output, begin, ret));
        begin
    };
    for i in 0..values {
        let begun = add(rng, 0, i, 0);
        if rng.random_range(0..6) > 0 {
            add(rng, begun.saturating_sub(1), usize::MAX, 1 + 10 * i);
        }
    }
    if rng.random_bool(0.3) {
        add(rng, 0, usize::MAX, 2);
    }
    let told = |(id, (input, output, begin, ret)): (u64, (usize, usize, u64, Option<u64>))| {
        let input = if input == usize::MAX { remove.clone() } else { insert(input) };
        let output = match output {
            0 => done.clone(),
            2 => empty.clone(),
            i => value(i / 10),
        };
        common::call(id, input, ret.and(Some(output)), begin, ret)
    };
    (0..).zip(calls).map(told).collect()
}

/// The monitor against the oracle on these histories.
fn compare_all<M: Model>(
    model: &M,
    seed: u64,
    history: impl Fn(&mut ChaCha8Rng) -> Vec<CallOf<M>>,
) {
    let (mut rng, mut verdicts) = (rng(seed), [0, 0]);
    for _ in 0..histories() {
        let calls = history(&mut rng);
        let legal = oracle::is_linearizable(model, &calls);
        match model.monitor(&calls) {
            Some(MonitorVerdict::Valid(order)) => {
                assert!(legal && replays(model, &calls, &order), "{}", shown(model, &calls));
            }
            Some(MonitorVerdict::Violation(refutation)) => {
                assert!(!legal, "{refutation:?} for\n{}", shown(model, &calls));
                assert_refutation(model, &calls, &refutation);
            }
            None => {
                let unclear = |call: &CallOf<M>| call.output.is_none();
                assert!(calls.iter().any(unclear), "{}", shown(model, &calls));
                continue;
            }
        }
        verdicts[usize::from(legal)] += 1;
    }
    println!("{verdicts:?}");
    assert!(verdicts.iter().all(|&count| count > histories() / 8), "one-sided: {verdicts:?}");
}

#[test]
fn values_at_random_times_agree_with_the_oracle() {
    compare_all(&Queue::new(), 50, |rng| {
        let outputs = [LineOutput::Done, LineOutput::Empty];
        random_lives(rng, 4, LineInput::Put, &LineInput::Take, outputs, LineOutput::Value)
    });
    compare_all(&Stack::new(), 51, |rng| {
        let outputs = [LineOutput::Done, LineOutput::Empty];
        random_lives(rng, 4, LineInput::Put, &LineInput::Take, outputs, LineOutput::Value)
    });
}

/// Longer histories than the oracle can try: against the search.
fn compare_longer<M: Model>(
    model: &M,
    seed: u64,
    history: impl Fn(&mut ChaCha8Rng) -> Vec<CallOf<M>>,
) {
    // A search may take exponential time: what it does not decide soon is skipped.
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let (mut rng, mut verdicts) = (rng(seed), [0, 0]);
    for _ in 0..histories() / 6 {
        let calls = history(&mut rng);
        let Some(monitored) = model.monitor(&calls) else { continue };
        let searched = check(&Unmonitored(model), &calls, &limits).verdict;
        if searched == Verdict::Inconclusive {
            continue;
        }
        let legal = matches!(monitored, MonitorVerdict::Valid(_));
        let context = || format!("{monitored:?} for\n{}", shown(model, &calls));
        assert_eq!(searched == Verdict::Valid, legal, "{}", context());
        verdicts[usize::from(legal)] += 1;
    }
    println!("{verdicts:?}");
    assert!(verdicts.iter().all(|&count| count > histories() / 400), "one-sided: {verdicts:?}");
}

#[test]
fn longer_histories_agree_with_the_search() {
    compare_longer(&Queue::new(), 60, |rng| {
        let outputs = [LineOutput::Done, LineOutput::Empty];
        random_lives(rng, 6, LineInput::Put, &LineInput::Take, outputs, LineOutput::Value)
    });
    compare_longer(&Stack::new(), 61, |rng| {
        let outputs = [LineOutput::Done, LineOutput::Empty];
        random_lives(rng, 6, LineInput::Put, &LineInput::Take, outputs, LineOutput::Value)
    });
}

/// The order by the model itself, and by real time.
fn replays<M: Model>(model: &M, calls: &[CallOf<M>], order: &[u32]) -> bool {
    let mut state = Some(model.initial());
    for (at, &i) in order.iter().enumerate() {
        let call = &calls[i as usize];
        let in_time = order[at..].iter().all(|&later| {
            calls[later as usize].ret.is_none_or(|ret| ret >= call.call)
                && (later != i || !call.failed)
        });
        if !in_time {
            return false;
        }
        state = state.and_then(|state| model.step(&state, &call.input, call.output.as_ref()));
    }
    state.is_some() && are_distinct(order.iter())
}

fn assert_refutation<M: Model>(model: &M, calls: &[CallOf<M>], refutation: &Refutation) {
    let core: Vec<CallOf<M>> =
        refutation.operations.iter().map(|&i| calls[i as usize].clone()).collect();
    let context = || format!("{refutation:?} for\n{}", shown(model, calls));
    assert!(!oracle::is_linearizable(model, &core), "{}", context());
    assert!(core.is_sorted_by_key(|call| call.call) && !core.is_empty(), "{}", context());
    assert!(refutation.sentence.starts_with(refutation.kind.name()), "{}", context());
    assert!(refutation.sentence.ends_with('.'), "{}", context());
}

fn assert_decides(tally: &Tally, share: f64) {
    let total = (tally.valid + tally.violations + tally.left_to_the_search) as f64;
    for count in [tally.valid, tally.violations] {
        assert!(count as f64 > share * total, "one-sided: {tally:?}");
    }
}

#[test]
fn queues_agree_with_the_oracle() {
    for (seed, values) in [(1, Values::Distinct), (2, Values::Few)] {
        let tally = compare(&Queue::new(), values, seed, |calls| {
            let inserted =
                calls.iter().filter(|call| !call.failed).filter_map(|call| match call.input {
                    LineInput::Put(value) => Some(value),
                    LineInput::Take => None,
                });
            let clear = |call: &CallOf<Queue<usize>>| {
                call.failed || call.output.is_some() || call.input != LineInput::Take
            };
            are_distinct(inserted) && calls.iter().all(clear)
        });
        assert_decides(&tally, if values == Values::Distinct { 0.2 } else { 0.02 });
    }
}

#[test]
fn stacks_agree_with_the_oracle() {
    for (seed, values) in [(3, Values::Distinct), (4, Values::Few)] {
        let tally = compare(&Stack::new(), values, seed, |calls| {
            let inserted =
                calls.iter().filter(|call| !call.failed).filter_map(|call| match call.input {
                    LineInput::Put(value) => Some(value),
                    LineInput::Take => None,
                });
            let clear = |call: &CallOf<Stack<usize>>| {
                call.failed || call.output.is_some() || call.input != LineInput::Take
            };
            are_distinct(inserted) && calls.iter().all(clear)
        });
        assert_decides(&tally, if values == Values::Distinct { 0.2 } else { 0.02 });
    }
}

#[test]
fn sets_agree_with_the_oracle() {
    let flavours =
        [SetFlavour::Single, SetFlavour::Several, SetFlavour::Growing, SetFlavour::Everything];
    for (seed, flavour) in (10..).zip(flavours) {
        let tally = compare(&Set::new(), flavour, seed, |calls| {
            let happened = || calls.iter().filter(|call| !call.failed);
            let added = happened().filter_map(|call| match call.input {
                SetInput::Add(value) if call.output != Some(SetOutput::Changed(false)) => {
                    Some(value)
                }
                _ => None,
            });
            let removes = |call: &CallOf<Set<usize>>| {
                matches!(call.input, SetInput::Remove(_))
                    && call.output != Some(SetOutput::Changed(false))
            };
            let reads_all = |call: &CallOf<Set<usize>>| {
                call.input == SetInput::ReadAll && call.output.is_some()
            };
            are_distinct(added) && !(happened().any(removes) && happened().any(reads_all))
        });
        assert_decides(&tally, if flavour == SetFlavour::Everything { 0.005 } else { 0.1 });
    }
}

/// So that the unused results are seen to be compared too.
#[test]
fn results_that_an_operation_cannot_have_are_left_to_the_search() {
    let call = common::call(0, LineInput::Put(1), Some(LineOutput::Empty), 0, Some(1));
    assert_eq!(Queue::new().monitor(&[call]), None);
    let call = common::call(0, LineInput::Put(1), Some(LineOutput::Value(1)), 0, Some(1));
    assert_eq!(Stack::new().monitor(&[call]), None);
}
