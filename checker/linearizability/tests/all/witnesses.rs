//! The operations that a violation names are few, and prove it.

use checker_testing::linearizability::containers::{Anybody, Under};
use checker_testing::linearizability::registers::{CasWorkload, IntFlavour};
use checker_testing::linearizability::{FLAVOURS, Flavour, KvWorkload, Workload, history, rng};
use linearizability::models::cas_register::CasRegister;
use linearizability::models::kv::Kv;
use linearizability::models::lock::OwnedLock;
use linearizability::{Anomaly, CallOf, Limits, Model, Witness, check};

/// At most so many are followed at a glance.
const FEW: usize = 6;

/// Violations among random histories of up to so many operations: how many, how many have few operations, and how many
/// clauses of their sentences were held against the history.
fn count<W, M>(workload: &W, model: &M, (size, histories): (usize, usize)) -> (usize, usize, usize)
where
    W: Workload,
    M: Model<Input = W::Input, Output = W::Output>,
{
    let mut rng = rng(7);
    let (mut all, mut few, mut clauses) = (0, 0, 0);
    for _ in 0..histories {
        let calls: Vec<CallOf<M>> = history(workload, &mut rng, size);
        let Some(witness) = check(model, &calls, &Limits::default()).witness else { continue };
        all += 1;
        few += usize::from(witness.operations.len() <= FEW);
        clauses += says_the_truth(model, &calls, &witness);
    }
    (all, few, clauses)
}

/// Each client has one operation in these histories, so that a sentence names operations by their clients. All that it
/// names belong to the witness, are told as they ended, and began and ended as it says. How many clauses about that were
/// looked at.
fn says_the_truth<M: Model>(model: &M, calls: &[CallOf<M>], witness: &Witness) -> usize {
    let (sentence, mut clauses) = (&witness.sentence, 0);
    let named: Vec<&CallOf<M>> = processes(sentence).map(|id| &calls[id as usize]).collect();
    for call in &named {
        assert!(witness.operations.contains(&call.id), "left out {}: {sentence}", call.id);
        let what = model.describe(&call.input, call.output.as_ref());
        let start = &what[..what.char_indices().nth(12).map_or(what.len(), |(at, _)| at)];
        assert!(sentence.contains(start), "{what}: {sentence}");
        let end = sentence.split(&format!("by process {} ", call.process)).nth(1);
        let is_open = end.is_some_and(|end| end.starts_with("(never answered"));
        assert!(!is_open || call.ret.is_none(), "{sentence}");
    }
    // `A … began after B had finished`, in whatever words about A.
    for (at, word) in sentence.match_indices(" began after ") {
        let (before, after) = sentence.split_at(at + word.len());
        let name = after.split(" had finished").next().unwrap_or_default();
        if let (Some(second), Some(first)) = (processes(before).last(), processes(name).last()) {
            let (second, first) = (&calls[second as usize], &calls[first as usize]);
            let ended = first.ret.expect("it had finished");
            assert!(ended < second.call, "{} {}: {sentence}", first.id, second.id);
            clauses += 1;
        }
    }
    clauses
}

/// The clients that a text names, in its order.
fn processes(text: &str) -> impl Iterator<Item = u64> {
    text.split("by process ").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().expect("a number")
    })
}

#[test]
fn most_witnesses_are_small() {
    for size in [(8, 300), (25, 60)] {
        let (mut all, mut few, mut clauses) = (0, 0, 0);
        let mut add = |name: String, (violations, small, looked_at): (usize, usize, usize)| {
            println!("{size:?} {name}: {small} of {violations}");
            all += violations;
            few += small;
            clauses += looked_at;
        };
        for flavour in FLAVOURS {
            add(format!("{flavour:?}"), count(&KvWorkload(flavour), &Kv, size));
        }
        for flavour in [IntFlavour::Register, IntFlavour::Unique, IntFlavour::Few] {
            let workload = CasWorkload::new(flavour);
            add(format!("{flavour:?}"), count(&workload, &CasRegister::default(), size));
        }
        let lock = Under(OwnedLock::default(), Anybody);
        add("mutex".to_owned(), count(&lock, &OwnedLock::default(), size));
        println!("{size:?} all: {few} of {all}");
        assert!(clauses > 50, "{clauses} clauses");
        assert!(all > 200 && few * 100 >= all * 85, "{few} of {all}");
    }
}

/// One such write was left out of the sentence, although the proof rests on it.
#[test]
fn an_impossible_result_names_the_unknown_writes_that_might_have_helped() {
    let mut rng = rng(3);
    let mut seen = 0;
    for _ in 0..3_000 {
        let calls: Vec<CallOf<Kv>> = history(&KvWorkload(Flavour::Everything), &mut rng, 14);
        let Some(witness) = check(&Kv, &calls, &Limits::default()).witness else { continue };
        if witness.kind != Anomaly::ImpossibleResult {
            continue;
        }
        let unknown = |id: &&u64| calls[**id as usize].ret.is_none();
        for id in witness.operations.iter().filter(unknown).take(4) {
            let name = format!("by process {id} (never answered)");
            assert!(witness.sentence.contains(&name), "{name}: {}", witness.sentence);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
