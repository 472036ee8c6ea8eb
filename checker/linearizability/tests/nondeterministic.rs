//! Models that allow several states, against every order and every choice.

mod common;
mod containers;

use common::{Workload, call, history, rng};
use containers::shown;
use history::Verdict;
use linearizability::{CallOf, Limits, Model, NondeterministicModel, Powerset, check};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// A register that may lose a write, and a bag that may keep what is taken.
#[derive(Clone, Copy, Debug)]
enum Sloppy {
    Register,
    Bag,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Ask {
    Put(u8),
    Get,
}

impl NondeterministicModel for Sloppy {
    type Input = Ask;
    type Output = Option<u8>;
    /// The register's value, or the bag's in order.
    type State = Vec<u8>;

    fn initial(&self) -> Vec<Vec<u8>> {
        vec![Vec::new()]
    }

    fn step(&self, state: &Vec<u8>, input: &Ask, output: Option<&Option<u8>>) -> Vec<Vec<u8>> {
        match (self, input) {
            (Sloppy::Register, Ask::Put(value)) => vec![vec![*value], state.clone()],
            (Sloppy::Register, Ask::Get) => {
                let legal = output.is_none_or(|output| *output == state.first().copied());
                legal.then(|| state.clone()).into_iter().collect()
            }
            (Sloppy::Bag, Ask::Put(value)) => {
                let mut next = state.clone();
                next.push(*value);
                next.sort_unstable();
                vec![next]
            }
            (Sloppy::Bag, Ask::Get) => {
                let taken = |i: usize| {
                    let mut next = state.clone();
                    (Some(next.remove(i)), next)
                };
                let mut all: Vec<_> = (0..state.len()).map(taken).collect();
                all.extend(state.iter().map(|value| (Some(*value), state.clone())));
                if state.is_empty() {
                    all.push((None, Vec::new()));
                }
                let legal = |(value, next)| output.is_none_or(|o| *o == value).then_some(next);
                all.into_iter().filter_map(legal).collect()
            }
        }
    }

    fn describe(&self, input: &Ask, output: Option<&Option<u8>>) -> String {
        format!("{input:?} = {output:?}")
    }
}

/// Every order, and at each step every choice: nothing of the powerset.
fn is_linearizable(
    model: Sloppy,
    left: &mut Vec<&CallOf<Powerset<Sloppy>>>,
    state: &Vec<u8>,
) -> bool {
    let Some(first_return) = left.iter().filter_map(|call| call.ret).min() else { return true };
    (0..left.len()).any(|i| {
        if left[i].call > first_return {
            return false;
        }
        let call = left.remove(i);
        let next = model.step(state, &call.input, call.output.as_ref());
        let legal = next.iter().any(|next| is_linearizable(model, left, next));
        left.insert(i, call);
        legal
    })
}

/// The model as a workload: what it does is up to chance.
struct Chance(Powerset<Sloppy>);

impl Model for Chance {
    type Input = Ask;
    type Output = Option<u8>;
    type State = Vec<Vec<u8>>;

    fn initial(&self) -> Self::State {
        self.0.initial()
    }
    fn step(&self, s: &Self::State, i: &Ask, o: Option<&Option<u8>>) -> Option<Self::State> {
        self.0.step(s, i, o)
    }
    fn is_read_only(&self, input: &Ask) -> bool {
        self.0.is_read_only(input)
    }
    fn describe(&self, input: &Ask, output: Option<&Option<u8>>) -> String {
        self.0.describe(input, output)
    }
}

impl Workload for Chance {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> Ask {
        if rng.random_bool(0.5) { Ask::Put(fresh as u8 % 4) } else { Ask::Get }
    }
    fn output(&self, states: &Vec<Vec<u8>>, input: &Ask) -> Option<u8> {
        match input {
            Ask::Put(_) => None,
            // Some state or other, in turn.
            Ask::Get => {
                let state = &states[states.concat().len() % states.len()];
                state.get(states.len() % state.len().max(1)).copied()
            }
        }
    }
    fn blurred(&self, _: &mut ChaCha8Rng, output: Option<u8>) -> Option<u8> {
        output
    }
}

#[test]
fn the_powerset_agrees_with_trying_every_choice() {
    for sloppy in [Sloppy::Register, Sloppy::Bag] {
        let (mut rng, mut verdicts) = (rng(21), [0, 0]);
        let model = Powerset(sloppy);
        for _ in 0..30_000 {
            let calls = history(&Chance(model), &mut rng, 8);
            let mut left: Vec<_> = calls.iter().filter(|call| !call.failed).collect();
            let expected = is_linearizable(sloppy, &mut left, &Vec::new());
            let report = check(&model, &calls, &Limits::default());
            let verdict = if expected { Verdict::Valid } else { Verdict::Violation };
            assert_eq!(report.verdict, verdict, "{sloppy:?}:\n{}", shown(&model, &calls));
            verdicts[usize::from(expected)] += 1;
        }
        println!("{sloppy:?}: {verdicts:?}");
        assert!(verdicts.iter().all(|&count| count > 1_000), "one-sided: {verdicts:?}");
    }
}

/// A lost write cannot come back: the set of states must shrink with what is read.
#[test]
fn a_read_settles_what_was_open() {
    let sequence = |reads: &[u8]| {
        let put = |id: u64, value| call(id, Ask::Put(value), Some(None), 2 * id, Some(2 * id + 1));
        let get = |(id, &value): (u64, &u8)| {
            call(id, Ask::Get, Some(Some(value)), 2 * id, Some(2 * id + 1))
        };
        let calls: Vec<_> =
            [put(0, 1), put(1, 2)].into_iter().chain((2..).zip(reads).map(get)).collect();
        check(&Powerset(Sloppy::Register), &calls, &Limits::default()).verdict
    };
    assert_eq!(sequence(&[1, 1]), Verdict::Valid);
    assert_eq!(sequence(&[2, 2]), Verdict::Valid);
    assert_eq!(sequence(&[1, 2]), Verdict::Violation);
    assert_eq!(sequence(&[2, 1]), Verdict::Violation);
}
