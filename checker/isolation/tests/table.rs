//! Every anomaly, variant and model, from the definitions: what the checker must find, and what the oracles say of it.

mod common;

use checker_testing::isolation::oracle::{commit_orders, version_orders};
use common::table::{Case, cases};
use isolation::generate::inject::example;
use isolation::{Anomaly, Consistency, Datatype, History, Options, Order, Ruling, check};

const LISTS: &str = include_str!("data/table/lists.txt");
const TIME: &str = include_str!("data/table/time.txt");
const REGISTERS: &str = include_str!("data/table/registers.txt");

fn all() -> Vec<Case> {
    [LISTS, TIME, REGISTERS].into_iter().flat_map(cases).collect()
}

#[test]
fn there_are_enough_and_of_every_kind() {
    let all = all();
    println!("{} cases", all.len());
    assert!(all.len() >= 150, "{}", all.len());
    for anomaly in Anomaly::all() {
        let possible = Datatype::ALL.iter().any(|datatype| example(*datatype, anomaly).is_some());
        assert_eq!(all.iter().any(|case| case.anomalies.contains(&anomaly)), possible, "{anomaly}");
    }
}

#[test]
fn the_strongest_models_follow_from_the_anomalies() {
    for Case { text, anomalies, standing, .. } in all() {
        assert_eq!(Ruling::new(&anomalies, Order::Realtime).standing, standing, "{text}");
    }
}

/// The anomalies are right by definition: what they rule out no execution and no order of versions explains, and what
/// stands some order does.
#[test]
fn the_oracles_agree_with_the_table() {
    let mut wrong = Vec::new();
    for Case { text, datatype, history, anomalies, standing } in all() {
        for model in Consistency::all() {
            let executed = commit_orders::explain(datatype, &history, model);
            let Some(holds) = version_orders::explain(&history, model) else { continue };
            assert!(executed.is_none_or(|executed| executed == holds), "{text}: {model}");
            if holds && anomalies.iter().any(|anomaly| model.forbids(*anomaly)) {
                wrong.push(format!("{text}: {model} holds"));
            }
            // Where there is no order of versions, no level of the oracle holds.
            let has_order = !anomalies.contains(&Anomaly::IncompatibleOrder);
            if !holds && has_order && standing.iter().any(|standing| standing.implies(model)) {
                wrong.push(format!("{text}: {model} does not hold"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{wrong:#?}");
}

#[test]
fn the_checker_agrees_with_the_table() {
    let mut wrong = Vec::new();
    for Case { text, datatype, history, anomalies, standing } in all() {
        let report =
            check(&History::from_transactions(datatype, &history).unwrap(), &Options::default());
        let mut found: Vec<_> = report.anomalies.iter().map(|finding| finding.anomaly).collect();
        found.sort_unstable();
        found.dedup();
        if found != anomalies {
            wrong.push(format!(
                "{text}: found {:?}, expected {:?}",
                names(&found),
                names(&anomalies)
            ));
        } else if report.models.standing != standing {
            wrong.push(format!("{text}: {:?} stand", report.models.standing));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{wrong:#?}");
}

fn names(anomalies: &[Anomaly]) -> Vec<String> {
    anomalies.iter().map(|anomaly| anomaly.name()).collect()
}
