//! A search is the same in one go, bit by bit, and on several threads.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::breadth::Breadth;
use super::context::SearchContext;
use super::object::States;
use super::{Found, Running, Strategy, start};
use crate::limits::{Budget, Stop};
use crate::models::CasRegister;
use crate::models::cas_register::{CasInput, CasOutput};
use crate::parallel::Threads;
use crate::problem::{Prepared, items};
use crate::{Call, CallOf, Model, certificate};

type Calls = Vec<CallOf<CasRegister>>;

#[derive(Clone, Copy)]
enum Kind {
    Read,
    Write,
    Cas,
}

const ALL: [Kind; 4] = [Kind::Read, Kind::Write, Kind::Cas, Kind::Cas];

/// Clients with few values, about so many at a time, some of them never answered; the last answer may be a lie.
fn history(seed: u64, operations: u64, clients: u64, kinds: &[Kind], lie: bool) -> Calls {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let model = CasRegister { initial: 0.into() };
    let mut state = model.initial();
    let mut calls = Calls::new();
    let reach = 10 * clients;
    for id in 0..operations {
        let value = |rng: &mut ChaCha8Rng| rng.random_range(0..4).into();
        let input = match kinds[rng.random_range(0..kinds.len())] {
            Kind::Read => CasInput::Read,
            Kind::Write => CasInput::Write(value(&mut rng)),
            Kind::Cas => CasInput::Cas(value(&mut rng), value(&mut rng)),
        };
        let output = model.answer(&state, &input).expect("a register answers");
        state = model.step(&state, &input, Some(&output)).expect("an answer is legal");
        let is_open = rng.random_bool(0.03);
        let (call, ret) = (
            10 * id - rng.random_range(0..=(10 * id).min(reach)),
            10 * id + rng.random_range(1..reach),
        );
        calls.push(Call {
            id,
            process: id % clients,
            input,
            output: (!is_open).then_some(output),
            call,
            ret: (!is_open).then_some(ret),
            call_ns: call,
            return_ns: (!is_open).then_some(ret),
            failed: false,
        });
    }
    let mut answers = calls.iter_mut().rev().filter_map(|call| call.output.as_mut());
    if lie && let Some(CasOutput::Cas(swapped)) = answers.find(|o| matches!(o, CasOutput::Cas(_))) {
        *swapped = !*swapped;
    }
    calls
}

fn prepared<'a>(model: &'a CasRegister, calls: &'a Calls) -> Arc<Prepared<'a, CasRegister>> {
    Arc::new(Prepared::new(model, &items::<CasRegister>(calls)))
}

fn result(found: &Found) -> impl PartialEq + std::fmt::Debug {
    let Found { answer, spent, explained, suspects } = found;
    (answer.clone(), spent.nodes, spent.memory_bytes, *explained, suspects.clone())
}

#[test]
fn a_search_that_goes_on_finds_what_it_finds_in_one_go() {
    let model = CasRegister { initial: 0.into() };
    let (mut orders, mut refuted, mut interrupted) = (0, 0, 0);
    for seed in 0..60 {
        let calls = history(seed, 60, 6, &ALL, seed % 3 != 0);
        let mut explained = Vec::new();
        for strategy in [Strategy::Depth, Strategy::Breadth] {
            let begun = || start(prepared(&model, &calls), vec![model.initial()], strategy);
            let whole = begun().run(&Budget::unlimited());
            let mut search = begun();
            let mut nodes = 0;
            let found = loop {
                nodes += 5;
                let found = search.run(&Budget { nodes, ..Budget::unlimited() });
                if found.answer != Err(Stop::Nodes) {
                    break found;
                }
                interrupted += 1;
            };
            assert_eq!(result(&found), result(&whole), "seed {seed}, {strategy:?}");
            match &found.answer {
                Ok(Some(order)) => {
                    assert!(
                        certificate::is_legal(&model, &calls, order),
                        "seed {seed}, {strategy:?}"
                    );
                    orders += 1;
                }
                _ => refuted += 1,
            }
            explained.push((found.explained, found.suspects.first().copied()));
        }
        // However they get there, no order gets further.
        assert_eq!(explained[0], explained[1], "seed {seed}");
    }
    assert!(orders > 20 && refuted > 20 && interrupted > 500, "{orders} {refuted} {interrupted}");
}

/// For want of memory, too, depth first goes on where it was.
#[test]
fn depth_first_goes_on_with_more_memory() {
    let model = CasRegister { initial: 0.into() };
    let mut interrupted = 0;
    for seed in 0..60 {
        let calls = history(seed, 60, 6, &ALL, true);
        let begun = || start(prepared(&model, &calls), vec![model.initial()], Strategy::Depth);
        let whole = begun().run(&Budget::unlimited());
        let mut search = begun();
        let mut memory_bytes = 1_000;
        let found = loop {
            memory_bytes += memory_bytes / 4;
            let found = search.run(&Budget { memory_bytes, ..Budget::unlimited() });
            if found.answer != Err(Stop::Memory) {
                break found;
            }
            interrupted += 1;
        };
        assert_eq!(result(&found), result(&whole), "seed {seed}");
    }
    assert!(interrupted > 100, "{interrupted}");
}

#[test]
fn breadth_first_is_the_same_on_several_threads() {
    let model = CasRegister { initial: 0.into() };
    let mut shared = 0;
    for seed in 0..12 {
        let calls = history(seed, 200, 25, &ALL, seed % 3 != 0);
        let run = |threads: usize| {
            let prepared = prepared(&model, &calls);
            let problem = Arc::clone(&prepared.problem);
            let states = States::new(prepared, vec![model.initial()]);
            let mut search = Breadth::<1>::new(SearchContext::new(problem, Box::new(states)));
            let threads = Threads::new(threads);
            let found = search.run(&Budget { threads: &threads, ..Budget::unlimited() });
            (found, search.cursors())
        };
        let (alone, one) = run(1);
        assert_eq!(one, 1);
        for threads in [2, 4] {
            let (found, cursors) = run(threads);
            assert_eq!(result(&found), result(&alone), "seed {seed}, {threads} threads");
            shared += usize::from(cursors > 1);
        }
    }
    assert!(shared > 0, "nowhere did a second thread get anything");
}
