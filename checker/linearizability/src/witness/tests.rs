//! What an explanation costs is bounded, and where it may cost nothing, what is said is still true.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;

use super::*;
use crate::models::CasRegister;
use crate::models::cas_register::{CasInput, CasOutput};
use crate::problem::Prepared;
use crate::{Call, Effects};

const CLIENTS: u64 = 50;

/// A register that counts how often it is asked anything.
struct Counted {
    register: CasRegister,
    asked: AtomicU64,
}

impl Counted {
    fn new() -> Self {
        Self { register: CasRegister { initial: 0.into() }, asked: AtomicU64::new(0) }
    }

    fn asked(&self) -> &CasRegister {
        self.asked.fetch_add(1, Ordering::Relaxed);
        &self.register
    }
}

impl Model for Counted {
    type Input = CasInput;
    type Output = CasOutput;
    type State = Value;

    fn initial(&self) -> Value {
        self.asked().initial()
    }

    fn step(&self, state: &Value, input: &CasInput, output: Option<&CasOutput>) -> Option<Value> {
        self.asked().step(state, input, output)
    }

    fn describe(&self, input: &CasInput, output: Option<&CasOutput>) -> String {
        self.asked().describe(input, output)
    }

    fn effects<'a>(&'a self, input: &'a CasInput, output: Option<&'a CasOutput>) -> Effects<'a> {
        self.asked().effects(input, output)
    }
}

/// Rounds in which 50 clients at once swap 0 and 1, as many one way as the other. In the last round one more gets
/// from 0 to 1 than there can be. Half of all operations wrote the same value, and no few of them show what is wrong.
fn one_swap_too_many(rounds: u64) -> Vec<CallOf<Counted>> {
    let swap = |id: u64| {
        let (round, client) = (id / CLIENTS, id % CLIENTS);
        let forth = client % 2 == 0 || (round + 1 == rounds && client == 1);
        let (from, to) = if forth { (0, 1) } else { (1, 0) };
        let (call, ret) = (2 * round * CLIENTS + client, (2 * round + 1) * CLIENTS + client);
        Call {
            id,
            process: client,
            input: CasInput::Cas(from.into(), to.into()),
            output: Some(CasOutput::Cas(true)),
            call,
            ret: Some(ret),
            call_ns: call,
            return_ns: Some(ret),
            failed: false,
        }
    };
    (0..rounds * CLIENTS).map(swap).collect()
}

/// The witness, and how often the model was asked for it.
fn explained(calls: &[CallOf<Counted>], work: u64, cancel: bool) -> (Refutation, u64) {
    let model = Counted::new();
    let all = items::<Counted>(calls);
    let found = search(Prepared::new(&model, &all), &Budget::unlimited());
    assert_eq!(found.answer, Ok(None), "the history has an order");
    let suspects: Vec<usize> = found.suspects.into_iter().map(|op| op as usize).collect();
    let cancel = AtomicBool::new(cancel);
    let budget = Budget { nodes: NODES, cancel: Some(&cancel), ..Budget::unlimited() };
    let before = model.asked.load(Ordering::Relaxed);
    let effort = Effort::new(budget, work);
    let witness = explain_within(&model, calls, &suspects, &effort).expect("no order exists");
    (witness, model.asked.load(Ordering::Relaxed) - before)
}

#[test]
fn many_writers_of_a_value_are_explained_with_bounded_work() {
    for rounds in [1, 20, 400] {
        let calls = one_swap_too_many(rounds);
        let (witness, asked) = explained(&calls, WORK_MAX, false);
        // So much at most, and a few questions about each operation.
        let most = 100_000 + 10 * calls.len() as u64;
        assert!(asked <= most, "{asked} questions for {rounds} rounds");
        assert!(!witness.operations.is_empty() && witness.sentence.len() < 1000, "{witness:?}");
    }
}

#[test]
fn without_work_or_time_the_sentence_is_short_and_true() {
    let calls = one_swap_too_many(400);
    for (work, cancel) in [(0, false), (WORK_MAX, true)] {
        let (witness, asked) = explained(&calls, work, cancel);
        let start = "no order of the operations explains all their results";
        assert!(witness.sentence.starts_with(start), "{witness:?}");
        assert!(!witness.operations.is_empty(), "{witness:?}");
        assert!(asked <= calls.len() as u64, "{asked} questions");
    }
}
