//! What an explanation costs is bounded, and where it may cost nothing, what is said is still true.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::models::CasRegister;
use crate::models::cas_register::{CasInput, CasOutput};
use crate::problem::Problem;
use crate::{Call, Witness};

const CLIENTS: u64 = 50;

/// Rounds in which 50 clients at once swap 0 and 1, as many one way as the other. In the last round one more gets
/// from 0 to 1 than there can be. Half of all operations wrote the same value, and no few of them show what is wrong.
fn one_swap_too_many(rounds: u64) -> Vec<CallOf<CasRegister>> {
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

/// The witness, and the work that it took. `suspects`: what the search could not place.
fn explained(calls: &[CallOf<CasRegister>], work: u64, cancel: bool) -> (Witness, u64) {
    let model = CasRegister { initial: 0.into() };
    let all = items::<CasRegister>(calls);
    let found = search(&Problem::new(&model, &all), &Budget::unlimited());
    assert_eq!(found.answer, Ok(None), "the history has an order");
    let suspects: Vec<usize> = found.suspects.into_iter().map(|op| op as usize).collect();
    let cancel = AtomicBool::new(cancel);
    let budget = Budget { nodes: NODES, cancel: Some(&cancel), ..Budget::unlimited() };
    let effort = Effort::new(budget, work);
    let witness = explain_within(&model, calls, &suspects, None, &effort).expect("no order exists");
    (witness, work + 2 * (WORK_MAX / 4) - effort.left())
}

#[test]
fn many_writers_of_a_value_are_explained_with_bounded_work() {
    for rounds in [1, 20, 400] {
        let (witness, work) = explained(&one_swap_too_many(rounds), WORK_MAX / 2, false);
        assert!(work <= WORK_MAX, "{work} steps for {rounds} rounds");
        assert!(!witness.operations.is_empty() && witness.sentence.len() < 1000, "{witness:?}");
    }
}

#[test]
fn without_work_or_time_the_sentence_is_short_and_true() {
    let calls = one_swap_too_many(400);
    for (work, cancel) in [(0, false), (WORK_MAX / 2, true)] {
        let (witness, _) = explained(&calls, work, cancel);
        let start = "no order of the operations explains all their results";
        assert!(witness.sentence.starts_with(start), "{witness:?}");
        assert!(!witness.operations.is_empty(), "{witness:?}");
    }
}
