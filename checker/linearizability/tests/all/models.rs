//! The models, by examples and, under the search, against the definition of linearizability.

use std::fmt::Debug;

use checker_testing::linearizability::containers::{
    Anybody, SetFlavour, Under, Unmonitored, Values, shown,
};
use checker_testing::linearizability::{Workload, call, history, rng};
use history::Verdict;
use linearizability::alone::is_explained_breadth_first;
use linearizability::models::cas_register::{CasInput, CasOutput, Register};
use linearizability::models::counter::{Counter, CounterInput, CounterOutput};
use linearizability::models::line::{LineInput, LineOutput, Queue, Stack};
use linearizability::models::lock::{LockInput, LockOutput, OwnedLock};
use linearizability::models::multi_register::{MultiInput, MultiOutput, MultiRegister};
use linearizability::models::set::{Set, SetInput, SetOutput};
use linearizability::{CallOf, Limits, Model, check, oracle};

/// Histories for each model and workload.
const HISTORIES: usize = 50_000;

/// Compares [`check`], with the model's hints but without its monitor, with the oracle.
fn compare<M: Model, W>(model: M, workload: W, seed: u64)
where
    Under<M, W>: Workload<Input = M::Input, Output = M::Output, State = M::State>,
{
    let (mut rng, mut verdicts) = (rng(seed), [0, 0]);
    let under = Under(model, workload);
    let model = Unmonitored(&under.0);
    for _ in 0..HISTORIES {
        let calls = history(&under, &mut rng, 8);
        let expected = oracle::is_linearizable(model.0, &calls);
        let report = check(&model, &calls, &Limits::default());
        let verdict = if expected { Verdict::Valid } else { Verdict::Violation };
        assert_eq!(report.verdict, verdict, "{report:?}:\n{}", shown(&model, &calls));
        let explained = is_explained_breadth_first(&model, &calls);
        assert_eq!(explained, expected, "breadth first:\n{}", shown(&model, &calls));
        verdicts[usize::from(expected)] += 1;
    }
    println!("{verdicts:?}");
    assert!(verdicts.iter().all(|&count| count > HISTORIES / 40), "one-sided: {verdicts:?}");
}

#[test]
fn registers_agree_with_the_oracle() {
    compare(Register { initial: 0 }, Values::Distinct, 31);
    compare(Register { initial: 0 }, Values::Few, 32);
}

/// The fast path once took this history, had no place for an operation that neither sees nor leaves anything, and gave an
/// order that did not replay.
#[test]
fn a_swap_of_a_key_with_itself_is_legal() {
    let key = || "a".to_owned();
    let swap = MultiInput::Swap(key(), key());
    let calls = [
        call(0, MultiInput::Read(vec![key()]), None, 1, None),
        call(1, swap, Some(MultiOutput::Done), 5, Some(7)),
    ];
    let report = check(&MultiRegister::default(), &calls, &Limits::default());
    assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
}

/// Breadth first once found no order of these writes: of two configurations that make the same superfluous, each was
/// dropped for the sake of the other.
#[test]
fn hidden_writes_are_not_lost() {
    let write = |id, value, invoked, returned| {
        call(id, CasInput::Write(value), Some(CasOutput::Done), invoked, Some(returned))
    };
    let calls = [write(0, 1, 2, 4), write(1, 1, 3, 3), write(2, 0, 4, 5), write(3, 1, 5, 5)];
    assert!(oracle::is_linearizable(&Register { initial: 0 }, &calls));
    assert!(is_explained_breadth_first(&Register { initial: 0 }, &calls));
}

/// The same with the fast path, which takes every history whose values are all different.
#[test]
fn registers_without_a_search_agree_with_the_oracle() {
    let model = Register { initial: 0 };
    let (mut rng, mut fast) = (rng(40), 0);
    for _ in 0..HISTORIES {
        let calls = history(&Under(model.clone(), Values::Distinct), &mut rng, 8);
        let report = check(&model, &calls, &Limits::default());
        let legal = oracle::is_linearizable(&model, &calls);
        assert_eq!(report.verdict == Verdict::Valid, legal, "{}", shown(&model, &calls));
        fast += report.statistics.fast;
    }
    assert_eq!(fast, HISTORIES as u64);
}

#[test]
fn counters_agree_with_the_oracle() {
    compare(Counter { initial: 3 }, (), 33);
}

#[test]
fn queues_and_stacks_agree_with_the_oracle() {
    for values in [Values::Distinct, Values::Few] {
        compare(Queue::new(), values, 34);
        compare(Stack::new(), values, 35);
    }
}

#[test]
fn sets_agree_with_the_oracle() {
    for flavour in [SetFlavour::Several, SetFlavour::Growing, SetFlavour::Everything] {
        compare(Set::new(), flavour, 36);
    }
}

#[test]
fn locks_agree_with_the_oracle() {
    compare(OwnedLock::default(), Anybody, 37);
    compare(OwnedLock { reentrant: false }, (), 38);
    compare(OwnedLock { reentrant: true }, (), 39);
}

/// Is this sequence legal, one operation after the other?
fn legal<M: Model>(model: &M, steps: &[(M::Input, M::Output)]) -> bool {
    let apply = |state: M::State, (input, output): &(M::Input, M::Output)| {
        model.step(&state, input, Some(output))
    };
    steps.iter().try_fold(model.initial(), apply).is_some()
}

#[test]
fn a_queue_is_first_in_first_out_and_a_stack_last_in_first_out() {
    use LineInput::{Put, Take};
    use LineOutput::{Done, Empty, Value};
    let queue = Queue::new();
    let in_order = [(Put(1), Done), (Put(2), Done), (Take, Value(1)), (Take, Value(2))];
    assert!(legal(&queue, &in_order));
    assert!(legal(&queue, &[(Take, Empty), (Put(1), Done), (Take, Value(1)), (Take, Empty)]));
    assert!(!legal(&queue, &[(Put(1), Done), (Put(2), Done), (Take, Value(2))]));
    assert!(!legal(&queue, &[(Put(1), Done), (Take, Empty)]));
    assert!(!legal(&queue, &[(Put(1), Empty)]));

    let stack = Stack::new();
    let push = |value| (Put(value), Done);
    let pop = |value| (Take, Value(value));
    let nothing = (Take, Empty);
    assert!(legal(&stack, &[push(1), push(2), pop(2), pop(1), nothing.clone()]));
    assert!(!legal(&stack, &[push(1), push(2), pop(1)]));
    assert!(!legal(&stack, &[push(1), nothing]));
}

#[test]
fn a_set_holds_each_value_once() {
    let set = Set::new();
    let read =
        |values: &[i64]| (SetInput::ReadAll, SetOutput::Values(values.iter().copied().collect()));
    let add = |value, new| (SetInput::Add(value), SetOutput::Changed(new));
    let remove = |value, old| (SetInput::Remove(value), SetOutput::Changed(old));
    let contains = |value, present| (SetInput::Contains(value), SetOutput::Present(present));
    assert!(legal(
        &set,
        &[
            read(&[]),
            add(1, true),
            add(2, true),
            add(1, false),
            read(&[2, 1, 2]),
            remove(1, true),
            remove(1, false),
            contains(1, false),
            contains(2, true),
            read(&[2])
        ]
    ));
    assert!(!legal(&set, &[add(1, true), add(1, true)]));
    assert!(!legal(&set, &[remove(1, true)]));
    assert!(!legal(&set, &[add(1, true), read(&[1, 2])]));
    assert!(!legal(&set, &[add(1, true), contains(1, false)]));
}

#[test]
fn a_lock_is_held_by_one() {
    use LockOutput::{Done, Refused};
    let (acquire, release) = (|| LockInput::Acquire(None), || LockInput::Release(None));
    let mutex = OwnedLock::default();
    assert!(legal(
        &mutex,
        &[
            (release(), Refused),
            (acquire(), Done),
            (acquire(), Refused),
            (release(), Done),
            (acquire(), Done)
        ]
    ));
    assert!(!legal(&mutex, &[(acquire(), Done), (acquire(), Done)]));
    assert!(!legal(&mutex, &[(release(), Done)]));

    let take = |client| (LockInput::Acquire(Some(client)), Done);
    let give = |client| (LockInput::Release(Some(client)), Done);
    let refused = |client| (LockInput::Acquire(Some(client)), Refused);
    let (once, again) = (OwnedLock { reentrant: false }, OwnedLock { reentrant: true });
    for lock in [once, again] {
        assert!(legal(&lock, &[take(1), refused(2), give(1), take(2)]));
        assert!(!legal(&lock, &[take(1), give(2)]));
        assert!(!legal(&lock, &[take(1), take(2)]));
    }
    assert!(!legal(&once, &[take(1), take(1)]) && legal(&once, &[take(1), refused(1)]));
    assert!(legal(&again, &[take(1), take(1), give(1), refused(2), give(1), take(2)]));
    assert!(!legal(&again, &[take(1), take(1), give(1), take(2)]));
}

#[test]
fn a_counter_counts() {
    let add = |delta, sum| (CounterInput::Add(delta), CounterOutput::Value(sum));
    let read = |sum| (CounterInput::Read, CounterOutput::Value(sum));
    let counter = Counter::default();
    assert!(legal(&counter, &[add(2, 2), (CounterInput::Add(-5), CounterOutput::Done), read(-3)]));
    assert!(!legal(&counter, &[add(2, 3)]));
    assert!(!legal(&counter, &[(CounterInput::Read, CounterOutput::Done)]));
    let highest = i128::from(i64::MAX);
    assert!(legal(&Counter { initial: highest }, &[add(1, highest + 1)]));
    // Sums once wrapped around.
    assert!(!legal(&Counter { initial: highest }, &[add(1, i64::MIN.into())]));
}

/// What an addition leaves may be any number. If zero meant that the state stays, the first read would be called a
/// violation.
#[test]
fn a_sum_of_zero_says_nothing_special() {
    let (to_zero, counter) = (CounterInput::Add(-1), Counter { initial: 1 });
    let sum = |sum| Some(CounterOutput::Value(sum));
    let judged = |seen| {
        let calls = [
            call(0, to_zero.clone(), sum(0), 0, Some(1)),
            call(1, CounterInput::Read, sum(seen), 2, Some(3)),
        ];
        check(&counter, &calls, &Limits::default()).verdict
    };
    assert_eq!(judged(0), Verdict::Valid);
    assert_eq!(judged(1), Verdict::Violation);
}

/// An addition that nobody answered may happen late, or never, but not twice.
#[test]
fn a_counter_with_unknown_additions() {
    let add = call(0, CounterInput::Add(2), None, 0, None);
    let judged = |reads: &[i128]| {
        let read = |(id, &sum): (u64, &i128)| {
            call(id, CounterInput::Read, Some(CounterOutput::Value(sum)), 2 * id, Some(2 * id + 1))
        };
        let calls: Vec<_> = [add.clone()].into_iter().chain((1..).zip(reads).map(read)).collect();
        check(&Counter::default(), &calls, &Limits::default()).verdict
    };
    assert_eq!(judged(&[0, 0, 2, 2]), Verdict::Valid);
    assert_eq!(judged(&[0, 0]), Verdict::Valid);
    assert_eq!(judged(&[2, 0]), Verdict::Violation);
    assert_eq!(judged(&[0, 4]), Verdict::Violation);
}

/// Operations, and how they are told.
#[test]
fn descriptions_are_short_and_escaped() {
    fn told<M: Model>(model: &M, input: &M::Input, output: Option<&M::Output>) -> String {
        model.describe(input, output)
    }
    let queue = Queue::<String>::new();
    let enqueue = LineInput::Put("a\n".to_owned());
    assert_eq!(told(&queue, &enqueue, Some(&LineOutput::Done)), r#"enqueue "a\n""#);
    let empty = Some(&LineOutput::Empty);
    assert_eq!(told(&queue, &LineInput::Take, empty), "dequeue found nothing");
    assert_eq!(told(&queue, &LineInput::Take, None), "dequeue");
    let set = Set::<i64>::new();
    let many = SetOutput::Values((0..100).collect());
    assert!(told(&set, &SetInput::ReadAll, Some(&many)).ends_with(" and 88 more}"));
    let new = Some(&SetOutput::Changed(true));
    assert_eq!(told(&set, &SetInput::Add(3), new), "add 3 changed the set");
    let register = Register { initial: None::<u8> };
    let read = Some(&CasOutput::Value(None));
    assert_eq!(told(&register, &CasInput::Read, read), "read = nil");
    let lock = OwnedLock::default();
    let refused = told(&lock, &LockInput::Acquire(Some(4)), Some(&LockOutput::Refused));
    assert_eq!(refused, "acquire for 4 refused");
}

/// Kinds that the models name themselves.
#[test]
fn a_violation_of_a_lock_is_named() {
    fn kind<M: Model>(model: &M, steps: Vec<(M::Input, M::Output)>) -> &'static str
    where
        CallOf<M>: Debug,
    {
        let calls: Vec<CallOf<M>> = (0..)
            .zip(steps)
            .map(|(id, (input, output))| call(id, input, Some(output), 2 * id, Some(2 * id + 1)))
            .collect();
        let report = check(model, &calls, &Limits::default());
        report.witness.expect("a violation has a witness").kind.name()
    }
    let lock = OwnedLock::default();
    let take = |client| (LockInput::Acquire(client), LockOutput::Done);
    let give = |client| (LockInput::Release(client), LockOutput::Done);
    assert_eq!(kind(&lock, vec![take(None), take(None)]), "two holders");
    assert_eq!(kind(&lock, vec![give(None)]), "released without holding");
    let steps = vec![take(Some(1)), give(Some(2))];
    assert_eq!(kind(&lock, steps), "released without holding");
}
