//! What must not matter, and what must follow, on thousands of random histories.

use ::history::Verdict;
use checker_testing::isolation::compare::plans;
use checker_testing::isolation::stores::history;
use isolation::{
    Consistency, Datatype, History, MicroOp, Options, Ruling, Seen, Transaction, check,
};

fn small() -> impl Iterator<Item = (Datatype, Vec<Transaction>)> {
    plans(6).flat_map(|plan| (0..40).map(move |seed| (plan.datatype, history(plan, seed))))
}

fn verdict(history: &History, consistency: Consistency) -> Verdict {
    check(history, &Options { consistency, ..Options::default() }).verdict
}

/// Whoever breaks a model breaks all that promise more, and the verdict says what the list of models does.
#[test]
fn a_violation_is_one_of_every_stronger_model() {
    let mut violations = 0;
    for (datatype, transactions) in small() {
        let history = History::from_transactions(datatype, &transactions).unwrap();
        let models = check(&history, &Options::default()).models;
        for model in Consistency::all() {
            let is_violated = verdict(&history, model) == Verdict::Violation;
            let told = models.violated.contains(&model) || models.also_violated.contains(&model);
            assert_eq!(is_violated, told, "{model}: {transactions:?}");
            let stands = models.standing.iter().any(|standing| standing.implies(model));
            assert!(!(is_violated && stands), "{model}: {transactions:?}");
            if is_violated {
                violations += 1;
                for stronger in Consistency::all().filter(|other| other.implies(model)) {
                    let verdict = verdict(&history, stronger);
                    assert_eq!(
                        verdict,
                        Verdict::Violation,
                        "{model}, not {stronger}: {transactions:?}"
                    );
                }
            }
        }
    }
    println!("{violations} violations of a model");
    assert!(violations > 1000, "{violations}");
}

/// What is found, by kind, and what follows.
fn found(datatype: Datatype, transactions: &[Transaction]) -> (Vec<String>, Ruling) {
    let report = check(
        &History::from_transactions(datatype, transactions).expect("fitting reads"),
        &Options::default(),
    );
    let mut kinds: Vec<_> = report.anomalies.iter().map(|one| one.anomaly.name()).collect();
    kinds.dedup();
    (kinds, report.models)
}

/// Other keys, other values, other processes.
fn renamed(transactions: &[Transaction]) -> Vec<Transaction> {
    let key = |key: u32| key ^ 0xff;
    let value = |value: u32| value.wrapping_mul(7).wrapping_add(3);
    let rename = |transaction: &Transaction| {
        let mut renamed = transaction.clone();
        renamed.process ^= 0xfff;
        for micro_op in &mut renamed.micro_ops {
            match micro_op {
                MicroOp::Write { key: name, value: written } => {
                    (*name, *written) = (key(*name), value(*written));
                }
                MicroOp::Read { key: name, seen } => {
                    *name = key(*name);
                    match seen {
                        Seen::List(list) => list.iter_mut().for_each(|one| *one = value(*one)),
                        Seen::Register(one) => *one = one.map(value),
                        Seen::Unknown => {}
                    }
                }
            }
        }
        renamed
    };
    transactions.iter().map(rename).collect()
}

#[test]
fn names_do_not_matter() {
    let mut wrong = 0;
    for (datatype, transactions) in small() {
        let (same, other) =
            (found(datatype, &transactions), found(datatype, &renamed(&transactions)));
        assert_eq!(same, other, "{transactions:?}");
        wrong += usize::from(!same.0.is_empty());
    }
    println!("{wrong} histories with anomalies");
    assert!(wrong > 1000, "{wrong}");
}
