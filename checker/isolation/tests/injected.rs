//! One anomaly in the middle of thousands of right transactions: found, named, and as small as it is.
//!
//! `INJECTED=100000 cargo test --release -p isolation --test injected` makes the histories larger.

use isolation::generate::inject::example;
use isolation::generate::{Injection, Synthetic};
use isolation::{
    Anomaly, Consistency, Datatype, History, Options, Order, Ruling, Transaction, check, notation,
};

fn transactions() -> usize {
    std::env::var("INJECTED").map_or(10_000, |number| number.parse().expect("INJECTED is a number"))
}

/// What is found, and of how many transactions.
fn found(datatype: Datatype, history: &[Transaction]) -> Vec<(Anomaly, usize)> {
    let report = check(
        &History::from_transactions(datatype, history).expect("fitting reads"),
        &Options::default(),
    );
    report.anomalies.iter().map(|finding| (finding.anomaly, finding.transactions.len())).collect()
}

fn ruled_out(found: &[(Anomaly, usize)]) -> Vec<Consistency> {
    let anomalies: Vec<Anomaly> = found.iter().map(|(anomaly, _)| *anomaly).collect();
    Ruling::new(&anomalies, Order::Realtime).violated
}

#[test]
fn right_histories_have_no_anomalies() {
    for datatype in Datatype::ALL {
        for seed in 0..5 {
            let options =
                Synthetic { datatype, transactions: transactions(), seed, ..Synthetic::default() };
            let history: Vec<_> = options.transactions().collect();
            assert_eq!(found(datatype, &history), [], "{datatype:?}, seed {seed}");
        }
    }
}

#[test]
fn each_injected_anomaly_is_found_as_small_as_alone() {
    for datatype in Datatype::ALL {
        for injection in Injection::all(datatype) {
            let inject = Some(injection);
            let options = Synthetic {
                datatype,
                transactions: transactions(),
                inject,
                ..Synthetic::default()
            };
            let history: Vec<_> = options.transactions().collect();
            let alone = match injection {
                Injection::StaleRead => vec![(injection.anomaly(), 2)],
                Injection::Anomaly(anomaly) => {
                    let text = example(datatype, anomaly).expect("it could be injected");
                    let (_, history) = notation::parse(&text).expect(&text);
                    found(datatype, &history)
                }
            };
            assert!(
                alone.iter().any(|(anomaly, _)| *anomaly == injection.anomaly()),
                "{injection:?}: {alone:?}"
            );
            let found = found(datatype, &history);
            assert!(alone.iter().all(|one| found.contains(one)), "{injection:?}: {found:?}");
            // With others around it there are longer cycles, too. None says more.
            assert_eq!(ruled_out(&found), ruled_out(&alone), "{datatype:?} {injection:?}");
        }
    }
}
