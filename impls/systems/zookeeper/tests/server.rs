//! Against real nodes of `ZooKeeper`.

use std::sync::Arc;

use contract::Operation;
use testing::{Plan, System, checks, is_installed};

const PLAN: Plan<'_> = Plan {
    start: concat!(env!("CARGO_MANIFEST_DIR"), "/start"),
    adapter: env!("CARGO_BIN_EXE_zookeeper-adapter"),
    ports: &[2181, 2888, 3888],
    nodes: 3,
    variables: &[],
};

fn is_there() -> bool {
    is_installed("java") && is_installed("/usr/share/java/zookeeper.jar")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ensemble_carries_out_each_operation_and_loses_nothing() {
    if !is_there() {
        return;
    }
    let system = Arc::new(System::start(PLAN).await);
    checks::each_operation(&system).await;
    checks::refusals(&system).await;
    checks::appends_at_once(&system).await;
    assert_eq!(checks::write_skews(&system).await, 0);
    // A put may be on its way to the others; an append has only been read when the node stops.
    let (key, value) = ("middle".to_owned(), "1".to_owned());
    let put = Operation::Put { key: key.clone(), value: value.clone() };
    checks::killed_in_the_middle(&system, &put, false).await;
    checks::killed_in_the_middle(&system, &Operation::Append { key, value }, true).await;
    checks::killed_under_load(&system, false).await;
}
