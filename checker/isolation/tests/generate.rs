//! Synthetic histories are what they say they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use checker_testing::isolation::oracle::{commit_orders, version_orders};
use history::{Events, Format};
use isolation::generate::inject::example;
use isolation::generate::{Injection, Step, Synthetic};
use isolation::{
    Anomaly, Consistency, Cycle, Datatype, Finding, History, MicroOp, Options, Order, Outcome,
    Ruling, Seen, Transaction, check, notation,
};

/// What the definitions say, where one of the oracles knows the model.
fn holds(datatype: Datatype, history: &[Transaction], model: Consistency) -> Option<bool> {
    commit_orders::explain(datatype, history, model)
        .or_else(|| version_orders::explain(history, model))
}

#[test]
fn each_example_breaks_what_its_anomaly_rules_out_and_nothing_else() {
    let mut examples = 0;
    for (datatype, anomaly) in Datatype::ALL
        .into_iter()
        .flat_map(|datatype| Anomaly::all().map(move |anomaly| (datatype, anomaly)))
    {
        let Some(text) = example(datatype, anomaly) else { continue };
        let (parsed, history) = notation::parse(&text).unwrap();
        assert_eq!(parsed, datatype, "{text}");
        for model in Consistency::all() {
            // Two reads that fit no common order leave no order at all, which uncommitted reads need not trouble; and the
            // smallest G-single is a fractured read, for which Elle's lattice has no name.
            let beyond_the_lattice = match anomaly {
                Anomaly::IncompatibleOrder => !model.implies(Consistency::ReadCommitted),
                Anomaly::Cycle(Cycle::GSingleItem, Order::Data) => {
                    [Consistency::ReadAtomic, Consistency::UpdateAtomic].contains(&model)
                }
                _ => false,
            };
            let Some(holds) = holds(datatype, &history, model) else { continue };
            assert_eq!(
                holds,
                !model.forbids(anomaly) && !beyond_the_lattice,
                "{anomaly} {text}: {model}"
            );
        }
        for model in Ruling::new(&[anomaly], Order::Realtime).standing {
            if anomaly != Anomaly::IncompatibleOrder {
                assert_eq!(
                    holds(datatype, &history, model),
                    Some(true),
                    "{anomaly} {text}: {model}"
                );
            }
        }
        examples += 1;
    }
    assert_eq!(examples, 25 + 19, "lists and registers");
}

fn small(datatype: Datatype, seed: u64) -> Synthetic {
    let transactions = 6;
    Synthetic {
        datatype,
        transactions,
        clients: 3,
        keys: 2,
        fail: 0.1,
        info: 0.1,
        seed,
        ..Synthetic::default()
    }
}

#[test]
fn small_ones_are_strict_serializable_and_with_one_stale_read_not() {
    let mut stale = 0;
    for (datatype, seed) in
        Datatype::ALL.into_iter().flat_map(|datatype| (0..400).map(move |seed| (datatype, seed)))
    {
        let history: Vec<_> = small(datatype, seed).transactions().collect();
        let strict = commit_orders::explain(datatype, &history, Consistency::StrictSerializable);
        assert_eq!(strict, Some(true), "{}", notation::print(datatype, &history));

        let options = Synthetic { inject: Some(Injection::StaleRead), ..small(datatype, seed) };
        let mut steps = options.steps();
        let history: Vec<_> =
            steps.by_ref().filter(|step| step.completes).map(|step| step.transaction).collect();
        if steps.not_injected().is_none() {
            stale += 1;
            for (model, holds) in [
                (Consistency::StrictSerializable, false),
                (Consistency::StrongSessionSerializable, true),
            ] {
                let printed = notation::print(datatype, &history);
                assert_eq!(
                    commit_orders::explain(datatype, &history, model),
                    Some(holds),
                    "{model}\n{printed}"
                );
            }
        }
    }
    assert!(stale > 50, "only {stale}");
}

#[test]
fn events_are_a_history_with_the_asked_shares() {
    for datatype in Datatype::ALL {
        let options = Synthetic {
            datatype,
            transactions: 5000,
            fail: 0.05,
            info: 0.05,
            ..Synthetic::default()
        };
        let steps: Vec<Step> = options.steps().collect();
        let mut running = BTreeMap::new();
        let mut ended = BTreeSet::new();
        let mut outcomes = [0; 3];
        let mut last_ns = None;
        for (step, position) in steps.iter().zip(0..) {
            assert_eq!(step.position, position);
            assert!(last_ns < Some(step.time_ns), "time stands still at {position}");
            last_ns = Some(step.time_ns);
            let transaction = &step.transaction;
            assert!(!ended.contains(&transaction.process), "nothing follows an unknown outcome");
            if !step.completes {
                assert_eq!((transaction.call, transaction.call_ns), (position, step.time_ns));
                assert_eq!(running.insert(transaction.process, transaction), None);
                continue;
            }
            let invoked = running.remove(&transaction.process).expect("it was invoked");
            assert_eq!((invoked.call, invoked.call_ns), (transaction.call, transaction.call_ns));
            let known = transaction.outcome != Outcome::Info;
            assert_eq!(transaction.ret, known.then_some(position));
            assert_eq!(transaction.return_ns, known.then_some(step.time_ns));
            if !known {
                ended.insert(transaction.process);
            }
            let has_results = transaction.micro_ops.iter().all(|micro_op| match micro_op {
                MicroOp::Read { seen, .. } => {
                    (*seen == Seen::Unknown) != (transaction.outcome == Outcome::Ok)
                }
                MicroOp::Write { .. } => true,
            });
            assert!(has_results, "{transaction:?}");
            outcomes[transaction.outcome as usize] += 1;
        }
        assert_eq!(outcomes.iter().sum::<i32>(), 5000);
        assert!(outcomes[1..].iter().all(|count| (150..350).contains(count)), "{outcomes:?}");
        assert!(running.is_empty());
    }
}

#[test]
fn a_seed_is_a_history() {
    let history =
        |seed| Synthetic { seed, ..Synthetic::default() }.steps().take(1000).collect::<Vec<_>>();
    assert_eq!(history(1), history(1));
    assert_ne!(history(1), history(2));
}

#[test]
fn keys_rotate_and_values_are_unique() {
    let mut values = BTreeSet::new();
    let mut longest = 0;
    for transaction in Synthetic::default().transactions() {
        for micro_op in transaction.micro_ops {
            match micro_op {
                MicroOp::Write { key, value } => assert!(values.insert((key, value))),
                MicroOp::Read { seen: Seen::List(list), .. } => longest = longest.max(list.len()),
                MicroOp::Read { .. } => {}
            }
        }
    }
    let keys: BTreeSet<_> = values.iter().map(|(key, _)| key).collect();
    assert!(
        keys.len() > 100 && (100..=256).contains(&longest),
        "{} keys, {longest} elements",
        keys.len()
    );
}

#[test]
fn an_injected_anomaly_stands_in_the_middle_on_keys_of_its_own() {
    for (datatype, injection) in Datatype::ALL
        .into_iter()
        .flat_map(|datatype| Injection::all(datatype).map(move |injection| (datatype, injection)))
    {
        let options = Synthetic {
            datatype,
            transactions: 1000,
            inject: Some(injection),
            ..Synthetic::default()
        };
        let without = Synthetic { inject: None, ..options.clone() };
        let mut steps = options.steps();
        let history: Vec<_> =
            steps.by_ref().filter(|step| step.completes).map(|step| step.transaction).collect();
        assert_eq!(steps.not_injected(), None);
        let injected: Vec<_> =
            history.iter().filter(|t| (20..28).contains(&t.process)).cloned().collect();
        assert_eq!(injected.len(), history.len() - without.transactions().count());
        assert!(
            injected.iter().all(|transaction| (900..1200).contains(&transaction.call)),
            "{injected:?}"
        );
        if let Injection::Anomaly(anomaly) = injection {
            assert_eq!(expected(datatype, anomaly), shape(&injected), "{injection:?}");
        }
    }
}

fn expected(datatype: Datatype, anomaly: Anomaly) -> Vec<String> {
    shape(
        &notation::parse(&example(datatype, anomaly).unwrap_or_default())
            .map_or(vec![], |(_, history)| history),
    )
}

/// The transactions without what injecting changes: numbers of keys and processes, positions.
fn shape(history: &[Transaction]) -> Vec<String> {
    let mut shape: Vec<_> = history
        .iter()
        .map(|transaction| {
            let mut keys = Vec::new();
            let micro_ops: Vec<_> = transaction
                .micro_ops
                .iter()
                .map(|micro_op| {
                    let (MicroOp::Write { key, .. } | MicroOp::Read { key, .. }) = micro_op;
                    if !keys.contains(key) {
                        keys.push(*key);
                    }
                    match micro_op {
                        MicroOp::Write { value, .. } => format!("write {value}"),
                        MicroOp::Read { seen, .. } => format!("{seen:?}"),
                    }
                })
                .collect();
            format!("{} keys {:?} {micro_ops:?}", keys.len(), transaction.outcome)
        })
        .collect();
    shape.sort();
    shape
}

#[test]
fn as_events_it_is_the_same_history() {
    for (datatype, format) in Datatype::ALL
        .into_iter()
        .flat_map(|datatype| [(datatype, Format::Edn), (datatype, Format::JsonLines)])
    {
        let inject = Some(Injection::StaleRead);
        let options = Synthetic { datatype, transactions: 2000, inject, ..Synthetic::default() };
        let written: Vec<_> = options.steps().map(|step| step.event(datatype, format)).collect();
        let mut text = Vec::new();
        match format {
            Format::Edn => history::write_edn(&written, &mut text).unwrap(),
            _ => {
                for event in &written {
                    writeln!(text, "{}", serde_json::to_string(event).unwrap()).unwrap();
                }
            }
        }
        let events = Events::new(text.as_slice(), format).map(|located| located.unwrap().event);
        let operations = history::operations(&events.collect::<Vec<_>>()).unwrap();
        let read = History::from_operations(datatype, &operations).unwrap();
        let read = check(&read, &Options::default());
        let mut direct: Vec<_> = options.transactions().collect();
        direct.sort_unstable_by_key(|transaction| transaction.call);
        let direct =
            check(&History::from_transactions(datatype, &direct).unwrap(), &Options::default());
        assert_eq!(
            (&read.anomalies, &read.statistics),
            (&direct.anomalies, &direct.statistics),
            "{format:?}"
        );
        assert_eq!(read.clearest().map(Finding::size), Some(2));
    }
}

#[test]
fn none_of_what_there_must_be_one_of_counts_as_one() {
    let options = Synthetic {
        transactions: 10,
        clients: 0,
        keys: 0,
        writes_per_key: 0,
        micro_ops: 0,
        ..Synthetic::default()
    };
    let transactions: Vec<_> = options.transactions().collect();
    assert_eq!(transactions.len(), 10);
    assert!(transactions.iter().all(|transaction| transaction.micro_ops.len() == 1));
}
