//! A request of each operation, and every kind of answer it can get.

use std::collections::BTreeMap;

use crate::{Configuration, MicroOperation, Operation, Outcome};

fn text(value: &str) -> String {
    value.to_owned()
}

pub(super) fn get() -> (Operation, Vec<Outcome>) {
    let found = Outcome::Value { value: Some(text("1")) };
    (Operation::Get { key: text("x") }, vec![found, Outcome::Value { value: None }])
}

pub(super) fn put() -> (Operation, Vec<Outcome>) {
    (Operation::Put { key: text("x"), value: text("1") }, vec![Outcome::Done {}])
}

pub(super) fn append() -> (Operation, Vec<Outcome>) {
    let operation = Operation::Append { key: text("x"), value: text("2") };
    (operation, vec![Outcome::Value { value: Some(text("12")) }])
}

pub(super) fn puthash() -> (Operation, Vec<Outcome>) {
    let operation = Operation::PutHash { key: text("x"), value: text("2") };
    (operation, vec![Outcome::Previous { previous: text("1") }])
}

pub(super) fn cas() -> (Operation, Vec<Outcome>) {
    let operation = Operation::Cas { key: text("x"), expect: Some(text("1")), value: text("2") };
    let outcomes = vec![
        Outcome::Swapped { swapped: true, value: None },
        Outcome::Swapped { swapped: false, value: Some(Some(text("7"))) },
    ];
    (operation, outcomes)
}

pub(super) fn multiget() -> (Operation, Vec<Outcome>) {
    let values = BTreeMap::from([(text("x"), Some(text("1"))), (text("y"), None)]);
    (Operation::MultiGet { keys: vec![text("x"), text("y")] }, vec![Outcome::Values { values }])
}

pub(super) fn multiput() -> (Operation, Vec<Outcome>) {
    let values = BTreeMap::from([(text("x"), text("1")), (text("y"), text("2"))]);
    (Operation::MultiPut { values }, vec![Outcome::Done {}])
}

pub(super) fn swap() -> (Operation, Vec<Outcome>) {
    (Operation::Swap { a: text("x"), b: text("y") }, vec![Outcome::Done {}])
}

pub(super) fn txn() -> (Operation, Vec<Outcome>) {
    let operation = Operation::Txn {
        guards: BTreeMap::from([(text("x"), Some(text("1"))), (text("y"), None)]),
        ops: vec![
            MicroOperation::Read(text("x")),
            MicroOperation::Write(text("y"), text("2")),
            MicroOperation::Append(text("y"), text("3")),
        ],
    };
    let results = ["1", "2", "23"].map(|value| Some(text(value))).to_vec();
    let outcomes = vec![
        Outcome::Committed { committed: true, results: Some(results) },
        Outcome::Committed { committed: false, results: None },
    ];
    (operation, outcomes)
}

fn servers(group: u64) -> (String, Vec<String>) {
    (format!("g{group}"), (1..=3).map(|server| format!("n{}", 3 * (group - 1) + server)).collect())
}

pub(super) fn join() -> (Operation, Vec<Outcome>) {
    (Operation::Join { groups: [servers(2)].into() }, vec![Outcome::Done {}])
}

pub(super) fn leave() -> (Operation, Vec<Outcome>) {
    (Operation::Leave { groups: vec![text("g1")] }, vec![Outcome::Done {}])
}

pub(super) fn move_shard() -> (Operation, Vec<Outcome>) {
    (Operation::Move { shard: 4, group: text("g2") }, vec![Outcome::Done {}])
}

pub(super) fn query() -> (Operation, Vec<Outcome>) {
    let owners = ["g1", "g2", "g1", "g2"].map(|group| Some(text(group))).to_vec();
    let groups = [servers(1), servers(2)].into();
    let configuration = Configuration { num: 2, shards: owners, groups };
    let first = Configuration::first(4);
    let outcomes = [configuration, first].map(Outcome::Configuration).to_vec();
    (Operation::Query { num: -1 }, outcomes)
}
