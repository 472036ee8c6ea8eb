//! The search against the definition, on histories small enough to try every order.

use checker_testing::linearizability::compare::{ALL, compare};
use checker_testing::linearizability::{FLAVOURS, KvWorkload, history, rng};
use history::Verdict;
use linearizability::models::kv::{Kv, KvInput, KvOutput};
use linearizability::{CallOf, Content, Effects, Leaves, Limits, Model, Saw, check, oracle};

#[test]
fn every_kind_of_history_agrees_with_the_oracle() {
    for (seed, &(name, compare)) in (0..).zip(ALL) {
        let tally = compare(seed, 20_000);
        println!("{name}: {tally}");
        tally.assert_agrees();
    }
}

/// The same without any of the hints that a model may give.
#[test]
fn a_model_without_hints_agrees_with_the_oracle() {
    for (seed, flavour) in (100..).zip(FLAVOURS) {
        let workload = KvWorkload(flavour);
        let judge = |calls: &[CallOf<KvWorkload>]| check(&workload, calls, &Limits::default());
        compare(&workload, seed, 5_000, judge).assert_agrees();
    }
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
    fn describe(&self, input: &KvInput, output: Option<&KvOutput>) -> String {
        Kv.describe(input, output)
    }
    fn effects<'a>(&'a self, input: &'a KvInput, output: Option<&'a KvOutput>) -> Effects<'a> {
        match (self, input) {
            (Wrong::FalseHint, KvInput::Put(_)) => {
                Effects::whole(Saw::Anything, Leaves::Exactly(Content::Int(0)))
            }
            _ => Kv.effects(input, output),
        }
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
