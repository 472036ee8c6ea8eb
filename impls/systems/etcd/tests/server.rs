//! Against real nodes of etcd.

use std::sync::Arc;

use testing::{Plan, System, checks, is_installed};

const PLAN: Plan<'_> = Plan {
    start: concat!(env!("CARGO_MANIFEST_DIR"), "/start"),
    adapter: env!("CARGO_BIN_EXE_etcd-adapter"),
    ports: &[2379, 2380],
    nodes: 3,
    variables: &[("DS_HEARTBEAT_MS", "50"), ("DS_ELECTION_MS", "500")],
};

fn put() -> contract::Operation {
    contract::Operation::Put { key: "middle".to_owned(), value: "1".to_owned() }
}

fn append() -> contract::Operation {
    contract::Operation::Append { key: "middle".to_owned(), value: "1".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_carries_out_each_operation_and_loses_nothing() {
    if !is_installed("etcd") {
        return;
    }
    let system = Arc::new(System::start(PLAN).await);
    checks::each_operation(&system).await;
    checks::refusals(&system).await;
    checks::appends_at_once(&system).await;
    assert_eq!(checks::write_skews(&system).await, 0);
    // A put may be on its way to the others; an append has only been read when the node stops.
    checks::killed_in_the_middle(&system, &put(), false).await;
    checks::killed_in_the_middle(&system, &append(), true).await;
    checks::killed_under_load(&system, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serializable_reads_are_served_without_a_majority() {
    if !is_installed("etcd") {
        return;
    }
    let variables = [PLAN.variables, &[("ETCD_READS", "serializable"), ("DS_LIMIT_MS", "1000")]];
    let system = System::start(Plan { variables: &variables.concat(), ..PLAN }).await;
    checks::each_operation(&system).await;
    system.kill(1);
    system.kill(2);
    assert_eq!(system.get(0, "x").await, Some(String::new()));
    let answer = system.ask(0, &put()).await;
    let contract::Answer::Error(refusal) = answer else { panic!("{answer:?}") };
    assert!(
        !refusal.code.is_definite(),
        "a proposal without a majority may still happen: {refusal:?}"
    );
}
