//! Row by row: each anomaly and each model with a history that shows it broken, and one, a hair away, that does not.

use std::collections::BTreeSet;

use checker_testing::isolation::oracle::{commit_orders, version_orders};
use isolation::generate::inject::example;
use isolation::{
    Anomaly, Consistency, Datatype, History, Options, Report, Transaction, check, notation,
};

const TWINS: &str = include_str!("data/table/twins.txt");
const MODELS: &str = include_str!("data/table/models.txt");

/// The rows of a file: a name, and two histories.
fn rows(file: &str) -> impl Iterator<Item = [&str; 3]> {
    let lines = file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let parts: Vec<_> = line.splitn(3, " => ").collect();
        parts.try_into().unwrap_or_else(|_| panic!("three parts: {line}"))
    })
}

fn parse(text: &str) -> (Datatype, Vec<Transaction>) {
    notation::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn report(text: &str) -> Report {
    let (datatype, transactions) = parse(text);
    check(
        &History::from_transactions(datatype, &transactions).expect("fitting reads"),
        &Options::default(),
    )
}

#[test]
fn each_anomaly_has_a_history_with_it_and_one_without() {
    let mut covered = BTreeSet::new();
    for [name, with, without] in rows(TWINS) {
        let has = |text| report(text).anomalies.iter().any(|found| found.anomaly.name() == name);
        assert!(has(with), "{name}: {with}");
        assert!(!has(without), "{name}: {without}");
        covered.insert((parse(with).0.name(), name.to_owned()));
    }
    for (datatype, anomaly) in Datatype::ALL
        .into_iter()
        .flat_map(|datatype| Anomaly::all().map(move |anomaly| (datatype, anomaly)))
    {
        let is_possible = example(datatype, anomaly).is_some();
        let is_covered = covered.contains(&(datatype.name(), anomaly.name()));
        assert_eq!(is_covered, is_possible, "{} {anomaly}", datatype.name());
    }
    println!("{} anomalies of lists and of registers", covered.len());
}

/// What the definitions say, where one of the oracles knows the model.
fn holds(text: &str, model: Consistency) -> Option<bool> {
    let (datatype, history) = parse(text);
    commit_orders::explain(datatype, &history, model)
        .or_else(|| version_orders::explain(&history, model))
}

#[test]
fn each_model_has_a_history_that_breaks_it_and_one_that_keeps_it() {
    let mut covered = Vec::new();
    for [name, broken, kept] in rows(MODELS) {
        let model: Consistency = name.parse().unwrap_or_else(|error| panic!("{error}"));
        let is_violated = |text| {
            let models = report(text).models;
            models.violated.contains(&model) || models.also_violated.contains(&model)
        };
        assert!(is_violated(broken), "{name}: {broken}");
        assert!(!is_violated(kept), "{name}: {kept}");
        assert!(holds(broken, model) != Some(true), "{name} holds: {broken}");
        assert!(holds(kept, model) != Some(false), "{name} does not hold: {kept}");
        assert_eq!(report(kept).anomalies.is_empty(), name == "strict-serializable", "{kept}");
        covered.push(model);
    }
    // Nothing that transactions show rules out a model of single objects, or one that orders of versions do not define.
    let beyond = "view-serializable 1SR session-serializable monotonic-reads monotonic-writes \
                  read-your-writes writes-follow-reads PRAM causal sequential linearizable";
    let beyond: Vec<Consistency> =
        beyond.split_whitespace().map(|name| name.parse().unwrap()).collect();
    for model in Consistency::all() {
        let can_be_broken = Anomaly::all().any(|anomaly| model.forbids(anomaly));
        assert_eq!(covered.contains(&model), can_be_broken, "{model}");
        assert_eq!(beyond.contains(&model), !can_be_broken, "{model}");
    }
    println!("{} models, and {} beyond", covered.len(), beyond.len());
}
